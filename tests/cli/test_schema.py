"""What is published as JSON Schema is what is taken, answered and printed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result as Done
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from resultsdb_lookalike import Lookalike

from ci_results.cli.main import cli
from ci_results.cli.output import print_json
from ci_results.cli.published import pages, printed, published
from ci_results.collect.quoted import to_raw
from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.operations.schema_check import whole
from ci_results.query.results import ResultQuery
from ci_results.serve.coverage import coverage
from ci_results.serve.overview import overview
from ci_results.serve.reading import Reader
from ci_results.serve.unread import quarantine, record
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import NOON
from ci_results.wire.feed import to_line
from ci_results.wire.resultsdb_client import to_body

Ask = Callable[..., Done]
SCHEMAS = published()


def holds(name: str, value: object) -> None:
    """Check that `value` is what the schema `name` says."""
    faults = [
        f"{each.json_path}: {each.message}"
        for each in Draft202012Validator(whole(name, SCHEMAS)).iter_errors(value)
    ]
    assert faults == [], name


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the commands that have an option --json."""
    context = click.Context(group, resilient_parsing=True)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None and any("--json" in option.opts for option in command.params):
            yield (*path, name)


@pytest.mark.demand("S-031")
def test_every_command_that_prints_json_has_its_schema() -> None:
    assert {"-".join(path) for path in commands(cli)} == set(printed())


LINES = [
    {
        "see": {
            "key": "1",
            "outcome": "success",
            "time": "2026-01-02T03:04:05+00:00",
            "note": "n",
            "run": "r#1",
        }
    },
    {"see": {"key": "2", "outcome": "WOBBLY"}},
    {"garbled": "smoke"},
    {"checkpoint": ""},
]


GATE = """
{id: g, product_versions: ["*"], decision_context: c, subject_type: koji_build, rules: [
!PassingTestCaseRule {test_case_name: x.b}, !AtLeastRule {at_least: 1, testcases: [no.a, no.b]}]}
"""
WAIVED = ("bash-5.2-1.fc40", "x.b", "--product-version", "fedora-40", "--comment", "flaky", "--json")
WAIVING = {
    "waiver-request": ("waiver", "request", *WAIVED),
    "waiver-grant": ("waiver", "grant", *WAIVED),
    "waiver-withdraw": ("waiver", "withdraw", 2, "--comment", "mended", "--json"),
    "waiver-list": ("waiver", "list", "--json"),
    "waiver-show": ("waiver", "show", 1, "--json"),
    "inbox": ("inbox", "--json"),
    "audit-verify": ("audit", "verify", "--json"),
}


@pytest.mark.demand("S-031")
def test_what_commands_print_is_what_their_schemas_say(ask: Ask, configured: Any, folder: Path) -> None:
    configured(one=LINES, gone=None)
    (folder / "r.xml").write_text('<testsuite><testcase name="a"/><testcase name="b"><fail</testsuite>')
    (folder / "beta.csv").write_text("testcase,title\na.b,Log in\n")
    (folder / "et.csv").write_text(
        "item,testcase,outcome,time\na-1-1,dist.x,PASSED,2019-01-01\nb-1-1,d.y,ODD,\n"
    )
    said = {
        "harvest": ("harvest", "--json"),
        "report": ("report", "--item", "bash-5.2-1.fc40", "--namespace", "x", "r.xml", "--json"),
        "import-et": ("import", "et", "et.csv", "--json"),
        "parity": ("parity", "--old", "et.csv", "--all", "--json"),
        "source-list": ("source", "list", "--json"),
        "source-check": ("source", "check", "--json"),
        "result-list": ("result", "list", "--json"),
        "result-show": ("result", "show", 1, "--json"),
        "quarantine-list": ("quarantine", "list", "--all", "--json"),
        "quarantine-show": ("quarantine", "show", 1, "--json"),
        "quarantine-retry": ("quarantine", "retry", "--all", "--json"),
        "coverage": ("coverage", "--json"),
        "spread": ("spread", "--json"),
        "schema-list": ("schema", "list", "--json"),
        "schema-check": ("schema", "check", "et.csv.json", "--json"),
        "sink-list": ("sink", "list", "--json"),
        "sink-parked": ("sink", "parked", "--json"),
        "token-new": ("token", "new", "x", "--json"),
        "manual-plan-import": ("manual", "plan", "import", "beta.csv", "--item", "F-*", "--json"),
        "manual-plan-list": ("manual", "plan", "list", "--json"),
        "manual-plan-show": ("manual", "plan", "show", "beta", "--json"),
        "manual-record": ("manual", "record", "a.b", "--item", "F-1-1", "--outcome", "PASSED", "--json"),
        "manual-status": ("manual", "status", "--plan", "beta", "--item", "F-1-1", "--json"),
        **WAIVING,
        "decide": (*("decide", "bash-5.2-1.fc40", "--product-version", "f", "--context", "c"), "--json"),
        "policy-lint": ("policy", "lint", "--json"),
        "policy-explain": ("policy", "explain", "--product-version", "f", "--json"),
        "doctor": ("doctor", "--json"),
        "status": ("status", "--json"),
        "db-check": ("db", "check", "--json"),
        "plugin-list": ("plugin", "list", "--json"),
    }
    (folder / "p.yaml").write_text(GATE)
    with (folder / "ci-results.toml").open("a") as config:
        config.write('[gate]\npolicies = ["p.yaml"]\n')
    (folder / "et.csv.json").write_text('{"item": "a-1-1", "testcase": "a.b"}')
    for name, words in said.items():
        done = ask(*words)
        assert done.stdout, (words, done.stderr)
        value = json.loads(done.stdout)
        assert value or name.startswith("sink-"), words
        holds(f"cli/{name}", value)
    holds("cli/coverage", json.loads(ask("coverage", "--jobs", "--json").stdout))


