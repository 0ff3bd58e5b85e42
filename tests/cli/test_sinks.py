"""The command line and its sinks: deliver, list, check, parked, retry, doctor."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from resultsdb_lookalike import Fault, Lookalike

Ask = Callable[..., Result]
LINES: list[dict[str, Any]] = [
    {"see": {"key": "1", "outcome": "SUCCESS", "time": "2026-01-02T03:04:05+00:00"}},
    {"see": {"key": "2", "outcome": "FAILURE", "testcase": "scripted.boot"}},
    {"see": {"key": "3", "outcome": "SUCCESS", "testcase": "scripted.odd"}},
    {"checkpoint": ""},
]


@pytest.fixture
def harvested(ask: Ask, configured: Any, folder: Path, remote: Lookalike) -> Ask:
    """A command line with three results, and two sinks: the look-alike, and one where nobody is."""
    configured(one=LINES)
    with (folder / "ci-results.toml").open("a") as file:
        file.write(f'\n[sink.far]\nkind = "resultsdb"\nurl = "{remote.url}"\n')
        file.write('[sink.gone]\nkind = "resultsdb"\nurl = "http://127.0.0.1:9/api/v2.0"\nretries = 0\n')
    assert ask("harvest").exit_code == 0
    return ask


@pytest.mark.demand("S-038")
def test_a_delivery_says_one_line_a_sink_and_the_next_command(harvested: Ask, remote: Lookalike) -> None:
    done = harvested("deliver")
    assert done.exit_code == 2
    far, gone = done.stdout.splitlines()
    assert far.startswith("sink=far state=ok sent=3 parked=0 passed=0 waiting=0 seconds=")
    assert gone.startswith("sink=gone state=unreachable sent=0 parked=0 passed=0 waiting=3 ")
    assert "refused" in gone
    assert done.stderr.splitlines()[0] == "1 of 2 sinks complete, 3 results sent, 0 parked"
    assert done.stderr.splitlines()[-1] == "next: ci-results sink check gone · ci-results sink list"
    assert len(remote.results) == 3


@pytest.mark.parametrize(("names", "code"), [(("far",), 0), ((), 2), (("gone",), 3)])
def test_the_exit_code_tells_all_some_and_none_apart(
    harvested: Ask, names: tuple[str, ...], code: int
) -> None:
    assert harvested("deliver", *names).exit_code == code


def test_a_delivery_in_json_has_every_count(harvested: Ask) -> None:
    (report,) = json.loads(harvested("deliver", "far", "--json").stdout)
    assert (report["sink"], report["state"], report["sent"], report["waiting"]) == ("far", "ok", 3, 0)


def test_sinks_are_listed_with_what_waits(harvested: Ask) -> None:
    before = json.loads(harvested("sink", "list", "--json").stdout)
    assert [(row["sink"], row["kind"], row["state"], row["waiting"]) for row in before] == [
        ("far", "resultsdb", "new", 3), ("gone", "resultsdb", "new", 3),
    ]  # fmt: skip
    harvested("deliver")
    done = harvested("sink", "list")
    far, gone = done.stdout.splitlines()[1:]
    assert far.split()[:5] == ["far", "resultsdb", "ok", "0", "0"]
    assert gone.split()[:4] == ["gone", "resultsdb", "bad", "3"]
    assert "gone: http://127.0.0.1:9/api/v2.0/results: [Errno 111]" in done.stderr


def test_a_sink_that_left_the_configuration_is_still_shown(harvested: Ask, folder: Path) -> None:
    harvested("deliver", "far")
    path = folder / "ci-results.toml"
    path.write_text(path.read_text().replace("[sink.far]", "[sink.near]"))
    rows = json.loads(harvested("sink", "list", "--json").stdout)
    assert [(row["sink"], row["state"], row["sent"]) for row in rows] == [
        ("near", "new", 0), ("gone", "new", 0), ("far", "removed", 3),
    ]  # fmt: skip


def test_without_sinks_each_command_says_what_to_write(ask: Ask, configured: Any) -> None:
    configured(one=LINES)
    assert "[sink.NAME]" in ask("sink", "list").stderr
    assert ask("deliver").exit_code == 3
    assert "no sink is configured; write [sink.NAME]" in ask("deliver").stderr


def test_sinks_are_checked_without_a_result_sent(harvested: Ask, remote: Lookalike) -> None:
    done = harvested("sink", "check")
    assert (done.exit_code, remote.results) == (2, [])
    assert done.stdout.splitlines()[:3] == [
        "far: ok",
        "  a ResultsDB that knows PASSED, INFO, FAILED, NEEDS_INSPECTION, ERROR, QUEUED, RUNNING",
        "  is well",
    ]
    assert harvested("sink", "check", "far").exit_code == 0
    assert harvested("sink", "check", "gone", "--json").exit_code == 1


def test_what_is_refused_is_parked_shown_and_retried(harvested: Ask, remote: Lookalike) -> None:
    def refuse(method: str, path: str, body: Any) -> Fault | None:
        odd = body is not None and body["testcase"] == "scripted.odd"
        return Fault(400, body=b'{"message": "not\\u001b[2J here"}') if odd else None

    remote.fault_of = refuse
    done = harvested("deliver", "far")
    assert (done.exit_code, len(remote.results)) == (2, 2)
    assert "next: ci-results sink parked · ci-results sink retry --all" in done.stderr
    shown = harvested("sink", "parked", "far").stdout
    assert "scripted.odd" in shown
    assert "HTTP 400: not?[2J here" in shown
    (record,) = json.loads(harvested("sink", "parked", "--json").stdout)
    assert harvested("sink", "retry", record["id"]).exit_code == 1
    assert json.loads(harvested("sink", "parked", "--json").stdout)[0]["tries"] == 2
    remote.fault_of = lambda method, path, body: None
    again = harvested("sink", "retry", "--sink", "far")
    assert (again.exit_code, again.stdout) == (0, f"{record['id']}: sent  scripted.odd\n")
    assert [one["testcase"] for one in remote.results][-1] == "scripted.odd"
    assert harvested("sink", "parked", "--json").stdout == "[]\n"
    assert harvested("sink", "retry", "4711").exit_code == 1
    assert "give IDs, --sink NAME or --all" in harvested("sink", "retry").stderr


def test_doctor_shows_the_backlog(harvested: Ask) -> None:
    harvested("deliver")
    said = harvested("doctor").stdout
    assert "sink gone: 3 results wait since " in said
    assert "sinks: 1 of 2 keep up" in said
