"""What every store must do for who reads many things as of one commit; part of StoreContract."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from ..domain.observation import Observation
from ..domain.page import Page
from ..domain.plan import Plan, PlanCase
from ..domain.search import Attribute, Search
from ..domain.stored import SourceState
from ..errors import NotFoundError
from ..normalise.normaliser import Normaliser
from ..store.protocol import Store

_ASKED = Search(attributes=(Attribute(key="item", values=("bash-5.2-1.fc40",)),))
_NUL = Search(attributes=(Attribute(key="item", values=("a\x00b",)),), testcases=("ns.\x00",))


def _page(*keys: str, **fields: Any) -> Page:
    given = {"testcase": "ns.case", "outcome": "PASSED", "item": "bash-5.2-1.fc40", "item_type": "koji_build"}
    normalise = Normaliser("ci", {})
    return Page(source="ci", results=[normalise(Observation(key=key, **(given | fields))) for key in keys])


def _elsewhere(write: Any) -> None:
    """Write on a thread of its own, and wait until it is stored."""
    thread = Thread(target=write)
    thread.start()
    thread.join()


class MomentRules:
    """Tests of a `store`; see StoreContract."""

    def test_results_come_by_id_in_the_order_that_is_asked(self, store: Store) -> None:
        store.commit_page(_page("a", "b", "c"))
        first, second, third = sorted(one.id for one in store.search(Search()))
        found = store.stored([third, first, 10**9, second])
        assert [one.id for one in found] == [third, first, second]
        assert found[0] == store.result(third)
        assert store.stored([]) == []

    def test_sources_of_a_kind_are_told_by_name(self, store: Store) -> None:
        for name, collector in (("a", "jenkins"), ("b", "import"), ("c", "jenkins")):
            store.register_source(SourceState(name=name, collector=collector))
        assert store.collected_by("jenkins") == {"a", "c"}
        assert store.collected_by("none") == frozenset()

    def test_what_is_written_meanwhile_is_not_seen(self, store: Store) -> None:
        store.commit_page(_page("a"))
        plan = Plan(name="p", item="*", item_type="koji_build", cases=(PlanCase(testcase="m.a"),))
        with store.at_one_commit() as (seq, *_):
            assert seq == store.waivers.seq() == 1
            _elsewhere(lambda: store.commit_page(_page("b")))
            store.commit_page(_page("c", testcase="ns.new"))
            store.save_plan(plan, "lead", before=0)
            store.register_source(SourceState(name="late", collector="late"))
            (seen,) = store.search(_ASKED)
            assert [one.id for one in store.latest(_ASKED)] == [seen.id]
            assert store.latest(_ASKED, ("scenario",)) == [seen]
            assert [one.key for one in store.stored([seen.id, seen.id + 1])] == ["a"]
            assert store.search(Search(testcases=("ns.new",))) == []
            assert store.collected_by("late") == frozenset()
            assert store.waivers.seq() == seq
            with pytest.raises(NotFoundError):
                store.plan("p")
        assert len(store.search(_ASKED)) == 3
        assert store.search(Search(testcases=("ns.new",))) != []
        assert store.plan("p").plan == plan
        with store.at_one_commit() as later:
            assert later.seq == store.waivers.seq() > seq

    def test_a_moment_within_a_moment_is_the_same_one(self, store: Store) -> None:
        store.commit_page(_page("a"))
        with store.at_one_commit() as outer:
            store.commit_page(_page("b"))
            with store.at_one_commit() as inner:
                assert inner == outer
            assert len(store.search(_ASKED)) == 1
        assert len(store.search(_ASKED)) == 2

    def test_other_threads_see_what_is_new(self, store: Store) -> None:
        seen: list[int] = []
        with store.at_one_commit():
            store.commit_page(_page("a"))
            _elsewhere(lambda: seen.append(len(store.search(_ASKED))))
            assert store.search(_ASKED) == []
        assert seen == [1]

    def test_a_question_that_nothing_stored_can_answer_leaves_the_moment_whole(self, store: Store) -> None:
        store.commit_page(_page("a"))
        with store.at_one_commit():
            assert store.search(_NUL) == store.latest(_NUL) == []
            assert len(store.search(_ASKED)) == 1

    def test_a_fault_ends_the_moment(self, store: Store) -> None:
        with pytest.raises(ZeroDivisionError), store.at_one_commit():
            raise ZeroDivisionError
        store.commit_page(_page("a"))
        assert len(store.search(_ASKED)) == 1
