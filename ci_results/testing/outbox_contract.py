"""OutboxContract: what every store must remember for its sinks, as tests to inherit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ..domain.garbled import Garbled
from ..domain.group import Group
from ..domain.page import Page
from ..domain.result import Result
from ..domain.run import Run
from ..errors import BusyError, NotFoundError, StaleError
from ..store.protocol import Store
from .store_contract import NOON, result


class OutboxContract:
    """Inherit, and say in `open_store` how to open a store on an empty place under `folder`."""

    def open_store(self, folder: Path) -> Store:
        """Open the store that lives under `folder`; opening again gives the same store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()

    def commit(self, store: Store, *keys: str, **fields: Any) -> None:
        """Commit a page with a result for each key."""
        store.commit_page(Page(source="ci", results=[result(key, **fields) for key in keys]))

    def keys(self, store: Store, sink: str = "far", limit: int = 100) -> list[str]:
        """Return the keys of what waits for `sink`."""
        return [one.key for one in store.outbox.after(store.outbox.begin(sink), limit).batch]

    # -- order and position ------------------------------------------------------------------------

    def test_a_sink_begins_at_the_start_and_gets_all_in_order(self, store: Store) -> None:
        self.commit(store, "c", "a")
        self.commit(store, "b")
        assert self.keys(store) == ["c", "a", "b"]

    def test_a_sink_that_begins_at_the_end_gets_what_comes_after(self, store: Store) -> None:
        self.commit(store, "a", "b")
        assert store.outbox.after(store.outbox.begin("far", at_end=True), 9).positions == ()
        self.commit(store, "c")
        assert self.keys(store) == ["c"]

    def test_it_goes_on_in_the_middle_of_a_commit(self, store: Store) -> None:
        self.commit(store, *"abcde")
        begin = store.outbox.begin("far")
        first = store.outbox.after(begin, 2)
        assert [one.key for one in first.batch] == ["a", "b"]
        store.outbox.move("far", begin, first.positions[-1], sent=2)
        assert self.keys(store, limit=2) == ["c", "d"]

    def test_a_position_survives_closing_and_opening(self, tmp_path: Path) -> None:
        store = self.open_store(tmp_path)
        self.commit(store, "a", "b")
        begin = store.outbox.begin("far")
        store.outbox.move("far", begin, store.outbox.after(begin, 1).positions[0], sent=1)
        store.close()
        again = self.open_store(tmp_path)
        assert self.keys(again) == ["b"]
        again.close()

    def test_only_who_stands_at_a_position_moves_it(self, store: Store) -> None:
        self.commit(store, "a", "b")
        begin = store.outbox.begin("far")
        first, second = store.outbox.after(begin, 2).positions
        store.outbox.move("far", begin, first, sent=1)
        with pytest.raises(StaleError):
            store.outbox.move("far", begin, second, sent=1, parked=[(second.result, "no")])
        assert (self.keys(store), store.outbox.parked()) == (["b"], [])

    def test_each_sink_has_its_own_position(self, store: Store) -> None:
        self.commit(store, "a", "b")
        begin = store.outbox.begin("far")
        store.outbox.move("far", begin, store.outbox.after(begin, 1).positions[0], sent=1)
        assert (self.keys(store, "far"), self.keys(store, "near")) == (["b"], ["a", "b"])

    def test_a_commit_without_results_holds_nothing_up(self, store: Store) -> None:
        self.commit(store, "a")
        store.commit_page(Page(source="ci", quarantine=[Garbled(raw=b"x", reason="bad")]))
        self.commit(store, "b")
        assert self.keys(store) == ["a", "b"]
        assert self.keys(store, limit=1) == ["a"]

    def test_one_delivery_a_sink_at_once(self, store: Store) -> None:
        outbox = store.outbox
        with outbox.lease("far"), outbox.lease("near"), pytest.raises(BusyError), outbox.lease("far"):
            pass
        with outbox.lease("far"):
            pass

    # -- what leaves -------------------------------------------------------------------------------

    def test_a_result_leaves_as_it_is_served(self, store: Store) -> None:
        given = result(
            note="n", duration_s=1.5, scenario="uefi", arch="x86_64", data={"tier": ("1", "2")},
            run=Run(key="job#1", ref_url="https://ci.example/1", data={"job": "job"}),
        )  # fmt: skip
        store.commit_page(Page(source="ci", results=[given]))
        (one,) = store.outbox.after(store.outbox.begin("far"), 1).batch
        assert (one.source, one.key, one.testcase, one.outcome) == ("ci", "k1", "ns.case", "PASSED")
        assert (one.item, one.item_type, one.scenario, one.arch) == (
            "bash-5.2-1.fc40", "koji_build", "uefi", "x86_64",
        )  # fmt: skip
        assert (one.submit_time, one.duration_s, one.note, one.ref_url) == (NOON, 1.5, "n", None)
        assert one.run == Run(key="job#1", ref_url="https://ci.example/1")
        assert one.data == {
            "job": ("job",), "tier": ("1", "2"), "item": ("bash-5.2-1.fc40",), "type": ("koji_build",),
            "scenario": ("uefi",), "arch": ("x86_64",),
        }  # fmt: skip
        assert one.item_parts == {"nvr": "bash-5.2-1.fc40", "component": "bash"}
        assert one.verbatim

    def test_verbatim_attributes_leave_as_they_came(self, store: Store) -> None:
        bare = Result(
            source="ci", key="7", testcase="bare", outcome="INFO", item="", item_type="",
            data={"item": ("b", "a", "b")}, verbatim=True,
        )  # fmt: skip
        before = datetime.now(UTC)
        store.commit_page(Page(source="ci", results=[bare]))
        (one,) = store.outbox.after(store.outbox.begin("far"), 1).batch
        assert (one.data, one.run, one.item, one.arch) == ({"item": ("b", "a", "b")}, None, "", None)
        assert one.submit_time is not None
        assert before - timedelta(seconds=1) <= one.submit_time <= datetime.now(UTC)

    def test_testcases_and_groups_leave_with_their_descriptions(self, store: Store) -> None:
        given = Result(
            source="ci", key="7", testcase="ns.case", outcome="INFO", item="i", item_type="plain",
            data={}, groups=("g2", "g1"),
        )  # fmt: skip
        store.commit_page(
            Page(
                source="ci",
                results=[given],
                groups={"g1": {"description": "nightly"}},
                ref_urls={"ns.case": "https://docs.example/case", "ns.other": "https://docs.example/"},
            )
        )
        batch = store.outbox.after(store.outbox.begin("far"), 1).batch
        assert batch[0].groups == ("g2", "g1")
        assert batch.groups == {"g1": Group(uuid="g1", description="nightly")}
        assert batch.ref_urls == {"ns.case": "https://docs.example/case"}

    # -- how it fares ------------------------------------------------------------------------------

    def test_the_state_counts_what_waits_and_since_when(self, store: Store) -> None:
        before = datetime.now(UTC)
        self.commit(store, "a", "b")
        self.commit(store, "c")
        (fresh,) = store.outbox.states(["far"])
        assert (fresh.waiting, fresh.sent, fresh.last_ok) == (3, 0, None)
        assert fresh.oldest is not None
        assert before - timedelta(seconds=1) <= fresh.oldest <= datetime.now(UTC)
        begin = store.outbox.begin("far")
        store.outbox.move("far", begin, store.outbox.after(begin, 2).positions[-1], sent=2)
        (state,) = store.outbox.states()
        assert (state.waiting, state.sent) == (1, 2)
        assert state.last_ok is not None
        store.outbox.move("far", state.position, store.outbox.after(state.position, 9).positions[-1], sent=1)
        (state,) = store.outbox.states(["far"])
        assert (state.waiting, state.oldest, state.sent) == (0, None, 3)

    def test_a_failure_is_told_until_the_sink_takes_something(self, store: Store) -> None:
        self.commit(store, "a")
        store.outbox.note_failure("far", "away")
        (state,) = store.outbox.states()
        assert (state.last_error, state.last_ok, state.waiting) == ("away", None, 1)
        begin = store.outbox.begin("far")
        store.outbox.move("far", begin, store.outbox.after(begin, 1).positions[0], sent=1)
        (state,) = store.outbox.states()
        assert (state.last_error, state.waiting) == (None, 0)

    def test_what_was_refused_is_listed_and_settled(self, store: Store) -> None:
        self.commit(store, "a", "b", "c", outcome="failed")
        begin = store.outbox.begin("far")
        out = store.outbox.after(begin, 3)
        store.outbox.move(
            "far", begin, out.positions[-1], sent=1,
            parked=[(out.positions[0].result, "no a"), (out.positions[2].result, "no c")],
        )  # fmt: skip
        first, second = store.outbox.parked("far")
        assert (first.testcase, first.outcome, first.item, first.reason, first.tries) == (
            "ns.case", "FAILED", "bash-5.2-1.fc40", "no a", 1,
        )  # fmt: skip
        assert store.outbox.parked(after=first.id) == [second]
        assert store.outbox.parked(limit=1) == [first]
        assert store.outbox.parked("near") == []
        assert [one.key for one in store.outbox.these([second.result, first.result, 4711]).batch] == [
            "a",
            "c",
        ]
        store.outbox.settle(first.id, None)
        store.outbox.settle(second.id, "still no")
        (left,) = store.outbox.parked()
        assert (left.id, left.reason, left.tries) == (second.id, "still no", 2)
        assert store.outbox.parked_record(second.id) == left
        with pytest.raises(NotFoundError):
            store.outbox.parked_record(first.id)
        (state,) = store.outbox.states()
        assert (state.sent, state.parked, state.waiting) == (2, 1, 0)
