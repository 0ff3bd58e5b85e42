"""What every store must do about events (part of StoreContract), and about decisions: DecisionContract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ..domain.delivery import START, Position
from ..domain.expectation import Awaited, Event, Expected
from ..domain.facts import Expectation
from ..domain.moment import Moment
from ..domain.observation import Observation
from ..domain.page import Page
from ..domain.recorded import EventNews, Followed, GatingPoint, News, PlanNews, RecordedDecision, WaiverNews
from ..domain.subject import Subject
from ..errors import BusyError, ReusedKeyError, StaleError
from ..normalise.normaliser import Normaliser
from ..store.protocol import Store
from .plan_rules import PLAN
from .waiver_contract import FAR, TERMS, grant

BASH = Subject("koji_build", "bash-5.2-1.fc40")
ZSH = Subject("koji_build", "zsh-5-1.fc40")
SINCE = FAR.replace(year=2025)
DUE = SINCE + timedelta(hours=2)
POINT = GatingPoint(BASH, "fedora-40", "push")


def awaited(key: str = "build-1", subject: Subject = BASH, **event: Any) -> Awaited:
    """Return an event that lets two results be expected."""
    given: dict[str, Any] = {"kind": "build.complete", "time": SINCE, "owner": "jdoe"}
    return Awaited(
        event=Event(source="koji", key=key, subject=subject, **(given | event)),
        actor="builder", received_at=SINCE, product_versions=("fedora-40",),
        expected=(Expected("dist.rpmlint", SINCE, DUE, "qe"), Expected("dist.abi", SINCE)),
    )  # fmt: skip


def recorded(number: int = 1, point: GatingPoint = POINT, **fields: Any) -> RecordedDecision:
    """Return a decision to record."""
    given: dict[str, Any] = {
        "verdict": "wait", "old_verdict": None, "satisfied": False, "digest": "sha256:1",
        "summary": "Of 1 required test, 1 result missing", "at": SINCE, "as_of": 3, "cause": {"events": 1},
        "answer": {"summary": "ž"}, "proof": {"verdict": "wait"},
    }  # fmt: skip
    return RecordedDecision(point=point, number=number, **(given | fields))


class EventRules:
    """Tests of a `store`; see StoreContract."""

    @pytest.mark.demand("S-052", "S-053")
    def test_a_moment_tells_whether_there_is_anything_of_one_subject(self, store: Store) -> None:
        def glance(name: str = BASH.identifier) -> Moment:
            with store.at_one_commit(name) as moment:
                return moment

        assert glance() == Moment(0, waivers=False, expectations=False)
        store.save_events([awaited(subject=BASH._replace(identifier="other-1-1"))])
        store.waivers.append([grant(subject="other-1-1")])
        assert glance() == Moment(2, waivers=False, expectations=False)
        assert glance("other-1-1") == Moment(2, waivers=True, expectations=True)
        store.waivers.append([grant()])
        assert glance() == Moment(3, waivers=True, expectations=False)
        store.save_events([awaited("build-2")])
        assert glance() == Moment(4, waivers=True, expectations=True)
        with store.at_one_commit() as unnamed:
            assert unnamed == Moment(4)

    def test_what_an_event_lets_expect_is_told_by_subject_and_testcase(self, store: Store) -> None:
        (stored,) = store.save_events([awaited()])
        assert (stored.new, stored.expected) == (True, awaited().expected)
        said = "build.complete build-1"
        assert store.expectations.of([BASH, ZSH]) == {
            (BASH, "dist.rpmlint"): Expectation(SINCE, DUE, said, "qe"),
            (BASH, "dist.abi"): Expectation(SINCE, None, said, None),
        }
        assert store.expectations.of([Subject("compose", BASH.identifier)]) == {}
        assert store.expectations.of([]) == {}
        assert store.check() == []

    def test_an_event_that_comes_again_stores_nothing(self, store: Store) -> None:
        first = store.save_events([awaited()])[0]
        dump = list(store.dump())
        later = replace(awaited(), expected=(), actor="other", received_at=DUE)
        again = store.save_events([later, awaited()])
        assert again == [replace(first, new=False)] * 2
        assert list(store.dump()) == dump

    def test_an_event_is_named_by_its_source_and_its_id(self, store: Store) -> None:
        other = replace(awaited(), event=replace(awaited().event, source="brew"))
        assert [each.new for each in store.save_events([awaited(), other, awaited("build-2")])] == [True] * 3

    def test_an_id_that_says_something_else_is_refused_and_nothing_is_stored(self, store: Store) -> None:
        store.save_events([awaited()])
        dump = list(store.dump())
        with pytest.raises(ReusedKeyError, match=r"build-1 of koji .* id of its own"):
            store.save_events([awaited("build-2"), awaited(owner="rm1")])
        assert list(store.dump()) == dump

    def test_the_newest_event_says_since_when_a_result_is_expected(self, store: Store) -> None:
        later = SINCE + timedelta(days=1)
        again = replace(awaited("build-2", time=later), expected=(Expected("dist.rpmlint", later),))
        store.save_events([again])
        store.save_events([awaited()])
        assert store.expectations.of([BASH])[BASH, "dist.rpmlint"].since == later


class DecisionContract:
    """Inherit, and say in `open_store` how to open a store on an empty place under `folder`."""

    def open_store(self, folder: Path) -> Store:
        """Open the store that lives under `folder`; opening again gives the same store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()

    # -- news --------------------------------------------------------------------------------------

    def _commit(self, store: Store, *keys: str) -> None:
        normalise = Normaliser("ci", {})
        seen = [
            Observation(key=key, testcase="ns.case", outcome="PASSED", item="x", item_type="plain")
            for key in keys
        ]
        store.commit_page(Page(source="ci", results=list(map(normalise, seen))))

    def _pages(self, store: Store, limit: int) -> Iterator[News]:
        at = START
        while (page := store.decisions.news(at, limit)).to != at:
            yield page
            at = page.to

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_all_that_was_stored_is_news_once_and_in_order(self, store: Store, limit: int) -> None:
        self._commit(store, "a", "b", "c")
        store.save_events([awaited(), awaited("build-2", ZSH)])
        store.waivers.append([grant(), grant()])
        store.save_plan(PLAN, "jdoe", before=0)
        self._commit(store, "d")
        store.save_events([awaited("build-3", ZSH)])
        pages = list(self._pages(store, limit))
        assert [each for page in pages for each in page.events] == [
            EventNews(subject, ("fedora-40",)) for subject in (BASH, ZSH, ZSH)
        ]
        waiver = WaiverNews(BASH, TERMS.testcase, TERMS.product_version)
        assert [each for page in pages for each in page.waivers] == [waiver] * 2
        assert [each for page in pages for each in page.plans] == [PlanNews(PLAN.item_type, PLAN.item)]
        results = [each for page in pages for each in page.results]
        assert [(each.testcase, each.item_type, each.item) for each in results] == [
            ("ns.case", "plain", "x")
        ] * 4
        assert max(len(page.results) for page in pages) <= limit
        assert [page.to for page in pages] == sorted(page.to for page in pages)

    def test_there_is_no_news_where_nothing_was_stored(self, store: Store) -> None:
        assert store.decisions.news(START, 10) == News(to=START)

    # -- decisions ---------------------------------------------------------------------------------

    @pytest.mark.demand("S-136")
    def test_a_decision_comes_back_as_it_was_recorded(self, store: Store) -> None:
        state = store.decisions.begin()
        first = recorded()
        second = recorded(2, verdict="go", old_verdict="wait", satisfied=True, cause={"results": 1})
        state = store.decisions.record(state, Position(1, 1), "sha256:1", [first])
        store.decisions.record(state, Position(2, 2), "sha256:1", [second])
        newest, older = store.decisions.history(POINT)
        assert replace(older, id=0, seq=0) == first
        assert replace(newest, id=0, seq=0) == second
        assert store.decisions.before(newest) == older
        assert store.decisions.before(older) is None
        assert store.decisions.of_commit(newest.seq) == [newest]
        assert newest.seq > older.seq
        assert store.check() == []

    def test_who_was_overtaken_records_nothing(self, store: Store) -> None:
        state = store.decisions.begin()
        store.decisions.record(state, Position(1, 1), "sha256:1", [recorded()])
        dump = list(store.dump())
        with pytest.raises(StaleError, match="begins anew"):
            store.decisions.record(state, Position(1, 1), "sha256:1", [recorded(2)], [Followed(POINT)])
        assert list(store.dump()) == dump
        assert store.decisions.followed([BASH.identifier]) == []

    def test_a_number_is_given_once(self, store: Store) -> None:
        state = store.decisions.record(store.decisions.begin(), START, "", [recorded()])
        with pytest.raises(Exception, match=r"append-only|unique|_key"):
            store.decisions.record(state, START, "", [recorded()])
        assert len(store.decisions.history(POINT)) == 1
        assert store.decisions.begin() == state

    def test_a_follower_goes_on_where_it_was(self, store: Store) -> None:
        self._commit(store, "a", "b")
        state = store.decisions.begin()
        assert (state.turn, state.position, state.digest) == (0, START, "")
        moved = store.decisions.record(state, Position(1, 1), "sha256:1")
        assert store.decisions.begin() == store.decisions.begin(at_end=True) == moved
        assert (moved.turn, moved.position, moved.digest) == (1, Position(1, 1), "sha256:1")

    def test_a_follower_that_begins_at_the_end_hears_of_what_comes_after(self, store: Store) -> None:
        self._commit(store, "a", "b")
        state = store.decisions.begin(at_end=True)
        assert store.decisions.news(state.position, 10).facts == 0
        self._commit(store, "c")
        assert store.decisions.news(state.position, 10).facts == 1

    def test_one_follows_at_a_time(self, store: Store) -> None:
        with store.decisions.lease(), pytest.raises(BusyError, match="follower"), store.decisions.lease():
            pass
        with store.decisions.lease():
            pass

    def test_gating_points_are_found_by_subject_by_time_and_by_policies(self, store: Store) -> None:
        decisions = store.decisions
        other = GatingPoint(ZSH, "fedora-40", "push")
        waits = Followed(POINT, 1, "wait", "shape", "sha256:1", DUE)
        opened = Followed(other, 3, "go", "shape", "sha256:1")
        state = decisions.record(decisions.begin(), START, "", followed=[waits, opened])
        assert decisions.followed([ZSH.identifier, "none"]) == [opened]
        assert decisions.next_wake() == DUE
        assert decisions.waking(SINCE, 10) == []
        assert decisions.waking(DUE, 10) == [waits]
        assert decisions.outdated("sha256:2", 10) == [waits]
        assert decisions.outdated("sha256:1", 10) == []
        asleep = waits._replace(wake=None)
        decisions.record(state, START, "", followed=[asleep])
        assert decisions.followed([BASH.identifier]) == [asleep]
        assert decisions.next_wake() is None

    def test_a_plan_wakes_the_gates_of_its_items_that_are_not_open(self, store: Store) -> None:
        decisions = store.decisions
        names = ("Fedora-44-1", "Fedora-44-2", "Fedora-43-1")
        points = [
            Followed(GatingPoint(Subject("compose", name), "fedora", "push"), 1, "wait") for name in names
        ]
        gone = Followed(GatingPoint(Subject("compose", "Fedora-44-3"), "fedora", "push"), 1, "go")
        state = decisions.record(decisions.begin(), START, "", followed=[*points, gone])
        decisions.record(state, START, "", plans=[PlanNews("compose", "Fedora-44-*"), PlanNews("ami", "*")])
        woken = {each.point.subject.identifier for each in decisions.waking(FAR, 10)}
        assert woken == {"Fedora-44-1", "Fedora-44-2"}

    def test_the_dump_tells_of_events_and_decisions(self, store: Store) -> None:
        store.save_events([awaited()])
        store.decisions.record(store.decisions.begin(), START, "", [recorded(), recorded(2, verdict="go")])
        whole, portable = (list(store.dump(portable=each)) for each in (False, True))
        for fact, times in (("expectation", (2, 2)), ("decision", (2, 1))):
            found = tuple(sum(f'"fact":"{fact}"' in line for line in dump) for dump in (whole, portable))
            assert found == times, fact

    def test_verdicts_of_late_are_counted(self, store: Store) -> None:
        assert store.decisions.lately() == {}
        made = [recorded(), recorded(2, verdict="go"), recorded(3, verdict="wait"), recorded(4)]
        store.decisions.record(store.decisions.begin(), START, "", made)
        assert store.decisions.lately() == {"go": 1, "wait": 3}
        assert store.decisions.lately(2) == {"wait": 2}

    def test_gating_points_are_listed_page_by_page_the_newest_first(self, store: Store) -> None:
        state = store.decisions.begin()
        points = [GatingPoint(BASH, "fedora-40", name) for name in ("a", "b", "c")]
        made = [recorded(point=each, at=SINCE + timedelta(hours=n)) for n, each in enumerate(points)]
        store.decisions.record(state, Position(1, 0), "sha256:1", made)
        first = store.decisions.points(limit=2)
        assert [(point.context, at) for _, point, at in first] == [
            ("c", SINCE + timedelta(hours=2)), ("b", SINCE + timedelta(hours=1)),
        ]  # fmt: skip
        assert [point.context for _, point, _ in store.decisions.points(first[-1][0])] == ["a"]
