"""A store is made anew of its feed: the same facts, whatever happened to the feed and to who replays it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import gated
import pytest
from history import live
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ci_results.domain.bus_message import BusMessage
from ci_results.domain.delivery import START
from ci_results.domain.happening import ALL_KINDS
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.errors import ConflictError, NotFoundError, StoreError
from ci_results.operations.export_feed import export_feed
from ci_results.operations.feeds import feeds_at
from ci_results.operations.follow import Following, follow_once
from ci_results.operations.gate import Gate
from ci_results.operations.replay import Replayed, Replaying, difference, digest_of, replay
from ci_results.query.results import ResultQuery
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings, deliver_to
from ci_results.sinks.jsonlines import JsonLines, Options
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import grant
from ci_results.waive.chain import faults
from ci_results.wire.feed_schemas import SCHEMA

EXAMPLES = int(os.environ.get("CI_RESULTS_REPLAY_EXAMPLES", "6"))
"""Histories that are replayed."""

VALIDATOR = Draft202012Validator(SCHEMA)

VIEWS = (
    "result", "latest_result", "testcase", "daily", "daily_testcase", "waiver_event",
    "active_waiver", "expectation", "decision", "provenance", "prune",
)  # fmt: skip
FEW = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def stores() -> Iterator[tuple[SqliteStore, SqliteStore, Path]]:
    """Give two new stores and a place for a feed."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        with SqliteStore.open(path / "old.db") as old, SqliteStore.open(path / "new.db") as new:
            yield old, new, path / "feed.jsonl"


def again(store: Store, *feeds: Path, **how: Any) -> Replayed:
    """Replay feeds into a store."""
    found = feeds_at([str(feed) for feed in feeds], lambda: io.BytesIO())
    return replay(Replaying(store=store, feeds=found, **how))


def rows(store: Store, view: str) -> list[Any]:
    """Return what a public view shows, in some order of its own; attributes too have none."""
    some = " where results > 0" if view.startswith("daily") else ""  # none are left of what was superseded
    found = store.outbox._ask(f"select * from {view}{some}", {})
    begin = 1 if view == "testcase" else 0  # its number there is that of its creation, and no fact
    return sorted(repr([_parsed(value) for value in row[begin:]]) for row in found)


def put_aside(store: Store) -> list[Any]:
    """Return what is in the quarantine; how often a record came is told by nobody."""
    return [replace(each, seen=0) for each in store.quarantined(limit=999, open_only=False)]


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        return sorted(json.loads(value).items())
    return round(value, 6) + 0.0 if isinstance(value, float) else value


def same(old: Store, new: Store, but: str = "") -> None:
    """Hold a store against the one that its feed was written by."""
    assert difference(old, new) is None
    assert list(new.check()) == []
    assert list(faults(new.waivers.events(), new.waivers.head(), {})) == []
    for view in VIEWS:
        assert view == but or rows(new, view) == rows(old, view), view
    assert put_aside(new) == put_aside(old)
    digests = "select id, digest, identity from _result order by id"
    assert new.outbox._ask(digests, {}) == old.outbox._ask(digests, {})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Give the URL of an empty place by its name, on each kind of store."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:{tmp_path / name}.db"
    found: Callable[[str], str] = request.getfixturevalue("postgresql")
    return found


@pytest.mark.demand("S-039")
@given(seed=st.integers(0, 2**32), steps=st.integers(0, 60))
@FEW
def test_any_history_comes_back_as_it_was(seed: int, steps: int) -> None:
    with stores() as (old, new, feed):
        live(old, seed, steps)
        written = export_feed(old, feed)
        done = again(new, feed)
        assert (done.damaged, done.whole, dict(done.new)) == (0, True, written.lines)
        same(old, new)


