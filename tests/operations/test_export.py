from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from junitparser import JUnitXml

from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.operations.export import all_results, export_junit, export_lines
from ci_results.operations.report import About, report
from ci_results.plugin.manager import Plugins
from ci_results.query import results as query_limits
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

TIME = datetime(2026, 1, 2, tzinfo=UTC)


def fill(store: SqliteStore, *outcomes: str, note: str | None = None) -> None:
    results = [
        Result(
            source="one",
            key=str(number),
            testcase=f"dist.t{number}",
            outcome=outcome,
            item="bash-5.2-1.fc40",
            item_type="koji_build",
            submit_time=TIME + timedelta(seconds=number),
            note=note,
            data={},
        )
        for number, outcome in enumerate(outcomes)
    ]
    store.commit_page(Page(source="one", results=results))


def written(store: SqliteStore) -> JUnitXml:
    target = io.BytesIO()
    export_junit(all_results(store, ResultQuery()), target)
    return JUnitXml.fromstring(target.getvalue())


def test_no_outcome_but_passed_and_info_looks_passed(store: SqliteStore) -> None:
    words = ("PASSED", "INFO", "FAILED", "NEEDS_INSPECTION", "ERROR", "RUNNING", "QUEUED", "CRASHED")
    fill(store, *words)
    (suite,) = written(store)
    kinds = {case.name: [type(each).__name__ for each in case.result] for case in suite}
    assert kinds == {
        "t0": [], "t1": [], "t2": ["Failure"], "t3": ["Failure"], "t4": ["Error"], "t5": ["Skipped"],
        "t6": ["Skipped"], "t7": ["Error"],
    }  # fmt: skip
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (8, 2, 2, 2)


def test_a_hostile_note_is_written_as_text(store: SqliteStore) -> None:
    fill(store, "FAILED", note="]]><boom/>\x1b[2J \ufffe &amp; ünï")
    (suite,) = written(store)
    (case,) = suite
    assert case.result[0].text == "]]><boom/>?[2J ? &amp; ünï"


def test_what_is_exported_is_read_back_with_the_same_outcomes(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    fill(store, "PASSED", "FAILED", "ERROR")
    path = tmp_path / "out.xml"
    with path.open("wb") as target:
        assert export_junit(all_results(store, ResultQuery()), target) == 3
    with SqliteStore.open(tmp_path / "other.db") as other:
        about = About(item="bash-5.2-1.fc40", prefix="again")
        list(report([str(path)], about, other, plugins))
        outcomes = {one.testcase.rpartition(".")[2]: one.outcome for one in other.results(ResultQuery())}
    assert {name: outcomes[name] for name in ("t0", "t1", "t2")} == {
        "t0": "PASSED",
        "t1": "FAILED",
        "t2": "ERROR",
    }


def test_all_results_go_past_the_limit_of_a_query(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results.operations.export.MAX_LIMIT", 3)
    assert query_limits.MAX_LIMIT > 3
    fill(store, *["PASSED"] * 10)
    assert [one.key for one in all_results(store, ResultQuery())] == [
        str(number) for number in range(9, -1, -1)
    ]


def test_json_lines_hold_every_field(store: SqliteStore) -> None:
    fill(store, "PASSED")
    target = io.BytesIO()
    assert export_lines(all_results(store, ResultQuery()), target) == 1
    line = json.loads(target.getvalue())
    assert (line["outcome"], line["testcase"], line["time"]) == ("PASSED", "dist.t0", "2026-01-02T00:00:00Z")