@pytest.mark.demand("S-031")
def test_what_pages_say_in_json_is_what_their_schemas_say(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    with SqliteStore.open(path) as store:
        bad = [Garbled(raw=b"a\nb", reason="bad", position="line 2"), Garbled(raw=b"\0" * 99, reason="bad")]
        store.commit_page(Page(source="ci", results=[made("1")], quarantine=bad, told={"format": "x"}))
    reader = Reader(path)
    said = {
        "index": overview(reader), "coverage": coverage(reader),
        "quarantine": quarantine(reader, every=True), "quarantined": record(reader, 1),
    }  # fmt: skip
    # Those of manual tests and of gates are held to theirs where they are asked for.
    elsewhere = {"compare", "inbox", "item", "policies", "unknown-item", "waiver"}
    assert set(said) == {name for name in pages() if not name.startswith("manual")} - elsewhere
    for name, value in said.items():
        holds(f"page/{name}", json.loads(json.dumps(value)))
    reader.close()


PAGES = {
    "/": "index", "/coverage": "coverage", "/item/NAME": "item", "/manual": "manual",
    "/manual/PLAN": "manual-plan", "/manual/PLAN/ITEM": "manual-status", "/quarantine": "quarantine",
    "/quarantine/ID": "quarantined", "/compare": "compare", "/inbox": "inbox", "/policies": "policies",
    "/waiver/W-ID": "waiver",
}  # fmt: skip


def test_every_page_of_the_document_has_a_schema_with_its_fields() -> None:
    text = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(/\S*)` \| `/\S+\.json` \| (.+) \|$", text, re.MULTILINE)
    assert {PAGES[path] for path, _fields in rows} == set(pages()) - {"unknown-item"}
    for path, fields in rows:
        if "the columns of" not in fields:
            assert set(re.findall(r"`(\w+)`", fields)) == set(pages()[PAGES[path]]["properties"]), path


texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)
names = texts.filter(lambda name: name and ":" not in name and name.isprintable())
datas = st.dictionaries(names, st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=4)


def made(key: str, **fields: Any) -> Result:
    given = {
        "testcase": "dist.x", "outcome": "PASSED", "item": "bash-5.2-1.fc40", "item_type": "koji_build",
        "data": {},
    }  # fmt: skip
    return Result(source="ci", key=key, **{**given, **fields})


@pytest.mark.demand("S-031")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=datas, note=st.none() | texts, scenario=st.none() | names,
    duration=st.none() | st.floats(0, 1e8),
    time=st.none() | st.datetimes(datetime(1980, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC)),
    run=st.none() | st.builds(Run, key=names, data=st.dictionaries(names, texts, max_size=2)),
)  # fmt: skip
def test_any_result_is_printed_posted_and_kept_as_the_schemas_say(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    data: Any,
    note: Any,
    scenario: Any,
    duration: Any,
    time: Any,
    run: Any,
) -> None:
    seen = Observation(
        key="1", testcase="dist.x", outcome="odd", item="bash-5.2-1.fc40", item_type="koji_build", time=time,
        duration_s=duration, note=note, scenario=scenario, data=data, run=run,
    )  # fmt: skip
    holds("Observation", json.loads(to_raw(seen)))
    one = made("1", data=data, note=note, scenario=scenario, duration_s=duration, submit_time=time, run=run)
    with SqliteStore.open(Path(tempfile.mkdtemp(dir=tmp_path)) / "r.db") as store:
        store.commit_page(Page(source="ci", results=[one]))
        found = store.results(ResultQuery())
    capsys.readouterr()
    print_json(found)
    holds("cli/result-list", json.loads(capsys.readouterr().out))
    holds("NewResult", json.loads(json.dumps(to_body(one, {}))))
    holds("FeedLine", json.loads(to_line(replace(one, submit_time=one.submit_time or NOON), None)))


@pytest.mark.demand("S-031")
def test_a_document_is_checked_from_a_file_and_from_standard_input(ask: Ask, folder: Path) -> None:
    (folder / "r.json").write_text(
        '{"testcase": "a.b", "outcome": "GOOD", "data": {"item": 7}, "note": "\\u001b[2J"}'
    )
    done = ask("schema", "check", "r.json")
    assert done.exit_code == 1
    assert done.stdout.startswith("$.outcome: expected one of PASSED, INFO, FAILED,")
    assert "found 'GOOD'" in done.stdout
    assert "held against NewResult, which it looks like" in done.stderr
    good = ask("schema", "check", "-", input='{"testcase": "a.b", "outcome": "PASSED"}')
    assert (good.exit_code, good.stdout) == (0, "")
    assert ask("schema", "check", "nowhere.json").exit_code == 3
    assert ask("schema", "check", "r.json", "--schema", "Nothing").exit_code == 1


def test_a_document_is_checked_at_its_address(ask: Ask, remote: Lookalike) -> None:
    remote.add(data={"item": ["bash-5.2-1.fc40"]})
    done = ask("schema", "check", f"{remote.url}/results", "--json")
    assert json.loads(done.stdout)["schema"] == "ResultList"
    assert ask("schema", "check", f"{remote.url}/nowhere/at/all").exit_code == 3


def test_a_schema_is_shown_and_can_be_used_by_itself(ask: Ask) -> None:
    shown = json.loads(ask("schema", "show", "Result").stdout)
    Draft202012Validator.check_schema(shown)
    assert "Testcase" in shown["$defs"]
    assert "NewResult" in ask("schema", "list").stdout