@pytest.mark.demand("S-039")
@pytest.mark.parametrize("other", ["sqlite", "postgresql"])
@pytest.mark.needs("postgresql")
def test_a_history_comes_back_on_postgresql_and_from_it(
    other: str, postgresql: Callable[[str], str], tmp_path: Path
) -> None:
    feed = tmp_path / "feed.jsonl"
    for seed in range(max(1, EXAMPLES // 6)):
        urls = [f"sqlite:{tmp_path / f'{seed}.db'}", postgresql(f"{seed}")]
        old_url, new_url = urls if other == "sqlite" else reversed(urls)
        with open_store(old_url) as old, open_store(new_url) as new:  # type: ignore[attr-defined]
            live(old, seed, 40)
            feed.unlink(missing_ok=True)
            export_feed(old, feed)
            assert again(new, feed).damaged == 0
            assert difference(old, new) is None
            assert list(new.check()) == []


@pytest.mark.demand("S-039")
def test_a_store_goes_on_after_it_was_replayed(place: Callable[[str], str], tmp_path: Path) -> None:
    with open_store(place("old")) as old, open_store(place("new")) as new:  # type: ignore[attr-defined]
        live(old, 5, 40)
        export_feed(old, tmp_path / "feed.jsonl")
        again(new, tmp_path / "feed.jsonl")
        harvested = [result("late", outcome="failed", note="oops"), result("later")]
        for store in (old, new):
            store.commit_page(Page(source="ci", results=harvested))
            store.waivers.append([grant()])
            store.commit_page(Page(source="ci", groups={"u1": {"description": "last"}}))
        alike = ["seq", "id"]
        kept = [
            [{name: fact.get(name) for name in (*alike, "fact")} for fact in map(json.loads, store.dump())]
            for store in (old, new)
        ]
        assert kept[0] == kept[1]
        assert list(new.check()) == []
        live(new, 6, 20)
        assert list(new.check()) == []
        assert list(faults(new.waivers.events(), new.waivers.head(), {})) == []


def _by(key: str, bus: str, *results: Result) -> Page:
    told = BusMessage(
        key=key, topic="org.example.ci", mapping="ci_messages@1", transport=bus, results=len(results),
        raw=zlib.compress(b"{}"), digest="00", size=2,
    )  # fmt: skip
    return Page(source="ci", door="message", results=results, messages=[told])


NOTHING_NEW = {
    "the same message by another bus": (_by("m1", "one", result("k1")), _by("m1", "two", result("k1"))),
    "another message of the same": (_by("m1", "one", result("k1")), _by("m2", "two", result("k1"))),
    "a message of what was harvested": (
        Page(source="ci", results=[result("k1")]),
        _by("m1", "one", result("k1")),
        _by("m1", "two", result("k1")),
    ),
    "a message of what two commits brought": (
        Page(source="ci", results=[result("k1")]),
        _by("m1", "one", result("k2")),
        _by("m2", "two", result("k1"), result("k2"), result("k3")),
    ),
    "a message without a result": (_by("m1", "one"), _by("m1", "two")),
}


@pytest.mark.demand("S-039", "S-114")
@pytest.mark.parametrize("pages", NOTHING_NEW.values(), ids=NOTHING_NEW)
def test_a_message_that_brings_nothing_new_comes_back_with_all_who_brought_it(
    pages: tuple[Page, ...], place: Callable[[str], str], tmp_path: Path
) -> None:
    with open_store(place("old")) as old, open_store(place("new")) as new:  # type: ignore[attr-defined]
        for page in pages:
            old.commit_page(page)
        export_feed(old, tmp_path / "feed.jsonl")
        assert again(new, tmp_path / "feed.jsonl").damaged == 0
        assert difference(old, new) is None
        assert list(new.check()) == []
        assert rows(new, "provenance") == rows(old, "provenance")
        for columns, table in (
            ("id, seq, key, topic, mapping, received_at, digest, size, raw, told", "_message"),
            ("message, transport, received_at", "_message_via"),
            ("result, message", "_result_message"),
        ):
            sql = f"select {columns} from {table} order by 1, 2"
            assert new.outbox._ask(sql, {}) == old.outbox._ask(sql, {})
        sql = "select distinct transport from _message_via order by 1"
        assert new.outbox._ask(sql, {}) == [("one",), ("two",)]


def test_what_was_there_before_the_feed_is_known_again() -> None:
    with stores() as (old, new, feed):
        page = Page(
            source="ci", results=[result("k1", data={"a": "b"}), result("k2", outcome="failed", note="x")]
        )
        old.commit_page(page)
        export_feed(old, feed)
        again(new, feed)
        committed = new.commit_page(page)
        assert (committed.stored, committed.same) == (0, 2)


@pytest.mark.demand("S-035", "S-039")
@given(seed=st.integers(0, 2**32))
@FEW
def test_the_feed_of_a_sink_is_as_good_in_pieces_twice_and_in_any_order(seed: int) -> None:
    lot = random.Random(seed)
    with stores() as (old, new, feed):
        options = Options(path=feed)
        keys = SinkKeys(kind="jsonlines", batch=lot.choice((1, 3, 100)))
        sink = ConfiguredSink(name="feed", sink=JsonLines(), options=options, keys=keys)
        for part in range(3):
            live(old, seed + part, 12)
            deliver_to(sink, Surroundings(store=old))
        lines = feed.read_bytes().splitlines(keepends=True)
        for line in {json.loads(line)["event"]: line for line in lines}.values():
            assert not list(VALIDATOR.iter_errors(json.loads(line)))
        cut = lot.randrange(len(lines) + 1)
        pieces = [feed.with_name(name) for name in ("1.jsonl", "2.jsonl")]
        pieces[0].write_bytes(b"".join(lines[:cut]))
        pieces[1].write_bytes(b"".join(lines[lot.randrange(cut + 1) :]))
        first = again(new, *lot.sample(pieces, 2))
        second = again(new, feed)
        assert (first.damaged, second.damaged) == (0, 0)
        assert second.new.total() == 0
        same(old, new, but="provenance")  # another bus may bring a message when the feed has it already


@pytest.mark.demand("S-039")
def test_a_damaged_line_is_put_aside_with_its_place_and_the_rest_goes_on() -> None:
    with stores() as (old, new, feed):
        for key in ("k1", "k2", "k3"):
            old.commit_page(Page(source="ci", results=[result(key)]))
        old.waivers.append([grant()])
        export_feed(old, feed)
        lines = feed.read_bytes().splitlines(keepends=True)
        altered = lines[3].replace(b"infra", b"other")
        feed.write_bytes(b"".join([lines[0], lines[1][:40] + b"\n", lines[2], altered, b'{"event":"result"']))
        done = again(new, feed)
        assert (done.damaged, dict(done.new)) == (3, {"result": 2})
        records = new.quarantined("replay")
        assert [record.position for record in records] == [f"{feed}:2", f"{feed}:5", f"{feed}:4"]
        assert "was altered" in records[2].reason
        assert records[0].raw == lines[1][:40] + b"\n"
        feed.write_bytes(b"".join(lines))
        assert dict(again(new, feed).new) == {"result": 1, "waiver": 1}
        found = {each.key: each.id for each in new.results(ResultQuery())}
        assert found == {each.key: each.id for each in old.results(ResultQuery())}
        assert list(new.check()) == []


def test_damage_that_comes_twice_is_put_aside_once() -> None:
    with stores() as (_old, new, feed):
        feed.write_bytes(b"nonsense\n")
        for _ in range(2):
            assert again(new, feed).damaged == 1
        assert [record.seen for record in new.quarantined("replay")] == [2]


LINE = {
    "event": "result", "seq": 1, "id": 1, "received_at": "2026-03-01T12:00:01.000000", "source": "ci",
    "run": None, "key": "k", "outcome": "PASSED", "testcase": "ns.case", "groups": [], "note": None,
    "ref_url": None, "data": {}, "submit_time": "2026-03-01T12:00:00.000000", "duration_s": None,
    "stored": {"door": "api", "digest": 1},
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**LINE, "seq": None}, "no place"),
        ({**LINE, "stored": None}, "ci-results export feed"),
        ({**LINE, "event": "rumour"}, "kind"),
        ({**LINE, "id": 2**63}, "id: must be"),
        ({**LINE, "id": True}, "id: must be"),
        ({**LINE, "id": 10**12}, "id: is beyond"),
        ({**LINE, "data": {"a": "b"}}, "data: must be a list"),
        ({**LINE, "submit_time": "yesterday"}, "submit_time"),
        ({**LINE, "note": "a\0b"}, "NUL"),
        ({**LINE, "stored": {"door": "api", "digest": "1"}}, "stored.digest"),
        ([LINE], "no line of a feed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_says_less_than_a_store_needs_is_refused(line: Any, reason: str) -> None:
    with stores() as (_old, new, feed):
        feed.write_text(json.dumps(line) + "\n" + json.dumps(LINE) + "\n")
        done = again(new, feed)
        assert (done.damaged, done.new["result"]) == (1, 1)
        assert reason in str(done.first)


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda raw: raw], ids=["gz", "bz2", "xz", "plain"]
)
def test_a_feed_may_be_packed_and_come_by_stdin(pack: Callable[[bytes], bytes]) -> None:
    with stores() as (old, new, feed):
        live(old, 1, 10)
        export_feed(old, feed)
        packed = io.BufferedReader(io.BytesIO(pack(feed.read_bytes())))  # type: ignore[arg-type]
        replay(Replaying(store=new, feeds=feeds_at(["-"], lambda: packed)))
        same(old, new)


