"""docs/policies.md and policies/ say what the code does: each example is read, every key is named."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ci_results.cli.decide import CODES
from ci_results.cli.main import cli
from ci_results.config import read_config
from ci_results.config_gate import Gate
from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.judge import judge, questions
from ci_results.decide.lint import lint
from ci_results.decide.policy_set import PolicySet, load
from ci_results.decide.select_text import VIEWS
from ci_results.domain.asked import Request
from ci_results.domain.decision import State, Verdict
from ci_results.domain.facts import Facts
from ci_results.domain.page import Page
from ci_results.domain.reach import Reach
from ci_results.domain.subject import Subject
from ci_results.operations.gating.outside import Outside
from ci_results.plugin.koji import Koji
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result
from ci_results.wire import decision_json
from ci_results.wire.greenwave_answer import additions

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "policies.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
TYPES = {kind.name: kind for kind in RULE_TYPES}
HEAD = "id: x\nproduct_versions: ['*']\ndecision_context: c\nsubject_type: koji_build\nrules:\n"
EXAMPLES = blocks(DOCUMENT, "yaml")
SET = sorted((ROOT / "policies").glob("*.yaml"))


def read(text: str) -> PolicySet:
    whole = text if text.startswith("---") else HEAD + text
    return load([("x.yaml", whole.encode())], TYPES)


def example_set() -> PolicySet:
    return load([(path.name, path.read_bytes()) for path in SET], TYPES)


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.heading)
def test_every_example_is_read_and_nothing_in_it_is_odd(block: Any) -> None:
    chosen = read(block.text)
    assert chosen.policies[0].rules
    assert lint(chosen) == []


def test_the_examples_show_every_rule_type() -> None:
    shown = {rule.type.name for block in EXAMPLES for rule in read(block.text).policies[0].rules}
    assert shown == set(TYPES)


@pytest.mark.parametrize(
    "kind", [kind for kind in RULE_TYPES if not kind.lenient], ids=lambda kind: kind.name
)
def test_the_table_names_every_key_of_a_rule(kind: Any) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `!{kind.name}` |")]
    named = re.findall(r"`(\w+)`", row.split("|")[2])
    assert sorted(named) == sorted(field.name for field in dataclasses.fields(kind.options))


def test_every_verdict_and_state_is_told() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", TEXT.partition("## A decision")[2], re.MULTILINE)
    assert rows == [str(verdict) for verdict in Verdict]
    for state in (State.PASSED, State.FAILED, State.ERRORED, State.WAITING, State.MISSING, State.UNKNOWN):
        assert f"`{state}`" in TEXT


def test_the_views_that_a_select_may_read_are_public_and_named() -> None:
    schema = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## (\w+)$", schema, re.MULTILINE)) >= VIEWS
    (listed,) = re.findall(r"A SELECT reads the \[public views\]\(schema.md\) ((?:`\w+` ?)+)", TEXT)
    assert set(re.findall(r"`(\w+)`", listed)) == VIEWS


def test_the_decision_shown_is_the_one_that_comes_out() -> None:
    (code,), (shown,) = blocks(DOCUMENT, "python"), blocks(DOCUMENT, "text")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code.text, "policies.md", "exec"), {"__name__": "document"})  # noqa: S102 our own document
    assert printed.getvalue().startswith(shown.text)


def keys_of(value: Any) -> set[str]:
    """Return the keys of all objects in a JSON value."""
    if isinstance(value, dict):
        return set(value) | {key for each in value.values() for key in keys_of(each)}
    return {key for each in value for key in keys_of(each)} if isinstance(value, list) else set()


def test_every_key_of_the_json_is_told() -> None:
    bash = Subject("koji_build", "bash-5.2-1.fc40")
    chosen = read("- !AtLeastRule {at_least: 1, testcases: [a.b, a.c]}\n")
    request = Request(subjects=(bash,), product_version="f", contexts=("c",))
    decision = judge(chosen, request, Facts(as_of=1, now=datetime(2026, 3, 1, tzinfo=UTC), latest={bash: {}}))
    whole = decision_json.decision(decision)
    told = {*whole, *keys_of(whole["subjects"]), *additions(decision, chosen.subject_types)}
    part = TEXT.partition("### As JSON")[2]
    assert {key for key in told if f"`{key}`" not in part} == set()


# -- the command line --------------------------------------------------------------------------------


def test_the_configuration_of_remote_files_is_read_and_names_every_key() -> None:
    shown, _ = blocks(DOCUMENT, "toml")
    config = read_config(shown.text, Path("ci-results.toml"))
    told = set(re.findall(r"(?:^|`)(\w+)(?: =|`)", shown.text + TEXT, re.MULTILINE))
    assert {each.name for each in dataclasses.fields(Gate)} - {"remote", "builds"} <= told
    assert {each.name for each in dataclasses.fields(Reach)} - {"ca"} <= told
    outside = Outside(config.gate.settings, config.reach, config.build_lookup({"koji": Koji()}))
    outside.close()


def test_the_command_line_says_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, config = blocks(DOCUMENT, "toml")
    (tmp_path / "ci-results.toml").write_text(f'store = "sqlite:r.db"\n{config.text}')
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "bodhi.yaml").write_text(EXAMPLES[0].text)
    with SqliteStore.open(tmp_path / "r.db") as store:
        store.commit_page(Page(source="ci", results=[result(testcase="dist.rpmdeplint")]))
    first, second = blocks(DOCUMENT, "sh")
    (shown,) = blocks(DOCUMENT, "output")
    decided = CliRunner().invoke(cli, shlex.split(first.text)[1:])
    assert decided.stdout.startswith(shown.text)
    assert decided.exit_code == CODES["wait"]
    for command, code in zip(second.text.replace("*", "bodhi").splitlines(), (2, 0), strict=True):
        assert CliRunner().invoke(cli, shlex.split(command)[1:]).exit_code == code


def test_the_exit_codes_told_are_those_of_the_command() -> None:
    (told,) = re.findall(r"^It exits with (.+?);", TEXT, re.MULTILINE)
    assert {word: int(code) for code, word in re.findall(r"(\d) `([a-z-]+)`", told)} == CODES


# -- the example set --------------------------------------------------------------------------------


def test_the_example_set_is_read_and_lint_finds_nothing() -> None:
    chosen = example_set()
    assert len(chosen.policies) == 7
    assert lint(chosen) == []


@pytest.mark.parametrize(
    ("package", "testcases"),
    [
        ("bash", {"dist.rpmdeplint", "update.install_default_update_netinst", "dist.rpmdiff",
                  "desktop.gnome.smoke", "desktop.kde.smoke", "perf.boot_time", "fuzz.nightly"}),
        ("glibc", {"dist.rpmdeplint", "update.install_default_update_netinst", "dist.rpmdiff",
                   "desktop.gnome.smoke", "desktop.kde.smoke", "perf.boot_time", "fuzz.nightly",
                   "toolchain.testsuite"}),
        ("kernel", {"kernel.tier0"}),
    ],
)  # fmt: skip
@pytest.mark.demand("S-099")
def test_packages_of_the_example_set_have_their_own_requirements(package: str, testcases: set[str]) -> None:
    build = Subject("koji_build", f"{package}-1-1.fc40")
    request = Request(subjects=(build,), product_version="fedora-40", contexts=("bodhi_update_push_stable",))
    assert questions(example_set(), request).latest == {build: testcases}
