"""BusRules: what every store must do with messages of a bus; part of StoreContract."""

from __future__ import annotations

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ..domain.bus_message import BusMessage, ListenerState
from ..domain.garbled import Garbled
from ..domain.page import Committed, Page
from ..query.results import ResultQuery
from ..store import bus_log
from ..store.protocol import Store

RAW = b'{"nvr": "bash-5.2-1.fc40"}'


def message(key: str = "id-1", transport: str = "fedora", results: int = 1, **fields: Any) -> BusMessage:
    """Return a message that brings so many results."""
    given: dict[str, Any] = {
        "topic": "org.example.ci.complete", "mapping": "ci_messages@1", "raw": zlib.compress(RAW),
        "digest": hashlib.sha256(RAW).hexdigest(), "size": len(RAW), "told": '{"topic": "t"}',
    }  # fmt: skip
    return BusMessage(key=key, transport=transport, results=results, **(given | fields))


def page(*messages: BusMessage, keys: str = "", bad: int = 0) -> Page:
    """Return a page with a result for each letter of `keys`, and `bad` records that could not be read."""
    from .store_contract import result

    return Page(
        source="bus",
        door="message",
        results=[result(key, source="bus", outcome="passed", testcase=f"ns.{key}") for key in keys],
        quarantine=[Garbled(raw=b"x%d" % number, reason="bad", kind="message") for number in range(bad)],
        messages=messages,
    )


class BusRules:
    """The rules, each a method named as the rule."""

    def test_a_message_is_stored_with_what_it_brings(self, store: Store) -> None:
        committed = store.commit_page(page(message("m1", results=2), message("m2"), keys="abc"))
        assert committed.stored == 3
        first, second, third = sorted(each.id for each in store.results(ResultQuery()))
        assert [each.key for each in store.bus.of_result(first)] == ["m1"]
        assert [each.key for each in store.bus.of_result(second)] == ["m1"]
        (found,) = store.bus.of_result(third)
        assert (found.key, found.mapping, found.topic) == ("m2", "ci_messages@1", "org.example.ci.complete")
        assert (found.transports, found.size, found.raw) == (("fedora",), len(RAW), None)
        kept = store.bus.message("bus", "m2")
        assert kept is not None
        assert (kept.raw, kept.told) == (RAW, {"topic": "t"})
        assert store.bus.message("other", "m2") is None
        assert list(store.check()) == []

    def test_a_message_that_comes_again_brings_nothing(self, store: Store) -> None:
        store.commit_page(page(message("m1", garbled=1), keys="a", bad=1))
        before = list(store.dump(portable=True))
        other = page(message("m1", "umb", results=2, garbled=1), keys="xy", bad=1)
        assert store.commit_page(other) == Committed()
        assert list(store.dump(portable=True)) == before
        (only,) = store.results(ResultQuery())
        assert [each.transports for each in store.bus.of_result(only.id)] == [("fedora", "umb")]

    def test_a_known_message_among_new_ones_is_left_out(self, store: Store) -> None:
        store.commit_page(page(message("m1"), keys="a"))
        new = page(message("m0"), message("m1", results=2), message("m2"), message("m2"), keys="bcdef")
        assert store.commit_page(new).stored == 2
        assert sorted(each.key for each in store.results(ResultQuery())) == ["a", "b", "e"]

    def test_two_messages_of_one_result_are_both_noted(self, store: Store) -> None:
        store.commit_page(page(message("m1"), keys="a"))
        assert store.commit_page(page(message("m2", "umb"), keys="a")).same == 1
        (only,) = store.results(ResultQuery())
        assert [(each.key, each.transports) for each in store.bus.of_result(only.id)] == [
            ("m1", ("fedora",)), ("m2", ("umb",)),
        ]  # fmt: skip

    def test_a_message_of_another_source_is_another(self, store: Store) -> None:
        store.commit_page(page(message("m1"), keys="a"))
        from .store_contract import result

        theirs = replace(page(message("m1")), source="team2", results=[result(source="team2")])
        assert store.commit_page(theirs).stored == 1

    def test_a_message_without_results_is_known_too(self, store: Store) -> None:
        store.commit_page(page(message("m1", results=0)))
        assert store.commit_page(page(message("m1"), keys="a")).stored == 0

    def test_one_message_that_two_bring_at_once_is_stored_once(self, store: Store) -> None:
        pages = [page(message("m1", name), keys=key) for name, key in (("fedora", "a"), ("umb", "b"))]
        with ThreadPoolExecutor(2) as both:
            stored = [each.stored for each in both.map(store.commit_page, pages)]
        assert sorted(stored) == [0, 1]
        (only,) = store.results(ResultQuery())
        assert [each.transports for each in store.bus.of_result(only.id)] == [("fedora", "umb")]

    def test_a_message_may_bring_many_results(self, store: Store) -> None:
        whole = page(message("m1", results=600), message("m2"))
        from .store_contract import result

        results = [result(f"k{number}", source="bus") for number in range(601)]
        assert store.commit_page(replace(whole, results=results)).stored == 601
        (last,) = store.results(ResultQuery(limit=1))
        assert [each.key for each in store.bus.of_result(last.id)] == ["m2"]

    def test_how_listeners_fare_is_remembered(self, store: Store) -> None:
        moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        store.bus.note(ListenerState(name="umb"))
        store.bus.note(ListenerState(name="fedora", received=1))
        told = ListenerState(name="fedora", received=3, backlog=7, lag_s=0.5, last_message=moment)
        store.bus.note(told)
        first, second = store.bus.listeners()
        assert replace(first, told_at=None) == told
        assert first.told_at is not None
        assert second.name == "umb"

    def test_listeners_of_one_bus_are_told_apart(self, store: Store) -> None:
        for listener, received in (("a:1", 1), ("b:1", 2), ("a:1", 3)):
            store.bus.note(ListenerState(name="umb", listener=listener, received=received))
        assert [(each.name, each.listener, each.received) for each in store.bus.listeners()] == [
            ("umb", "a:1", 3), ("umb", "b:1", 2),
        ]  # fmt: skip

    def test_listeners_that_are_long_gone_are_forgotten_while_another_tells(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, listener in (("umb", ""), ("umb", "a:1"), ("umb2", "a:1")):
            store.bus.note(ListenerState(name=name, listener=listener))
        monkeypatch.setattr(bus_log, "GONE_AFTER_US", -60_000_000)
        store.bus.note(ListenerState(name="umb", listener="b:1"))
        assert [(each.name, each.listener) for each in store.bus.listeners()] == [
            ("umb", "b:1"), ("umb2", "a:1"),
        ]  # fmt: skip