def test_a_packed_feed_that_breaks_off_gives_what_came_before() -> None:
    with stores() as (old, new, feed):
        for number in range(300):
            old.commit_page(Page(source="ci", results=[result(f"k{number}", note=str(number**9))]))
        whole = export_feed(old, feed.with_suffix(".gz"))
        raw = feed.with_suffix(".gz").read_bytes()
        feed.write_bytes(raw[: len(raw) // 2])
        done = again(new, feed)
        assert done.damaged == 1
        assert 0 < done.new["result"] < whole.lines["result"]
        assert "cannot be unpacked" in str(done.first)


def test_a_folder_is_read_as_one_feed_and_other_files_in_it_are_not() -> None:
    with stores() as (old, new, feed):
        live(old, 2, 20)
        export_feed(old, feed)
        lines = feed.read_bytes().splitlines(keepends=True)
        folder = feed.with_name("feeds")
        folder.mkdir()
        (folder / "b.jsonl").write_bytes(b"".join(lines[::2]))
        (folder / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[1::2])))
        (folder / "README").write_text("no feed")
        (folder / ".b.jsonl.part").write_text("half")
        again(new, folder)
        same(old, new)
        (folder / "b.jsonl").unlink()
        (folder / "a.jsonl.gz").unlink()
        with pytest.raises(NotFoundError, match=r"\.jsonl"):
            feeds_at([str(folder)], io.BytesIO)
        with pytest.raises(NotFoundError, match="export feed"):
            feeds_at([str(folder / "none.jsonl")], io.BytesIO)


