from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_results.collect.source import Source
from ci_results.operations.harvest import harvest
from ci_results.operations.quarantine import open_records, retry
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore


def source(plugins: Plugins, path: Path, jobs: tuple[str, ...] = (), **fields: Any) -> Source:
    collector = plugins.collectors["scripted"]
    return Source(
        name="one", collector=collector, options=collector.options(script=str(path), jobs=jobs), **fields
    )


ODD = (
    {
        "see": {
            "key": "1",
            "outcome": "WOBBLY",
            "time": "2026-01-02T03:04:05+00:00",
            "data": {"a": ["x", "y"]},
        }
    },
    {"see": {"key": "2", "outcome": "STRANGE", "run": "tier1#7"}},
    {"garbled": "smoke"},
    {"checkpoint": ""},
)


@pytest.mark.demand("S-030")
def test_a_record_is_stored_after_its_outcome_word_is_mapped(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    path = script("one", *ODD)
    harvest([source(plugins, path)], store, plugins)
    assert len(open_records(store)) == 3
    mended = source(plugins, path, outcomes={"wobbly": "NEEDS_INSPECTION"})
    answers = {answer.key: answer for answer in retry(open_records(store), {"one": mended}, store, plugins)}
    assert {key: answer.stored for key, answer in answers.items()} == {"1": 1, "tier1#7 2": 0, "smoke": 0}
    (result,) = store.results(ResultQuery())
    assert (result.outcome, result.key, result.data["a"]) == ("NEEDS_INSPECTION", "1", ["x", "y"])
    closed = store.quarantined_record(answers["1"].id)
    assert closed.resolution == "stored 1 result"
    assert len(open_records(store)) == 2


def test_what_stays_refused_says_what_is_wrong_today(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    path = script("one", *ODD)
    harvest([source(plugins, path)], store, plugins)
    mended = source(plugins, path, outcomes={"strange": "PASSED"})
    answers = retry(open_records(store), {"one": mended}, store, plugins)
    reasons = {answer.key: answer.reason for answer in answers}
    assert "WOBBLY" in (reasons["1"] or "")
    assert reasons["tier1#7 2"] is None
    assert reasons["smoke"] == "still cannot read smoke"


def test_a_collector_reads_a_record_of_its_own_again(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    path = script("one", ODD[2], ODD[3])
    harvest([source(plugins, path)], store, plugins)
    mended = source(plugins, path, jobs=("smoke",))
    (answer,) = retry(open_records(store), {"one": mended}, store, plugins)
    assert answer.stored == 1
    assert store.results(ResultQuery())[0].testcase == "scripted.smoke"


def test_a_record_of_a_removed_source_stays(plugins: Plugins, store: SqliteStore, script: Any) -> None:
    harvest([source(plugins, script("one", ODD[2], ODD[3]))], store, plugins)
    (answer,) = retry(open_records(store), {}, store, plugins)
    assert answer.reason == "source one is not configured any more"


def test_a_closed_record_is_not_stored_twice(plugins: Plugins, store: SqliteStore, script: Any) -> None:
    path = script("one", ODD[0], ODD[3])
    harvest([source(plugins, path)], store, plugins)
    mended = source(plugins, path, outcomes={"wobbly": "FAILED"})
    list(retry(open_records(store), {"one": mended}, store, plugins))
    (answer,) = retry([store.quarantined_record(1)], {"one": mended}, store, plugins)
    assert answer.reason == "is closed already: stored 1 result"


def test_more_open_records_than_one_step_are_all_found(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    lines = [{"see": {"key": str(number), "outcome": "ODD"}} for number in range(50)]
    harvest([source(plugins, script("one", *lines, {"checkpoint": ""}))], store, plugins)
    assert len(open_records(store, step=3)) == 50
