"""docs/hooks.md says of every hook what plugin/spec.py says, and each example works when it is called."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest

from ci_results import Build, Departure, InvalidError, Observation, SourceSession, open_message, read_message
from ci_results.bus.choosing import choose
from ci_results.collect.refine import refine, tell_stored
from ci_results.decide.judge import judge
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Request
from ci_results.domain.decision import Verdict
from ci_results.domain.facts import Facts
from ci_results.domain.page import Committed, Page
from ci_results.domain.purpose import Purpose
from ci_results.domain.result import Result
from ci_results.domain.subject import Subject
from ci_results.normalise.items import check_item
from ci_results.normalise.normaliser import Normaliser
from ci_results.plugin import spec
from ci_results.plugin.manager import Plugins, load_plugins
from ci_results.waive.purposes import check_purpose

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "hooks.md"
HOOKS = [name for name, value in vars(spec).items() if hasattr(value, f"{spec.PROJECT}_spec")]


def sections() -> dict[str, str]:
    """Return the text under each heading that names a hook."""
    parts = re.split(r"^## (.+)$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Plugins]]:
    """Run the example of the hook that the test is named after; give its module and all plugins."""
    hook = request.function.__name__.removeprefix("test_hook_")
    (block,) = [block for block in blocks(DOCUMENT, "python") if block.heading == hook]
    module = types.ModuleType("ci_results_example")
    sys.modules[module.__name__] = module
    exec(compile(block.text, f"hooks.md#{hook}", "exec"), vars(module))  # noqa: S102 our own document
    plugins = load_plugins([EntryPoint(name="example", value=module.__name__, group="ci_results")])
    assert [(one.problem, one.hooks) for one in plugins.loaded if one.name == "example"] == [(None, (hook,))]
    yield module, plugins
    del sys.modules[module.__name__]


@pytest.mark.demand("S-027")
def test_there_are_few_hooks() -> None:
    assert 0 < len(HOOKS) <= 14


@pytest.mark.demand("S-027")
def test_every_hook_is_documented_and_nothing_else() -> None:
    assert list(sections()) == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_the_signature_is_the_one_of_the_code(hook: str) -> None:
    signature = str(inspect.signature(getattr(spec, hook))).replace("'", "")
    assert f"`{hook}{signature}`" in sections()[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_it_says_when_the_hook_is_called_and_shows_an_example(hook: str) -> None:
    text = sections()[hook]
    assert "Called " in text
    assert f"@hookimpl\ndef {hook}(" in text


@pytest.mark.parametrize("hook", HOOKS)
def test_the_docstring_says_when_it_is_called(hook: str) -> None:
    assert "Called " in (getattr(spec, hook).__doc__ or "")


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_test_named_after_it(hook: str) -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert f"def test_hook_{hook}(" in tests


# -- each hook, called as the core calls it, on the document's example ------------------------------


def result(testcase: str = "smoke.boots") -> Observation:
    return Observation(
        key="k1", testcase=testcase, outcome="PASSED", item="bash-5.2-1.fc40", item_type="koji_build"
    )


def test_hook_register_collectors(example: tuple[Any, Plugins]) -> None:
    module, plugins = example
    assert isinstance(plugins.collectors["acme"], module.Acme)


def test_hook_register_sinks(example: tuple[Any, Plugins], tmp_path: Path) -> None:
    module, plugins = example
    stored = Normaliser("s", {})(result())
    plugins.sinks["lines"].deliver(module.FileOptions(path=str(tmp_path / "out")), [stored, stored])
    assert (tmp_path / "out").read_text() == "smoke.boots PASSED\n" * 2


def test_hook_register_formats(example: tuple[Any, Plugins]) -> None:
    module, plugins = example
    assert isinstance(plugins.formats["nothing"], module.Nothing)
    assert next(iter(plugins.formats)) == "junit"
    assert list(plugins.formats)[-1] == "nothing"


def test_hook_register_messages(example: tuple[Any, Plugins]) -> None:
    module, plugins = example
    reader = plugins.messages["acme"]
    assert isinstance(reader, module.AcmeMessages)
    body = b'{"id": 7, "suite": "boot", "status": "ok", "build": "bash-5.2-1.fc40"}'
    raw = b'{"topic": "org.example.acme.run.ended", "body": %s}'
    (seen,) = read_message(reader, reader.options(), open_message(raw % body), raw)
    assert isinstance(seen, Observation)
    assert Normaliser("s", reader.outcomes)(seen).outcome == "PASSED"


def test_hook_register_transports(example: tuple[Any, Plugins]) -> None:
    module, plugins = example
    chosen = choose("memory:a?size=5", plugins.transports)
    assert isinstance(chosen.transport, module.Memory)
    assert chosen.options.size == 5
    sent = Departure(topic="org.example.t", body=b"{}", id="1", sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    chosen.outlet().publish([sent, sent])
    inlet = chosen.inlet()
    (first,) = inlet.receive(1, 0, 0)
    inlet.nack([first])
    both = inlet.receive(9, 0, 0)
    inlet.ack(both)
    assert ([each.topic for each in both], inlet.receive(9, 0, 0)) == (["org.example.t"] * 2, [])


def test_hook_register_vocabularies(example: tuple[Any, Plugins]) -> None:
    _, plugins = example
    assert check_item(plugins.item_types["firmware"], "board-1.2") == "board-1.2"
    with pytest.raises(InvalidError, match="is no board-version"):
        check_item(plugins.item_types["firmware"], "board")
    normalise = Normaliser("s", {}, plugins.item_types)
    assert normalise(result()).item_type == "koji_build"
    board = Purpose("board", "rpi4")
    assert check_purpose(board, plugins.purposes) == board
    with pytest.raises(InvalidError, match="names no board"):
        check_purpose(Purpose("board", "RPi 4"), plugins.purposes)


def test_hook_register_lookups(example: tuple[Any, Plugins]) -> None:
    module, plugins = example
    lookup = plugins.lookups["bench"]
    assert isinstance(lookup, module.Bench)
    assert list(plugins.lookups) == ["koji", "bench"]
    with SourceSession() as http:
        build = lookup.build(module.BenchOptions(host="src.example"), "bash-5.2-1", http)
    assert build == Build(
        nvr="bash-5.2-1", component="bash", version="5.2", release="1",
        source="git+https://src.example/bash#v5.2-1",
    )  # fmt: skip
    assert lookup.build(module.BenchOptions(host="src.example"), "bash", http) is None


def test_hook_register_rules(example: tuple[Any, Plugins]) -> None:
    _, plugins = example
    text = (
        b"id: x\nproduct_versions: ['*']\ndecision_context: ship\nsubject_type: koji_build\n"
        b"rules:\n- !WeekdayRule {}"
    )
    policies = load([("x.yaml", text)], plugins.rule_types)
    bash = Subject("koji_build", "bash-5.2-1.fc40")
    request = Request(subjects=(bash,), product_version="rhel-9", contexts=("ship",))
    for day, verdict in ((5, Verdict.GO), (6, Verdict.WAIT)):
        known = Facts(as_of=1, now=datetime(2026, 3, day, tzinfo=UTC), latest={bash: {}})
        decision = judge(policies, request, known)
        assert decision.verdict is verdict
        assert [str(each.place) for each in decision.requirements] == ["x.yaml:6"]


def test_hook_register_commands(example: tuple[Any, Plugins]) -> None:
    _, plugins = example
    (command,) = plugins.commands()
    assert isinstance(command, click.Command)
    assert command.name == "acme-hello"


def test_hook_rename_testcases(example: tuple[Any, Plugins]) -> None:
    _, plugins = example
    results, refused = refine([result(), result("other.boots")], Normaliser("s", {}), plugins.hook)
    assert [one.testcase for one in results] == ["acme.smoke.boots", "other.boots"]
    assert refused == []


def test_hook_enrich_results(example: tuple[Any, Plugins]) -> None:
    _, plugins = example
    results, _ = refine([result()], Normaliser("s", {}), plugins.hook)
    assert results[0].data["team"] == ("acme",)


def test_hook_results_stored(example: tuple[Any, Plugins]) -> None:
    module, plugins = example
    page = Page(source="widgets", results=[], read_from=None, cursor="c")
    assert tell_stored(page, Committed(seq=1, stored=3), plugins.hook) == []
    assert module.counts == [("widgets", 3)]


def test_results_are_made_of_what_the_document_says() -> None:
    """The attributes that the examples use are there."""
    made = Normaliser("s", {})(result())
    assert isinstance(made, Result)
    assert made.data == {}
