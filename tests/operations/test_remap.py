"""A mended mapping is applied to messages that are stored: new rows supersede, nothing is edited."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ci_results import Arrival, Envelope, Messages, Observation
from ci_results.errors import InvalidError
from ci_results.operations.export_feed import export_feed
from ci_results.operations.feeds import feeds_at
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.remap import Change, Remapped, Remapping, remap
from ci_results.operations.replay import Replaying, difference, replay
from ci_results.plugin.manager import Plugins, load_plugins
from ci_results.query.results import ResultQuery
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.prune_rules import prune

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """None."""


class First(Messages[NoOptions]):
    """Reads {"key", "word", "time"?}: version 1 believes that a warning is a failure."""

    name: ClassVar[str] = "mine"
    version: ClassVar[int] = 1
    options: ClassVar[type[Any]] = NoOptions
    outcomes: ClassVar[dict[str, str]] = {"warn": "FAILED", "ok": "PASSED", "running": "RUNNING"}
    shift = timedelta()

    def recognises(self, envelope: Envelope) -> bool:
        return envelope.topic == "mine"

    def read(self, options: NoOptions, envelope: Envelope) -> Iterator[Observation]:
        body: Any = envelope.body
        if "torn" in body and self.version > 1:
            raise InvalidError("is torn")
        for key in body["keys"]:
            time = datetime.fromisoformat(body["time"]) - self.shift if "time" in body else None
            yield Observation(
                key=key, testcase=f"ns.{key}", outcome=body["word"], item="bash-5.2-1.fc40",
                item_type="koji_build", time=time,
            )  # fmt: skip


class Second(First):
    """Version 2 knows better."""

    version: ClassVar[int] = 2
    outcomes: ClassVar[dict[str, str]] = {**First.outcomes, "warn": "NEEDS_INSPECTION"}


def plugins(reader: Messages[Any]) -> Plugins:
    return replace(load_plugins([]), messages={"mine": reader})


def take(store: Store, number: int, reader: Messages[Any] | None = None, **body: Any) -> None:
    """Take a message off a bus."""
    said = {"keys": ["k"], "word": "warn", "time": "2026-03-01T12:00:00+00:00"} | body
    raw = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
    arrival = Arrival(raw=raw, topic="mine", id=f"id-{number}", tag=number)
    taking = Taking(name="fedora", keep_bytes=1_000)
    store.commit_page(Ingest(taking, plugins(reader or First())).prepare([arrival]).page)


def again(store: Store, reader: Messages[Any] | None = None, **how: Any) -> Remapped:
    reader = reader or Second()
    given = {"mapping": f"mine@{reader.version}", "since": LONG_AGO} | how
    return remap(Remapping(store=store, plugins=plugins(reader), **given))


def outcomes(store: Store) -> dict[str, str]:
    """Return the current outcomes by testcase."""
    return {each.testcase: each.outcome for each in store.results(ResultQuery()) if not each.superseded_by}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with SqliteStore.open(tmp_path / "r.db") as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def each_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give a store of each kind."""
    on_disk = request.param == "sqlite"
    url = f"sqlite:{tmp_path / 'r.db'}" if on_disk else request.getfixturevalue("postgresql")("remap")
    opened = open_store(url)
    yield opened
    opened.close()


def test_what_was_pruned_does_not_come_back(each_store: Store) -> None:
    store = each_store
    take(store, 1, keys=["a", "b"])
    take(store, 2, keys=["c"])
    for testcase in ("ns.a", "ns.c"):
        assert prune(store, testcase=testcase, all_states=True).leaving.total() == 1
    done = again(store)
    assert done.changes == {Change("ns.b", "FAILED", "NEEDS_INSPECTION"): 1}
    assert (done.messages, done.outdated, done.unread) == (1, 1, {})
    assert outcomes(store) == {"ns.b": "NEEDS_INSPECTION"}
    assert list(store.check()) == []


@pytest.mark.demand("S-116")
def test_what_comes_out_otherwise_supersedes_and_says_by_which_mapping(each_store: Store) -> None:
    store = each_store
    take(store, 1)
    take(store, 2, keys=["fine"], word="ok")
    done = again(store)
    assert done.changes == {Change("ns.k", "FAILED", "NEEDS_INSPECTION"): 1}
    assert (done.messages, done.same, done.unread, done.whole) == (2, 1, {}, True)
    assert outcomes(store) == {"ns.k": "NEEDS_INSPECTION", "ns.fine": "PASSED"}
    by_id = {each.id: each for each in store.results(ResultQuery())}
    assert (by_id[1].outcome, by_id[1].superseded_by) == ("FAILED", 3)
    told = store.outbox._ask("select result, mapping from provenance order by result", {})
    assert [tuple(row) for row in told] == [(1, "mine@1"), (2, "mine@1"), (3, "mine@2")]
    assert list(store.check()) == []


