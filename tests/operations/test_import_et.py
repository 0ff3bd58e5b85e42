"""Old verdicts of the Errata Tool come once, with their times, and never as fresh evidence."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.stored import SourceState
from ci_results.errors import ConfigError, InvalidError
from ci_results.operations import import_et as module
from ci_results.operations.import_et import SOURCE, Loaded, Reading, import_et
from ci_results.operations.quarantine import open_records, retry
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

HEAD = "item,testcase,outcome,time,id,advisory,old_item,waived_by\n"
ROWS = (
    "ipa-4.5.4-5.el7,dist.rpmdiff,PASSED,2019-03-07T12:30:00+01:00,81,RHBA-2019:1,ipa-4.5.4-4.el7,\n"
    "ipa-4.5.4-5.el7,dist.tps,GOOD,2019-03-07 12:40:00,82,,,\n"
    "ipa-4.5.4-5.el7,dist.covscan,Waived,2019-03-07T12:50:00Z,83,,,jane\n"
)


def load(store: SqliteStore, plugins: Plugins, text: str, **fields: object) -> Loaded:
    reading = Reading(plugins=plugins, **fields)  # type: ignore[arg-type]
    return import_et(io.BytesIO(text.encode()), "et.csv", store, reading)


@pytest.mark.demand("S-073")
def test_a_verdict_keeps_its_time_and_is_marked(store: SqliteStore, plugins: Plugins) -> None:
    assert load(store, plugins, HEAD + ROWS).counts.stored == 3
    (result,) = store.results(ResultQuery(testcase="dist.rpmdiff"))
    assert result.time == datetime(2019, 3, 7, 11, 30, tzinfo=UTC)
    assert (result.source, result.outcome, result.data["imported"]) == (SOURCE, "PASSED", ["et"])
    assert (result.data["oldnvr"], result.data["advisory"]) == (["ipa-4.5.4-4.el7"], ["RHBA-2019:1"])
    (waived,) = store.results(ResultQuery(testcase="dist.covscan"))
    assert (waived.outcome, waived.data["waived_by"]) == ("NEEDS_INSPECTION", ["jane"])
    (state,) = store.sources()
    assert (state.name, state.collector) == (SOURCE, "import")


@pytest.mark.demand("S-073")
def test_an_old_verdict_is_never_newer_than_a_result_of_ours(store: SqliteStore, plugins: Plugins) -> None:
    ours = Result(
        source="ci", key="1", testcase="dist.tps", outcome="FAILED", item="ipa-4.5.4-5.el7",
        item_type="koji_build", submit_time=datetime(2020, 1, 1, tzinfo=UTC), data={},
    )  # fmt: skip
    store.commit_page(Page(source="ci", results=[ours]))
    load(store, plugins, HEAD + ROWS)
    (latest,) = store.results(ResultQuery(testcase="dist.tps", latest=True))
    assert latest.outcome == "FAILED"


@pytest.mark.demand("S-073")
@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("", "row has no time"),
        ((datetime.now(UTC) + timedelta(days=3)).isoformat(), "time is in the future"),
        ("soon", "time is none that can be read: 'soon'"),
    ],
    ids=["no time", "to come", "no moment"],
)
def test_what_would_count_as_new_is_quarantined(
    store: SqliteStore, plugins: Plugins, time: str, reason: str
) -> None:
    loaded = load(store, plugins, f"{HEAD}a-1-1,dist.x,PASSED,{time},1,,,\n")
    assert (loaded.counts.stored, loaded.counts.quarantined) == (0, 1)
    (record,) = open_records(store)
    assert reason in record.reason
    assert (record.position, record.kind, record.door) == ("line 2", "et", "import")


@pytest.mark.demand("S-073")
def test_the_same_file_again_stores_nothing(store: SqliteStore, plugins: Plugins) -> None:
    rows = HEAD + ROWS + "a-1-1,dist.x,PASSED,2019-01-01,,,,\n" + "a-1-1,dist.x,ODD,2019-01-01,,,,\n"
    first, again = load(store, plugins, rows), load(store, plugins, rows)
    assert (first.counts.stored, first.counts.quarantined) == (4, 1)
    assert (again.counts.stored, again.counts.same, again.counts.quarantined) == (0, 4, 0)
    assert len(open_records(store)) == 1


def test_two_verdicts_of_one_moment_are_both_kept(store: SqliteStore, plugins: Plugins) -> None:
    rows = "".join(f"a-1-1,dist.x,{word},2019-01-01,,,,\n" for word in ("PASSED", "FAILED"))
    assert load(store, plugins, HEAD + rows).counts.stored == 2


def test_a_row_is_read_again_after_its_word_is_mapped(store: SqliteStore, plugins: Plugins) -> None:
    load(store, plugins, HEAD + "a-1-1,dist.x,Retried_Later,2019-01-01,7,,,\n")
    (before,) = retry(open_records(store), {}, store, plugins)
    assert "'retried later' of source import-et is not known" in (before.reason or "")
    words = {"Retried Later": "NEEDS_INSPECTION"}
    (answer,) = retry(open_records(store), {}, store, plugins, et_words=words)
    assert (answer.stored, answer.reason) == (1, None)
    (result,) = store.results(ResultQuery())
    assert (result.outcome, result.data["imported"]) == ("NEEDS_INSPECTION", ["et"])
    again = load(store, plugins, HEAD + "a-1-1,dist.x,Retried_Later,2019-01-01,7,,,\n", words=words)
    assert again.counts.same == 1


def test_a_broken_row_says_to_mend_the_file(store: SqliteStore, plugins: Plugins) -> None:
    load(store, plugins, HEAD + 'a-1-1,"dist".x,PASSED,2019-01-01,,,,\n')
    (answer,) = retry(open_records(store), {}, store, plugins)
    assert "mend the file, then: ci-results import et FILE" in (answer.reason or "")


def test_a_word_of_the_configuration_is_taken(store: SqliteStore, plugins: Plugins) -> None:
    rows = HEAD + "a-1-1,dist.x,HALF_DONE,2019-01-01,,,,\n"
    assert load(store, plugins, rows, vocabulary=("HALF_DONE",)).counts.stored == 1
    with pytest.raises(ConfigError, match=r"\[import.et\] outcomes: .*'NONSENSE'"):
        load(store, plugins, rows, words={"odd": "NONSENSE"})


def test_what_is_no_table_leaves_no_trace(store: SqliteStore, plugins: Plugins) -> None:
    with pytest.raises(InvalidError, match="does not name"):
        load(store, plugins, "hello\n")
    assert store.sources() == []


def test_a_source_of_that_name_that_is_no_import_is_left_alone(store: SqliteStore, plugins: Plugins) -> None:
    store.register_source(SourceState(name=SOURCE, collector="jenkins"))
    with pytest.raises(ConfigError, match="holds results of jenkins"):
        load(store, plugins, HEAD + ROWS)


def test_an_import_that_is_stopped_goes_on_later(
    store: SqliteStore, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    rows = "".join(f"a-1-{n},dist.x,PASSED,2019-01-01,{n},,,\n" for n in range(35))
    stop, told = Event(), []

    def tell(loaded: Loaded) -> None:
        told.append(loaded.rows)
        if loaded.rows == 20:
            stop.set()

    stream = io.BytesIO((HEAD + rows).encode())
    loaded = import_et(stream, "et.csv", store, Reading(plugins=plugins), stop=stop, tell=tell)
    assert (loaded.stopped, loaded.counts.stored, told) == (True, 20, [10, 20])
    done = load(store, plugins, HEAD + rows)
    assert (done.counts.stored, done.counts.same, done.stopped) == (15, 20, False)
