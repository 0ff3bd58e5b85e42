"""PruneContract: what every store must keep when results are let go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ..domain.delivery import START
from ..domain.happening import PRUNE
from ..domain.page import Page
from ..domain.pruning import Criteria, Kept, Leaving, Order
from ..domain.result import Result
from ..domain.subject import Subject
from ..errors import NotFoundError
from ..normalise.signature import signature
from ..query.results import ResultQuery
from ..store.identity import to_us
from ..store.protocol import Store
from .bus_rules import message
from .decision_rules import POINT, awaited, recorded
from .waiver_contract import grant


def prune(store: Store, order: dict[str, str] | None = None, **criteria: Any) -> Leaving:
    """Let results go, and return what came of it; `order` may say who and why."""
    from .store_contract import NOON

    said = Order(begun=NOON, **{"username": "jdoe", "comment": "room", **(order or {})})
    return total(store.pruning.prune(Criteria(**{"before": NOON + timedelta(days=1), **criteria}), said))


def total(steps: Iterable[Leaving]) -> Leaving:
    """Add steps up."""
    whole = Leaving()
    for step in steps:
        whole.add(step)
    return whole


def states(count: int = 3, **fields: Any) -> list[Result]:
    """Return results of one testcase and item, each newer than the one before."""
    from .store_contract import NOON, result

    return [
        result(f"s{n}", **{"time": NOON + timedelta(minutes=n), "outcome": "failed", **fields})
        for n in range(count)
    ]


def keys(store: Store) -> list[str]:
    """Return the keys of all results, in order."""
    return sorted(one.key for one in store.results(ResultQuery(limit=500)))


class PruneContract:
    """Inherit, and say in `open_store` how to open a store on an empty place under `folder`."""

    def open_store(self, folder: Path) -> Store:
        """Open the store that lives under `folder`; opening again gives the same store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()

    def test_what_something_newer_followed_leaves_and_the_newest_stays(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=[*states(), *states(1, scenario="uefi", run=None)]))
        foreseen = total(store.pruning.foresee(self._old()))
        assert keys(store) == ["s0", "s0", "s1", "s2"]
        done = prune(store)
        assert (done.leaving, done.kept) == ({("ci", "2026-03"): 2}, {Kept.NEWEST: 2})
        assert (done.leaving, done.kept) == (foreseen.leaving, foreseen.kept)
        assert keys(store) == ["s0", "s2"]
        assert store.check() == []
        assert store.counts()["results"] == 2
        assert prune(store).leaving == {}

    def test_all_states_leave_where_that_is_asked_for(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=states()))
        assert prune(store, all_states=True).leaving.total() == 3
        assert keys(store) == []
        assert store.check() == []

    def test_age_goes_by_the_time_that_counts(self, store: Store) -> None:
        from .store_contract import NOON

        future = states(2, time=NOON.replace(year=2199), run=None)
        store.commit_page(Page(source="ci", results=[*future, *states(1, time=NOON.replace(year=2001))]))
        done = prune(store, all_states=True)
        assert done.leaving == {("ci", "2001-03"): 1}
        assert prune(store, before=NOON, all_states=True).leaving == {}
        found = store.results(ResultQuery())
        assert prune(store, before=found[0].time, all_states=True).leaving == {}
        assert prune(store, before=NOON.replace(year=2199), all_states=True).leaving.total() == 2

    def test_source_and_testcase_narrow_it(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=states(2)))
        store.commit_page(Page(source="other", results=states(2, source="other", testcase="ns.sub.case")))
        assert prune(store, source="nobody").leaving == {}
        assert prune(store, testcase="nothing.*").leaving == {}
        assert prune(store, testcase="ns.sub.*", source="ci").leaving == {}
        assert prune(store, testcase="ns.sub.*").leaving == {("other", "2026-03"): 1}
        assert prune(store, source="ci").leaving == {("ci", "2026-03"): 1}

    # -- what stays --------------------------------------------------------------------------------

    def test_what_belongs_to_an_item_that_was_let_through_stays(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=states()))
        store.commit_page(Page(source="ci", results=states(item="bash-0:5.2-1.fc40.x86_64", run=None)))
        other = states(item="zsh-5.9-1.fc40", data={"build": "bash-5.2-1.fc40"}, scenario="uefi", run=None)
        store.commit_page(Page(source="ci", results=other))
        self._decide(store, verdict="go")
        assert prune(store, all_states=True).kept == {Kept.SHIPPED: 9}

    def test_what_a_decision_weighed_stays_and_the_rest_of_what_was_held_back_leaves(
        self, store: Store
    ) -> None:
        store.commit_page(Page(source="ci", results=states()))
        weighed = {"subjects": [{"requirements": [{"parts": [{"result": {"id": 2}}]}]}], "id": 1}
        self._decide(store, verdict="no-go", proof=weighed)
        done = prune(store, all_states=True)
        assert (done.kept, keys(store)) == ({Kept.EVIDENCE: 1}, ["s1"])

    @pytest.mark.parametrize(
        "terms", [{}, {"subject": "xyz", "signatures": (signature("FAILED", "boom"),)}], ids=["item", "text"]
    )
    def test_what_a_waiver_is_about_stays(self, store: Store, terms: dict[str, Any]) -> None:
        store.commit_page(Page(source="ci", results=states(note="boom")))
        store.waivers.append([grant(**{"subject": "bash-5.2-1.fc40", **terms})])
        before = list(store.waivers.events())
        assert prune(store, all_states=True).kept == {Kept.WAIVED: 3}
        assert list(store.waivers.events()) == before

    def test_the_newest_stays_where_an_event_lets_expect_results(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=states()))
        store.save_events([awaited(subject=Subject("koji_build", "bash-5.2-1.fc40"))])
        assert prune(store, all_states=True).kept == {Kept.EXPECTED: 1}
        assert keys(store) == ["s2"]

    def test_what_a_sink_has_not_got_or_refused_stays(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=states()))
        start = store.outbox.begin("archive")
        assert prune(store).kept[Kept.WAITING] == 3
        out = store.outbox.after(start, 2)
        store.outbox.move("archive", start, out.positions[1], sent=1, parked=[(2, "HTTP 400")])
        assert prune(store).kept == {Kept.WAITING: 2}
        assert keys(store) == ["s1", "s2"]
        assert prune(store, sinks=frozenset({"other"})).kept == {Kept.WAITING: 1, Kept.NEWEST: 1}

    def test_what_the_follower_has_not_looked_at_stays(self, store: Store) -> None:
        store.decisions.begin()
        store.commit_page(Page(source="ci", results=states()))
        assert prune(store).kept == {Kept.WAITING: 3}
        state = store.decisions.begin()
        store.decisions.record(state, store.outbox.end(), "sha256:1")
        assert prune(store).leaving.total() == 2

    def test_what_took_the_place_of_a_result_that_stays_stays(self, store: Store) -> None:
        from .store_contract import NOON, result

        for n, word in enumerate(("passed", "failed")):
            store.commit_page(
                Page(source="ci", results=[result(time=NOON + timedelta(hours=n), outcome=word)])
            )
        self._decide(store, verdict="no-go", proof={"result": {"id": 1}})
        done = prune(store, all_states=True)
        assert done.kept == {Kept.EVIDENCE: 1, Kept.CORRECTION: 1}
        assert store.result(1).superseded_by == 2
        assert total(store.pruning.foresee(self._old(all_states=True))).kept == done.kept

    def test_what_took_the_place_of_a_result_leaves_with_it(self, store: Store) -> None:
        from .store_contract import NOON, result

        # What runs is older news than what ended, whenever it began: the newer row leaves after the older.
        ended = result(time=NOON, outcome="passed")
        running = result(time=NOON + timedelta(hours=1), outcome="running")
        for one in (running, ended):
            store.commit_page(Page(source="ci", results=[one]))
        assert store.result(1).superseded_by == 2
        assert prune(store, all_states=True).leaving.total() == 2
        assert store.check() == []

    def test_what_is_decided_meanwhile_stays(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.commit_page(Page(source="ci", results=states()))
        acts = iter([lambda: store.waivers.append([grant(subject="bash-5.2-1.fc40")])])
        self._meanwhile(store, monkeypatch, lambda: next(acts, lambda: None)())
        done = prune(store)
        assert (done.leaving, done.kept) == ({}, {Kept.NEWEST: 1, Kept.WAIVED: 2})

    def test_what_becomes_the_newest_meanwhile_stays(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from .store_contract import NOON

        first, second = states(2)
        store.commit_page(Page(source="ci", results=[first, second]))
        later = replace(second, submit_time=NOON + timedelta(hours=1), testcase="ns.renamed")
        acts = iter([lambda: store.commit_page(Page(source="ci", results=[later]))])
        self._meanwhile(store, monkeypatch, lambda: next(acts, lambda: None)())
        assert "s0" in (prune(store), keys(store))[1]
        assert store.check() == []

    # -- what is left ------------------------------------------------------------------------------

    def test_what_left_and_comes_again_is_known(self, store: Store) -> None:
        from .store_contract import result

        given = [*states(), result("alone", run=None, item="zsh-5.9-1.fc40")]
        store.commit_page(Page(source="ci", results=given, tell_ids=True))
        prune(store, all_states=True)
        dump = list(store.dump())
        again = store.commit_page(Page(source="ci", results=given, tell_ids=True))
        assert (again.stored, again.same, again.ids) == (0, 4, (1, 2, 3, 4))
        assert store.preview_page(Page(source="ci", results=given)).same == 4
        assert list(store.dump()) == dump
        changed = store.commit_page(
            Page(source="ci", results=[replace(given[0], note="more")], tell_ids=True)
        )
        assert (changed.stored, changed.superseding, changed.ids) == (1, 0, (5,))
        assert store.check() == []

    def test_a_message_whose_results_left_brings_nothing_again(self, store: Store) -> None:
        for key in ("m1", "m1", "m2"):
            page = Page(source="ci", door="message", results=states(2), messages=[message(key, results=2)])
            store.commit_page(page)
            prune(store, all_states=True)
        assert keys(store) == []
        for key, raw in (("m1", None), ("m2", b'{"nvr": "bash-5.2-1.fc40"}')):
            kept = store.bus.message("ci", key)
            assert kept is not None
            assert kept.raw == raw, "the bytes leave with the last result"
        assert store.bus.of_result(1) == []

    def test_groups_count_what_is_left(self, store: Store) -> None:
        results = [replace(one, groups=("u1", "u2", "u1")) for one in states()]
        groups: dict[str, dict[str, str | None]] = {"u1": {"description": "nightly"}}
        store.commit_page(Page(source="ci", results=results, groups=groups))
        prune(store)
        assert (store.group("u1").results, store.group("u2").results) == (1, 1)
        prune(store, all_states=True)
        assert (store.group("u1").results, store.group("u1").description) == (0, "nightly")

    def test_who_asks_for_what_left_is_told_who_let_it_go(self, store: Store) -> None:
        store.commit_page(Page(source="ci", results=states()))
        prune(store, {"username": "jdoe", "comment": "room for new ones"})
        for ask in (store.result, store.fact):
            with pytest.raises(NotFoundError, match=r"no result 1: jdoe let it go on .*: room for new ones"):
                ask(1)
            with pytest.raises(NotFoundError, match=r"no result 9$"):
                ask(9)
        assert store.stored([1, 3])[0].id == 3

    def test_it_is_told_in_the_order_of_commits_and_kept_for_good(self, store: Store) -> None:
        from .store_contract import NOON

        store.commit_page(Page(source="ci", results=states(duration_s=2.5)))
        prune(store, {"comment": "room: ž\0"}, source="ci")
        (page,) = store.pruning.pages()
        assert (page.id, page.results, page.first, page.last) == (1, 2, 1, 2)
        assert (page.username, page.comment, page.begun) == ("jdoe", "room: ž\\x00", NOON)
        assert page.criteria == {
            "before": "2026-03-02T12:00:00.000000", "testcase": None, "source": "ci", "all_states": False,
        }  # fmt: skip
        (told,) = [each for its in store.outbox.happened(START, None, {PRUNE}, 99).values() for each in its]
        assert (told.seq, told.body["results"], told.body["digest"]) == (page.seq, 2, page.digest)
        assert [each["id"] for each in told.body["left"]] == [1, 2]
        day = to_us(NOON) // 86_400_000_000
        assert {(each["day"], each["duration"], each["counted"]) for each in told.body["left"]} == {
            (day, 2.5, True)
        }
        assert store.pruning.page_of(2) == page
        assert store.pruning.page_of(3) is None
        assert store.outbox.after(START, 9).positions[0].result == 3

    def test_a_large_prune_leaves_page_by_page(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store.pruning, "_most", 4)
        store.commit_page(Page(source="ci", results=states(10)))
        steps = store.pruning.prune(self._old(), Order(username="jdoe", comment="room", begun=self._noon()))
        done = total(steps)
        assert (done.pages, done.leaving.total(), keys(store)) == (3, 9, ["s9"])
        assert Counter(page.results for page in store.pruning.pages()) == {4: 2, 1: 1}

    # -- for the rules -----------------------------------------------------------------------------

    def _old(self, **criteria: Any) -> Criteria:
        return Criteria(before=self._noon() + timedelta(days=1), **criteria)

    def _noon(self) -> Any:
        from .store_contract import NOON

        return NOON

    def _decide(self, store: Store, **fields: Any) -> None:
        state = store.decisions.begin(at_end=True)
        store.decisions.record(state, store.outbox.end(), "sha256:1", [recorded(point=POINT, **fields)])

    def _meanwhile(self, store: Store, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
        """Let `act` happen between the look at results and the transaction in which they leave."""
        count = store.pruning._count

        def both() -> None:
            count()
            act()

        monkeypatch.setattr(store.pruning, "_count", both)