@pytest.mark.demand("S-116")
def test_a_second_time_changes_nothing(store: Store) -> None:
    take(store, 1)
    again(store)
    before = list(store.dump())
    assert again(store) == Remapped(whole=True)
    assert list(store.dump()) == before


@pytest.mark.demand("S-116")
def test_a_dry_run_tells_the_same_and_changes_nothing(store: Store) -> None:
    take(store, 1, keys=["k", "l"])
    before = list(store.dump())
    told = again(store, dry_run=True)
    assert list(store.dump()) == before
    assert told == again(store)
    assert told.changes == {Change(f"ns.{key}", "FAILED", "NEEDS_INSPECTION"): 1 for key in "kl"}


def test_a_message_that_comes_again_meanwhile_brings_nothing(store: Store) -> None:
    take(store, 1)
    again(store)
    take(store, 1, Second())
    take(store, 1)
    assert len(store.results(ResultQuery())) == 2


def test_what_a_later_message_has_told_stays(store: Store) -> None:
    take(store, 1)
    take(store, 2, word="ok")
    done = again(store)
    assert (done.outdated, done.same, done.changes) == (1, 1, {})
    assert outcomes(store) == {"ns.k": "PASSED"}


def test_a_mended_time_supersedes_though_it_is_earlier(each_store: Store) -> None:
    store = each_store

    class Earlier(Second):
        shift = timedelta(hours=2)

    take(store, 1)
    again(store, Earlier())
    assert outcomes(store) == {"ns.k": "NEEDS_INSPECTION"}
    assert list(store.check()) == []


def test_a_message_without_a_time_is_as_old_as_it_was(store: Store) -> None:
    take(store, 1, time=None)
    take(store, 2, time=None, keys=["fine"], word="ok")
    took = {each.testcase: each.time for each in store.results(ResultQuery())}
    done = again(store)
    assert (done.same, sum(done.changes.values())) == (1, 1)
    assert {each.testcase: each.time for each in store.results(ResultQuery())} == took

    class Third(Second):
        version: ClassVar[int] = 3

    assert again(store, Third()).same == 2


def test_what_is_not_kept_or_cannot_be_read_stays_as_it_was_and_is_told(store: Store) -> None:
    take(store, 1, torn=True)
    take(store, 2, keys=["long"], more="x" * 2_000)
    take(store, 3, keys=["fine"])
    done = again(store)
    assert {key: reason[:20] for key, reason in done.unread.items()} == {
        "id-1": "is torn", "id-2": "its bytes were more ",
    }  # fmt: skip
    assert outcomes(store) == {"ns.k": "FAILED", "ns.long": "FAILED", "ns.fine": "NEEDS_INSPECTION"}
    assert again(store).messages == 2


def test_a_result_that_is_made_no_more_stays_and_is_counted(store: Store) -> None:
    class Fewer(Second):
        def read(self, options: NoOptions, envelope: Envelope) -> Iterator[Observation]:
            yield from list(super().read(options, envelope))[:1]

    take(store, 1, keys=["k", "l"], word="ok")
    done = again(store, Fewer())
    assert (done.same, done.gone) == (1, 1)
    assert outcomes(store) == {"ns.k": "PASSED", "ns.l": "PASSED"}


def test_only_messages_since_a_time_are_read(store: Store) -> None:
    take(store, 1)
    assert again(store, since=datetime.now(UTC) + timedelta(hours=1)).messages == 0
    assert again(store, since=datetime.now(UTC) - timedelta(hours=1)).messages == 1


def test_a_mapping_that_is_not_installed_is_refused(store: Store) -> None:
    for mapping in ("mine@1", "mine@3", "other@2", "mine", "@2"):
        with pytest.raises(InvalidError, match="mine@2"):
            again(store, mapping=mapping)


def test_a_mapping_that_takes_back_its_mend_is_told(store: Store) -> None:
    class Third(First):
        version: ClassVar[int] = 3

    take(store, 1)
    again(store)
    done = again(store, Third())
    assert "superseded for good" in done.unread["id-1"]
    assert outcomes(store) == {"ns.k": "NEEDS_INSPECTION"}


@pytest.mark.demand("S-039", "S-116")
def test_a_replayed_store_can_be_mapped_anew(tmp_path: Path) -> None:
    class Earlier(Second):
        shift = timedelta(hours=2)

    class Fourth(Earlier):
        version: ClassVar[int] = 4

    with SqliteStore.open(tmp_path / "a.db") as old, SqliteStore.open(tmp_path / "b.db") as new:
        take(old, 1)
        again(old, Earlier())
        take(old, 2, keys=["l"])
        export_feed(old, tmp_path / "feed.jsonl")
        replay(Replaying(store=new, feeds=feeds_at([str(tmp_path / "feed.jsonl")], io.BytesIO)))
        assert difference(old, new) is None
        assert again(old, Fourth()).changes == again(new, Fourth()).changes != {}
        assert outcomes(new) == outcomes(old)