def test_a_store_that_holds_something_else_is_left_alone_unless_it_is_to_merge() -> None:
    with stores() as (old, new, feed):
        old.commit_page(Page(source="ci", results=[result("k1"), result("k2", outcome="failed")]))
        old.waivers.append([grant()])
        export_feed(old, feed)
        new.commit_page(Page(source="ci", results=[result("k1"), result("k9")]))
        before = list(new.dump())
        with pytest.raises(ConflictError, match="--merge"):
            again(new, feed)
        assert list(new.dump()) == before
        done = again(new, feed, merge=True)
        assert (dict(done.new), dict(done.same), dict(done.left_out)) == (
            {"result": 1}, {"result": 1}, {"waiver": 1},
        )  # fmt: skip
        assert again(new, feed, merge=True).new["result"] == 0
        assert new.waivers.head().id == 0


def test_a_correction_of_either_store_supersedes_when_they_are_merged() -> None:
    with stores() as (old, new, feed):
        late = result("k1", outcome="failed", time=NOON.replace(hour=13))
        old.commit_page(Page(source="ci", results=[late]))
        export_feed(old, feed)
        new.commit_page(Page(source="ci", results=[result("k1")]))
        again(new, feed, merge=True)
        found = {each.outcome: each.superseded_by is None for each in new.results(ResultQuery())}
        assert found["FAILED"]
        assert list(new.check()) == []


def test_somebody_who_stores_meanwhile_ends_the_replay() -> None:
    with stores() as (old, new, feed):
        live(old, 3, 20)
        export_feed(old, feed)
        assert new.restoring.begin()
        new.commit_page(Page(source="other", results=[result("k1", source="other")]))
        with pytest.raises(StoreError, match="somebody stores"):
            new.restoring.reserve(99)
        with pytest.raises(ConflictError):
            again(new, feed)


def test_a_stopped_replay_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.operations.replay.BATCH", 30)
    with stores() as (old, new, feed):
        for number in range(3):
            old.commit_page(Page(source="ci", results=[result(f"k{number}-{n}") for n in range(20)]))
        export_feed(old, feed)
        stop = Event()
        stop.set()
        stopped = again(new, feed, stop=stop)
        assert not stopped.whole
        assert 0 < stopped.new["result"] < 60
        assert again(new, feed).whole
        same(old, new)


