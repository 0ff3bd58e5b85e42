from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from ci_results.collect.progress import Progress, State
from ci_results.collect.source import Source
from ci_results.operations.harvest import Reach, harvest, reach
from ci_results.plugin.manager import Plugins
from ci_results.plugin.token import Token
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

THREE = (
    {"see": {"key": "1", "outcome": "SUCCESS"}},
    {"see": {"key": "2", "outcome": "FAILURE"}},
    {"checkpoint": ""},
    {"see": {"key": "3", "outcome": "SUCCESS"}},
    {"checkpoint": ""},
)


def source(plugins: Plugins, path: Path, name: str = "one", **fields: Any) -> Source:
    collector = plugins.collectors["scripted"]
    return Source(name=name, collector=collector, options=collector.options(script=str(path)), **fields)


def test_a_second_harvest_stores_nothing(plugins: Plugins, store: SqliteStore, script: Any) -> None:
    one = source(plugins, script("one", *THREE))
    (first,) = harvest([one], store, plugins)
    (second,) = harvest([one], store, plugins)
    assert (first.state, first.counts.stored) == (State.OK, 3)
    assert (second.state, second.counts.stored, second.pages) == (State.OK, 0, 0)


def test_a_repeat_from_the_start_stores_nothing_either(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    one = source(plugins, script("one", *THREE))
    harvest([one], store, plugins)
    store.forget_source("one")
    (again,) = harvest([one], store, plugins)
    assert (again.counts.stored, again.counts.same) == (0, 3)


@pytest.mark.demand("S-015")
def test_a_dead_source_stops_no_other_and_keeps_its_last_good_time(
    plugins: Plugins, store: SqliteStore, script: Any, tmp_path: Path
) -> None:
    mortal = script("mortal", *THREE)
    sources = [
        source(plugins, script("a", *THREE), "a"),
        source(plugins, mortal, "mortal"),
        source(plugins, script("c", *THREE), "c"),
    ]
    harvest(sources, store, plugins)
    died = mortal.rename(tmp_path / "away")
    reports = harvest(sources, store, plugins)
    assert [report.state for report in reports] == [State.OK, State.UNREACHABLE, State.OK]
    assert reach(reports) is Reach.SOME
    assert reports[1].last_ok is not None
    assert "no route to host" in (reports[1].error or "")
    state = next(state for state in store.sources() if state.name == "mortal")
    assert state.last_ok == reports[1].last_ok
    assert state.last_error is not None
    assert len(store.results(ResultQuery(source="mortal"))) == 3

    more = died.rename(mortal)
    more.write_text(more.read_text() + '{"see": {"key": "4", "outcome": "SUCCESS"}}\n{"checkpoint": ""}\n')
    reports = harvest(sources, store, plugins)
    assert (reports[1].state, reports[1].counts.stored, reports[1].counts.same) == (State.OK, 1, 0)


def test_when_all_are_dead_none_is_reached(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    sources = [source(plugins, tmp_path / name, name) for name in ("a", "b")]
    assert reach(harvest(sources, store, plugins)) is Reach.NONE


def test_a_plugin_with_a_bug_is_named_and_the_others_go_on(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    sources = [
        source(plugins, script("a", *THREE, {"bug": "number"}), "a"),
        source(plugins, script("b", *THREE), "b"),
    ]
    broken, fine = harvest(sources, store, plugins)
    assert broken.state is State.BROKEN
    assert broken.error == "ci-results-scripted: harvest of a: KeyError: 'number'"
    assert broken.counts.stored == 3
    assert fine.ok


def test_rows_before_a_failure_are_kept_and_the_cursor_stays(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    path = script("one", *THREE[:3], {"see": {"key": "3", "outcome": "SUCCESS"}}, {"refused": "HTTP 403"})
    (report,) = harvest([source(plugins, path)], store, plugins)
    assert (report.state, report.counts.stored) == (State.REFUSED, 3)
    assert store.cursor("one") == "3"


def test_a_source_that_goes_away_in_between_is_asked_again(
    plugins: Plugins, store: SqliteStore, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results.collect.harvest.FIRST_PAUSE_S", 0.01)
    path = script("one", *THREE[:3], {"away": "HTTP 503"}, *THREE[3:])
    told: list[Progress] = []

    def mend(progress: Progress) -> None:
        told.append(progress)
        if progress.state is State.WAITING:
            path.write_text(path.read_text().replace("away", "gone"))

    (report,) = harvest([source(plugins, path)], store, plugins, tell=mend)
    assert (report.state, report.counts.stored) == (State.OK, 3)
    assert [progress.note for progress in told if progress.state is State.WAITING] == [
        "HTTP 503; again in 0 s"
    ]


def test_two_harvests_of_one_source_at_once_are_refused(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    one = source(plugins, script("one", *THREE))
    with store.lease("one"):
        (report,) = harvest([one], store, plugins)
    assert report.state is State.BUSY
    assert "another harvest of source one is running" in (report.error or "")
    assert harvest([one], store, plugins)[0].counts.stored == 3


def test_a_stop_ends_at_a_checkpoint(
    plugins: Plugins, store: SqliteStore, script: Any, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    path = script("one", {"touch": str(begun)}, {"sleep": 0.3}, *THREE)
    stop = Event()

    def interrupt() -> None:
        while not begun.exists():
            stop.wait(0.01)
        stop.set()

    Thread(target=interrupt).start()
    (report,) = harvest([source(plugins, path)], store, plugins, stop=stop)
    assert (report.state, report.counts.stored) == (State.STOPPED, 2)
    assert store.cursor("one") == "5"
    assert reach([report]) is Reach.SOME
    (rest,) = harvest([source(plugins, path)], store, plugins)
    assert (rest.state, rest.counts.stored) == (State.OK, 1)


def test_a_dry_run_counts_and_writes_nothing(plugins: Plugins, store: SqliteStore, script: Any) -> None:
    one = source(
        plugins, script("one", *THREE, {"garbled": "smoke"}, {"see": {"key": "5", "outcome": "ODD"}})
    )
    before = list(store.dump())
    (report,) = harvest([one], store, plugins, dry_run=True)
    assert (report.state, report.counts.stored, report.counts.quarantined) == (State.OK, 3, 2)
    assert list(store.dump()) == before
    assert store.cursor("one") is None
    assert store.sources() == []


def test_an_unknown_outcome_is_quarantined_with_its_reason(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    path = script("one", *THREE, {"see": {"key": "4", "outcome": "WOBBLY"}}, {"checkpoint": ""})
    (report,) = harvest([source(plugins, path)], store, plugins)
    assert (report.ok, report.counts.stored, report.counts.quarantined) == (True, 3, 1)
    (record,) = store.quarantined()
    assert (record.kind, record.key) == ("observation", "4")
    assert "WOBBLY" in record.reason
    assert report.reasons == {record.reason: 1}


def test_jobs_reach_the_store_with_their_checkpoint(
    plugins: Plugins, store: SqliteStore, script: Any
) -> None:
    path = script("one", {"checkpoint": "", "jobs": [{"name": "quiet", "last_build": None}]})
    harvest([source(plugins, path)], store, plugins)
    assert [(job.job, job.coverage) for job in store.jobs("one")] == [("quiet", "silent")]


def test_a_missing_token_fails_its_source_alone(
    plugins: Plugins, store: SqliteStore, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    poor = source(plugins, script("a", *THREE), "a", token=Token(env="NO_SUCH_TOKEN"))
    failed, fine = harvest([poor, source(plugins, script("b", *THREE), "b")], store, plugins)
    assert failed.state is State.REFUSED
    assert "NO_SUCH_TOKEN" in (failed.error or "")
    assert fine.ok
