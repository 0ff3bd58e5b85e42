"""A remote ResultsDB is copied whole, once, whatever it does in between."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from resultsdb_lookalike import Fault, Lookalike

from ci_results.collect.progress import SourceReport
from ci_results.domain.search import NameQuery
from ci_results.errors import ConfigError
from ci_results.operations import import_resultsdb as module
from ci_results.operations.import_resultsdb import Copied, Importing, import_resultsdb
from ci_results.operations.quarantine import open_records, retry
from ci_results.operations.reached import Reached
from ci_results.plugin.http import SourceSession
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Run = Callable[..., SourceReport]


@pytest.fixture
def run(remote: Lookalike, store: SqliteStore, plugins: Plugins) -> Run:
    """Import the look-alike: run(source="old")."""

    def importing(**changed: Any) -> SourceReport:
        with SourceSession(remote.url, attempts=1) as http:
            given = {"url": remote.url, "source": "old", "store": store, "plugins": plugins, "http": http}
            return import_resultsdb(Importing(**{"first_pause_s": 0.001, **given, **changed}))

    return importing


def at(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()


def fill(remote: Lookalike, count: int, step: float = 1.0, start: float = 0.0, **fields: Any) -> None:
    for number in range(count):
        remote.add(submit_time=at(start + number * step), data={"item": [f"i{number}"]}, **fields)


def kept(store: SqliteStore) -> dict[int, str]:
    """Return id -> time as text of all that is stored."""
    found = store.results(ResultQuery(limit=10_000))
    return {int(one.key): f"{one.time:%Y-%m-%dT%H:%M:%S}" for one in found}


def pages(remote: Lookalike, collection: str = "results") -> int:
    return sum(f"/{collection}?" in path for _method, path in remote.asked)


def test_everything_is_copied_as_it_was(remote: Lookalike, store: SqliteStore, run: Run) -> None:
    remote.add(
        submit_time="2019-01-02T03:04:05.678901", outcome="NEEDS_INSPECTION", note="ž", ref_url="https://x/1",
        testcase={"name": "rpmlint", "ref_url": "https://docs/rpmlint"},
        groups=[{"uuid": "g1", "description": "nightly", "ref_url": "https://g"}, "g2"],
        data={"b": ["2", "2"], "type": ["koji_build"], "item": ["bash-5.2-1.fc40", "x"], "arch": ["s390x"]},
    )  # fmt: skip
    remote.add(submit_time=at(0), testcase="bare/name", data={})
    remote.testcases["unused"] = None
    report = run()
    assert (report.state, report.counts.stored, report.counts.quarantined) == ("ok", 2, 0)
    out = store.outbox.after(store.outbox.begin("x"), 9).batch
    one, two = out
    assert (one.source, one.key, one.testcase, one.outcome) == ("old", "1", "rpmlint", "NEEDS_INSPECTION")
    assert (one.note, one.ref_url, one.groups) == ("ž", "https://x/1", ("g1", "g2"))
    assert one.submit_time == datetime(2019, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert list(one.data.items()) == [
        ("b", ("2", "2")), ("type", ("koji_build",)), ("item", ("bash-5.2-1.fc40", "x")),
        ("arch", ("s390x",)),
    ]  # fmt: skip
    assert (one.item, one.item_type, one.arch) == ("bash-5.2-1.fc40", "koji_build", "s390x")
    assert (two.testcase, two.data, two.item) == ("bare/name", {}, "")
    assert [one.name for one in store.testcases(NameQuery())] == ["bare/name", "rpmlint", "unused"]
    assert store.testcase("rpmlint").ref_url == "https://docs/rpmlint"
    group = store.group("g1")
    assert (group.description, group.ref_url, group.results) == ("nightly", "https://g", 1)
    assert store.group("g2").description is None


@pytest.mark.demand("S-073")
def test_what_is_imported_is_marked(remote: Lookalike, store: SqliteStore, run: Run, tmp_path: Path) -> None:
    fill(remote, 1)
    run()
    (state,) = store.sources()
    assert (state.name, state.collector, state.url) == ("old", "import", remote.url)
    connection = sqlite3.connect(tmp_path / "results.db")
    rows = connection.execute("select source, key, door, time from result").fetchall()
    connection.close()
    assert rows == [("old", "1", "import", "2024-05-01T12:00:00.000000")]


def test_again_nothing_is_stored_twice_and_only_the_end_is_asked_for(
    remote: Lookalike, store: SqliteStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    fill(remote, 45, step=60)
    assert run().counts.stored == 45
    first = pages(remote)
    remote.asked.clear()
    assert (run().counts.stored, pages(remote)) == (0, 1)
    remote.add(submit_time=at(10_000))
    remote.add(submit_time=at(44 * 60 - 10))  # was being written when the last one was read
    assert run().counts.stored == 2
    assert (len(kept(store)), first) == (47, 5)


def test_since_asks_again(remote: Lookalike, store: SqliteStore, run: Run) -> None:
    fill(remote, 3, step=60)
    run()
    remote.add(submit_time=at(-500))  # late news of long ago
    assert run().counts.stored == 0
    report = run(since=NOON - timedelta(days=1))
    assert (report.counts.stored, report.counts.same) == (1, 3)


def test_more_results_of_one_moment_than_a_page_has_are_copied(
    remote: Lookalike, store: SqliteStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    fill(remote, 5)
    fill(remote, 70, step=0, start=10)
    fill(remote, 5, start=20)
    assert run().counts.stored == 80
    monkeypatch.setattr(module, "MOST_ROWS", 20)
    assert run(source="again").counts.stored == 80
    assert all("page=0" in path for method, path in remote.asked if "limit=80" in path)


def test_a_claim_of_the_future_hides_nothing(remote: Lookalike, store: SqliteStore, run: Run) -> None:
    remote.add(submit_time="2099-01-01T00:00:00")
    fill(remote, 2)
    assert run().counts.stored == 3
    remote.add(submit_time=at(500))
    assert run().counts.stored == 1


def test_what_cannot_be_stored_is_quarantined_and_read_again_when_it_can(
    remote: Lookalike, store: SqliteStore, run: Run, plugins: Plugins
) -> None:
    remote.outcomes.append("CRASHED")
    remote.add(submit_time=at(0), outcome="CRASHED")
    remote.add(submit_time=at(1), note="a\0b")
    remote.add(submit_time=at(2))
    report = run()
    assert (report.state, report.counts.stored, report.counts.quarantined) == ("ok", 1, 2)
    crashed, nul = open_records(store, "old")
    assert (crashed.kind, crashed.door, crashed.key) == ("resultsdb", "import", "1")
    assert "outcome word 'CRASHED' is not known" in crashed.reason
    assert json.loads(nul.raw)["note"] == "a\0b"
    assert run().counts.quarantined == 0
    answers = list(retry([crashed, nul], {}, store, plugins, ["CRASHED"]))
    assert [(one.stored, one.reason) for one in answers] == [
        (1, None), (0, "note: Value error, must not contain NUL"),
    ]  # fmt: skip
    assert sorted(kept(store)) == [1, 3]


@pytest.mark.parametrize(
    "fault", [Fault(503), Fault(500), Fault(drop=True)], ids=["away", "broken", "dropped"]
)
def test_an_outage_in_between_is_waited_for(
    remote: Lookalike, store: SqliteStore, run: Run, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    fill(remote, 95, step=60)
    told: list[Copied] = []
    remote.fault_of = lambda method, path, body: fault if len(remote.asked) % 4 == 0 else None
    report = run(tell=told.append)
    assert (report.state, len(kept(store))) == ("ok", 95)
    assert any("again in" in copied.note for copied in told)


def test_a_remote_that_stays_away_keeps_what_is_reached(
    remote: Lookalike, store: SqliteStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    fill(remote, 35, step=60)
    gone = [False]

    def fault(method: str, path: str, body: Any) -> Fault | None:
        gone[0] = gone[0] or pages(remote) > 2
        return Fault(503) if gone[0] else None

    remote.fault_of = fault
    report = run()
    assert (report.state, report.error is not None, len(kept(store))) == ("unreachable", True, 19)
    assert store.sources()[0].last_error == report.error
    remote.fault_of = lambda method, path, body: None
    asked = len(remote.asked)
    assert run().state == "ok"
    assert (len(kept(store)), store.sources()[0].last_error) == (35, None)
    assert any("since=2024-05-02T05%3A45" in path for _, path in remote.asked[asked:])


def test_it_stops_after_a_page_and_goes_on_from_there(
    remote: Lookalike, store: SqliteStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    fill(remote, 35, step=60, groups=["g"])
    for number in range(25):
        remote.groups[f"g{number}"] = {"description": f"run {number}", "ref_url": None}
    states = []
    for _ in range(20):
        stop = Event()
        states.append(run(stop=stop, tell=lambda copied, stop=stop: stop.set()).state)
        if states[-1] == "ok":
            break
    assert set(states[:-1]) == {"stopped"}
    assert states[-1] == "ok" or len(kept(store)) < 35
    assert run().state == "ok"
    assert (len(kept(store)), store.group("g0").description) == (35, "run 0")


def test_groups_are_walked_whole_once_and_then_to_the_last_known(
    remote: Lookalike, store: SqliteStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 10)
    for number in range(35):
        remote.groups[f"g{number}"] = {"description": f"run {number}", "ref_url": None}
    run()
    assert pages(remote, "groups") == 4
    remote.asked.clear()
    for number in range(35, 50):
        remote.groups[f"g{number}"] = {"description": f"run {number}", "ref_url": None}
    run()
    assert pages(remote, "groups") == 2
    assert len(store.groups(NameQuery(limit=100))) == 50


def test_a_source_of_another_kind_or_remote_is_refused(
    remote: Lookalike, store: SqliteStore, run: Run
) -> None:
    run()
    with pytest.raises(ConfigError, match=r"imported from http://127.*: give another name with --source"):
        run(url="http://127.0.0.1:9/api/v2.0")
    store.note_attempt("api", None)
    with pytest.raises(ConfigError, match="source api holds results of api: give another name"):
        run(source="api")


def test_something_else_is_no_resultsdb(remote: Lookalike, run: Run) -> None:
    remote.fault_of = lambda method, path, body: Fault(200, body=b'{"data": 7}')
    report = run()
    assert report.state == "garbled"
    assert report.error is not None
    assert "no page of ResultsDB's" in report.error


def test_two_imports_into_one_source_do_not_meet(store: SqliteStore, run: Run) -> None:
    with store.lease("other"):
        run()
    with store.lease("old"):
        assert run().state == "busy"


def test_the_place_that_is_reached_is_a_text_and_back() -> None:
    reached = Reached(since=NOON, known="g1", page=3, newest="g9")
    assert Reached.from_text(reached.to_text()) == reached
    assert Reached.from_text(None) == Reached.from_text("{}") == Reached()
    assert reached.after_results(NOON - timedelta(1)) == reached