@pytest.mark.demand("S-039")
def test_kill_9_in_the_middle_then_again_gives_the_same_store(
    place: Callable[[str], str], tmp_path: Path
) -> None:
    feed = tmp_path / "feed.jsonl"
    with SqliteStore.open(tmp_path / "source.db") as old:
        for number in range(6):
            live(old, number, 12)
            old.commit_page(Page(source="ci", results=[result(f"n{number}-{n}") for n in range(40)]))
        export_feed(old, feed)
        code = (
            "import io, os, signal, sys\n"
            "from ci_results.operations import replay as module\n"
            "from ci_results.operations.feeds import feeds_at\n"
            "from ci_results.store.opening import open_store\n"
            "module.BATCH = 7\n"
            "left = int(sys.argv[3])\n"
            "class Dying(module._Back):\n"
            "    def results(self, page, lines):\n"
            "        global left\n"
            "        left -= 1\n"
            "        super().results(page, lines)\n"
            "        if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
            "module._Back = Dying\n"
            "store = open_store(sys.argv[1])\n"
            "module.replay(module.Replaying(store=store, feeds=feeds_at([sys.argv[2]], io.BytesIO)))\n"
        )
        for survived in (0, 9):
            ended = subprocess.run(
                [sys.executable, "-c", code, place("new"), str(feed), str(survived)], timeout=60, check=False
            )
            assert ended.returncode == -signal.SIGKILL
        with open_store(place("new")) as new:  # type: ignore[attr-defined]
            again(new, feed)
            assert digest_of(new) == digest_of(old)
            assert list(new.check()) == []


def test_a_feed_is_not_written_over(tmp_path: Path) -> None:
    with stores() as (old, _new, feed):
        export_feed(old, feed)
        with pytest.raises(ConflictError, match="exists"):
            export_feed(old, feed)
        assert sorted(path.name for path in feed.parent.iterdir() if "feed" in path.name) == ["feed.jsonl"]


def test_what_sinks_are_told_of_a_replayed_store_is_what_they_were_told_before() -> None:
    with stores() as (old, new, feed):
        live(old, 8, 40)
        export_feed(old, feed)
        again(new, feed)
        told = [
            [each for its in store.outbox.happened(START, None, ALL_KINDS, 1_000).values() for each in its]
            for store in (old, new)
        ]
        assert told[0] == told[1]
        lines = export_feed(new, feed.with_name("second.jsonl")).lines
        assert sum(lines.values()) == len(feed.read_bytes().splitlines())
        assert feed.with_name("second.jsonl").read_bytes() == feed.read_bytes()


def test_a_result_under_another_id_is_put_aside() -> None:
    with stores() as (old, new, feed):
        old.commit_page(Page(source="ci", results=[result("k1"), result("k2")]))
        export_feed(old, feed)
        lines = feed.read_bytes().splitlines(keepends=True)
        twice = json.loads(lines[0]) | {"id": 3}
        feed.write_bytes(b"".join([*lines, json.dumps(twice).encode() + b"\n"]))
        done = again(new, feed)
        assert (done.damaged, done.new["result"]) == (1, 2)
        assert "under another id" in str(done.first)
        same_ids = [each.id for each in new.results(replace(ResultQuery(), limit=9))]
        assert sorted(same_ids) == [1, 2]


@pytest.mark.demand("S-039")
def test_whoever_follows_a_replayed_store_records_no_decision_again(
    place: Callable[[str], str], tmp_path: Path
) -> None:
    with open_store(place("old")) as old, open_store(place("new")) as new:  # type: ignore[attr-defined]
        gated.fill(old)

        def follow(store: Store) -> int:
            gate = Gate(store=store, policies=gated.policies().current())
            return follow_once(Following(gate=lambda: gate)).recorded

        assert follow(old) > 3
        export_feed(old, tmp_path / "feed.jsonl")
        again(new, tmp_path / "feed.jsonl")
        before = list(new.dump())
        assert follow(new) == 0
        assert list(new.dump()) == before
        for store in (old, new):
            store.commit_page(Page(source="ci", results=[_failure(gated.BUILDS["go"])]))
        assert follow(new) == follow(old) > 0
        assert _verdicts(new) == _verdicts(old)


def _failure(build: str) -> Result:
    return result("late", outcome="failed", testcase=gated.LINT, item=build, time=datetime.now(UTC))


def _verdicts(store: Store) -> list[Any]:
    sql = "select subject, context, number, verdict, old_verdict from _decision order by 1, 2, 3"
    return [tuple(row) for row in store.outbox._ask(sql, {})]


@pytest.mark.demand("S-039")
@pytest.mark.parametrize("released", [1, 4, 6])
def test_a_store_of_an_older_version_has_a_feed_too(released: int, tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "store" / "released" / f"schema{released}.sql").read_text()
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript(text)
        connection.execute("update _testcase set ref_url = 'https://ci.example/t'")
        connection.execute("update _quarantine set resolved_at = 1, resolution = 'dismissed: old'")
        connection.commit()
    with SqliteStore.open(tmp_path / "old.db") as old, SqliteStore.open(tmp_path / "new.db") as new:
        export_feed(old, tmp_path / "feed.jsonl")
        assert again(new, tmp_path / "feed.jsonl").damaged == 0
        same(old, new)
