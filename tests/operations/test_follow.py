"""Following: each change of a decision is recorded once, on both kinds of store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.expectation import Awaited, Event, Expected
from ci_results.domain.page import Page
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.recorded import GatingPoint, RecordedDecision
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Terms
from ci_results.errors import BusyError, StaleError
from ci_results.operations import follow as module
from ci_results.operations import recording, waive
from ci_results.operations.follow import Followed, Following, follow, follow_once
from ci_results.operations.gate import Gate
from ci_results.operations.waive import Desk, Wish
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON, result
from ci_results.waive.life import Actor

TYPES = {kind.name: kind for kind in RULE_TYPES}
NVR = "bash-5.2-1.fc40"
BASH = Subject("koji_build", NVR)
POINT = GatingPoint(BASH, "fedora-40", "push")
CASE = "- !PassingTestCaseRule {test_case_name: ns.case}\n"


def rules(text: str = CASE, contexts: str = "push") -> PolicySet:
    head = (
        f"id: x\nproduct_versions: ['fedora-*']\ndecision_contexts: [{contexts}]\n"
        "subject_type: koji_build\nrules:\n"
    )
    return load([("x.yaml", (head + text).encode())], TYPES)


@dataclass
class World:
    """A store that somebody follows, with a clock of its own and policies that may change."""

    store: Store
    policies: PolicySet = field(default_factory=rules)
    time: datetime = NOON + timedelta(hours=1)
    page: int = 500

    def __post_init__(self) -> None:
        self._gate: Gate | None = None

    def gate(self) -> Gate:
        if self._gate is None or self._gate.policies is not self.policies:
            self._gate = Gate(store=self.store, policies=self.policies, now=lambda: self.time)
        return self._gate

    def follow(self, **more: Any) -> Followed:
        return follow_once(Following(gate=self.gate, page=self.page, **more))

    def commit(self, key: str = "k", outcome: str = "passed", **fields: Any) -> None:
        self.store.commit_page(Page(source="ci", results=[result(key, outcome=outcome, **fields)]))

    def event(self, key: str = "b1", due: datetime | None = None, *testcases: str) -> None:
        names = testcases or ("ns.case",)
        happened = Event(source="koji", key=key, kind="build.complete", subject=BASH, time=NOON, owner="jdoe")
        expected = tuple(Expected(name, NOON, due, "jdoe") for name in names)
        self.store.save_events([Awaited(event=happened, actor="x", received_at=NOON, expected=expected)])

    def waive(self, **terms: Any) -> None:
        given = {
            "subject_type": "koji_build", "subject": NVR, "testcase": "ns.case",
            "product_version": "fedora-40",
        }  # fmt: skip
        desk = Desk(store=self.store, now=lambda: self.time)
        wish = Wish(terms=Terms(**(given | terms)), comment="infrastructure")
        waive.request(desk, [wish], Actor(username="rm", via="cli"))

    def told(self, point: GatingPoint = POINT) -> list[str]:
        """The verdicts at a gating point, in order."""
        return [each.verdict for each in reversed(self.store.decisions.history(point))]

    def newest(self, point: GatingPoint = POINT) -> RecordedDecision:
        return self.store.decisions.history(point, limit=1)[0]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = f"sqlite:{tmp_path / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("follow")
    opened = open_store(url)
    yield World(opened)
    opened.close()


@pytest.mark.demand("S-012", "S-053", "S-136")
def test_the_way_of_a_build_from_expected_to_open_is_recorded_step_by_step(world: World) -> None:
    world.event()
    assert world.follow() == Followed(facts=1, judged=1, recorded=1)
    first = world.newest()
    assert (first.verdict, first.old_verdict, first.satisfied) == ("wait", None, False)
    assert first.answer["expected"][0] == {
        "testcase": "ns.case", "since": "2026-03-01T12:00:00.000000Z", "overdue": False, "owner": "jdoe",
    }  # fmt: skip
    world.commit("k1", "failed")
    world.commit("k2", "passed", time=NOON + timedelta(minutes=1))
    assert world.follow() == Followed(facts=2, judged=1, recorded=1)
    second = world.newest()
    assert (second.verdict, second.old_verdict, second.number) == ("go", "wait", 2)
    assert second.cause == {"results": 2, "testcase": "ns.case"}
    assert world.store.decisions.before(second) == first
    assert world.follow() == Followed()


def test_what_changes_nothing_is_not_recorded(world: World) -> None:
    world.commit("k1")
    assert world.follow().recorded == 1
    world.commit("k2", time=NOON + timedelta(minutes=1))
    assert world.follow() == Followed(facts=1, judged=1)
    world.commit("k3", "failed", testcase="other.case")
    assert world.follow() == Followed(facts=1)
    assert world.told() == ["go"]


def test_a_store_in_which_nothing_happens_stays_as_it_is(world: World) -> None:
    world.commit()
    world.follow()
    before = list(world.store.dump()), world.store.decisions.begin()
    for _ in range(3):
        assert world.follow() == Followed()
    assert (list(world.store.dump()), world.store.decisions.begin()) == before


def test_each_context_is_judged_and_the_subject_is_read_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.policies = rules(contexts="push, compose, testing")
    read: list[Any] = []
    facts = recording.read_facts
    monkeypatch.setattr(recording, "read_facts", lambda *args: read.append(args) or facts(*args))
    for n in range(9):
        world.commit(f"k{n}", time=NOON + timedelta(minutes=n))
    assert world.follow() == Followed(facts=9, judged=3, recorded=3)
    assert len(read) == 1
    for context in ("push", "compose", "testing"):
        assert world.told(POINT._replace(context=context)) == ["go"]


@pytest.mark.parametrize("page", [1, 2, 500])
def test_pages_of_any_size_come_to_the_same(world: World, page: int) -> None:
    world.page = page
    world.event()
    items = [f"pkg{n}-1-1.fc40" for n in range(5)]
    results = [result(f"k{n}", item=item, outcome="failed") for n, item in enumerate(items)]
    world.store.commit_page(Page(source="ci", results=results))
    world.waive(subject=items[0])
    world.follow()
    newest = {
        item: world.newest(GatingPoint(Subject("koji_build", item), "fedora-40", "push")).verdict
        for item in items
    }
    assert newest == dict.fromkeys(items, "no-go") | {items[0]: "go"}
    assert world.told() == ["wait"]


@pytest.mark.demand("S-074")
def test_a_waiver_opens_a_gate_and_its_end_closes_it_again(world: World) -> None:
    world.commit("k", "failed")
    world.follow()
    world.waive(expires_at=world.time + timedelta(hours=2))
    assert world.follow().recorded == 1
    assert world.newest().cause == {"waivers": 1, "testcase": "ns.case", "waiver": "ns.case"}
    world.time += timedelta(hours=1)
    assert world.follow() == Followed()
    world.time += timedelta(hours=1)
    done = world.follow()
    assert (done.recorded, done.ended) == (1, 1)
    assert world.told() == ["no-go", "go", "no-go"]
    assert world.follow() == Followed()
    assert world.store.waivers.of_waiver(1)[-1].act.step == "expire"


@pytest.mark.demand("S-052")
def test_a_result_that_does_not_come_is_told_when_it_is_late(world: World) -> None:
    world.event("b1", world.time + timedelta(hours=2))
    world.follow()
    assert world.store.decisions.next_wake() == world.time + timedelta(hours=2)
    world.time += timedelta(hours=2)
    assert world.follow() == Followed(judged=1, recorded=1)
    late = world.newest()
    assert (late.verdict, late.old_verdict, late.cause) == ("wait", "wait", {"time": 1})
    assert late.answer["expected"][0]["overdue"] is True
    assert late.proof["subjects"][0]["requirements"][0]["overdue"] is True
    assert world.store.decisions.next_wake() is None
    world.commit()
    world.follow()
    assert world.told() == ["wait", "wait", "go"]


def test_new_policies_are_held_against_gates_that_are_not_open(world: World) -> None:
    world.page = 2
    for n in range(5):
        world.commit(f"k{n}", "failed", item=f"pkg{n}-1-1.fc40")
    world.commit("good")
    world.follow()
    world.policies = rules("- !PassingTestCaseRule {test_case_name: other.case}\n")
    assert world.follow() == Followed(judged=5, recorded=5)
    assert world.follow() == Followed()
    assert world.told() == ["go"], "what was let through is not asked again"
    point = GatingPoint(Subject("koji_build", "pkg0-1-1.fc40"), "fedora-40", "push")
    assert world.told(point) == ["no-go", "wait"]
    assert world.newest(point).cause == {"policies": 1}


def test_a_subject_that_no_policy_is_for_any_more_is_told_so(world: World) -> None:
    world.commit("k", "failed")
    world.follow()
    world.policies = rules(contexts="elsewhere")
    world.follow()
    assert world.told() == ["no-go", "no-policy"]


@pytest.mark.parametrize("item", [NVR, "bash-*"])
def test_a_plan_that_changes_is_a_reason_to_judge_again(world: World, item: str) -> None:
    world.policies = rules("- !ManualPlanRule {plan: beta}\n")
    cases = (PlanCase(testcase="ns.case"), PlanCase(testcase="ns.more"))
    world.store.save_plan(Plan(name="beta", item_type="koji_build", item=item, cases=cases), "x", before=0)
    world.commit()
    world.event()
    world.follow()
    shorter = Plan(name="beta", item_type="koji_build", item=item, cases=cases[:1])
    world.store.save_plan(shorter, "x", before=1)
    world.time = world.store.plan("beta").time + timedelta(minutes=1)
    world.follow()
    assert world.told() == ["wait", "go"]


def test_a_product_version_that_only_the_event_tells_is_followed_when_results_come(world: World) -> None:
    head = "id: x\nproduct_versions: ['*']\ndecision_context: push\nsubject_type: plain\nrules:\n"
    world.policies = load([("x.yaml", (head + CASE).encode())], TYPES)
    subject = Subject("plain", "rpms/bash#12")
    happened = Event(source="git", key="1", kind="push", subject=subject, product_version="rawhide")
    world.store.save_events(
        [Awaited(event=happened, actor="x", received_at=NOON, product_versions=("rawhide",))]
    )
    world.follow()
    world.commit("k", item="rpms/bash#12", item_type="plain")
    world.follow()
    assert world.told(GatingPoint(subject, "rawhide", "push")) == ["wait", "go"]
    assert world.store.decisions.history(GatingPoint(subject, "*", "push")) == []


def test_one_subject_that_cannot_be_judged_now_holds_nothing_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit("k1")
    world.commit("k2", item="zsh-5-1.fc40")
    facts = recording.read_facts

    def busy(gate: Gate, request: Any) -> Any:
        if request.subjects == (BASH,):
            raise BusyError("changes too fast")
        return facts(gate, request)

    monkeypatch.setattr(recording, "read_facts", busy)
    assert world.follow() == Followed(facts=2, judged=2, recorded=1, postponed=1)
    monkeypatch.undo()
    assert world.follow() == Followed()
    world.time += recording.AGAIN
    assert world.follow() == Followed(judged=1, recorded=1)
    assert world.told() == ["go"]


def test_a_follower_that_begins_at_the_end_leaves_the_past_alone(world: World) -> None:
    world.commit("k1")
    assert world.follow(at_end=True) == Followed()
    world.commit("k2", "failed", time=NOON + timedelta(minutes=1))
    assert world.follow(at_end=True) == Followed(facts=1, judged=1, recorded=1)
    assert world.told() == ["no-go"]


def test_two_do_not_follow_at_once(world: World) -> None:
    with world.store.decisions.lease(), pytest.raises(BusyError, match="another follower"):
        world.follow()


def test_one_that_was_overtaken_writes_nothing_and_the_other_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a session of PostgreSQL is lost while its process goes on."""
    world.commit()
    facts = recording.read_facts

    def overtaken(*args: Any) -> Any:
        monkeypatch.undo()
        inner = module._Follower(Following(gate=world.gate))
        assert sum((done for done in _until_idle(inner)), Followed()).recorded == 1
        return facts(*args)

    monkeypatch.setattr(recording, "read_facts", overtaken)
    with pytest.raises(StaleError):
        world.follow()
    assert world.told() == ["go"]
    assert world.follow() == Followed()


def _until_idle(follower: Any) -> Iterator[Followed]:
    for done in follower.steps():
        if done == Followed():
            return
        yield done


def test_following_goes_on_until_it_is_stopped(world: World) -> None:
    world.commit()
    seen: list[Followed] = []
    around = Following(gate=world.gate)

    def tell(done: Followed) -> None:
        seen.append(done)
        if len(seen) == 1:
            world.commit("k2", "failed", time=NOON + timedelta(minutes=1))
        else:
            around.stop.set()

    around = replace(around, tell=tell)
    assert follow(around, 0.01).recorded == 2
    assert world.told() == ["go", "no-go"]


def test_whoever_stores_a_fact_judges_nothing(world: World) -> None:
    world.event()
    world.commit("k", "failed")
    world.waive()
    assert not [line for line in world.store.dump() if '"fact":"decision"' in line]
    assert world.told() == []


def test_results_that_come_at_once_come_to_the_truth(world: World) -> None:
    """Had each commit judged for itself, both would have seen the other's result missing."""
    names = [f"ns.case{n}" for n in range(4)]
    world.policies = rules("".join(f"- !PassingTestCaseRule {{test_case_name: {name}}}\n" for name in names))
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: world.commit(name, testcase=name), names))
    world.page = 1
    world.follow()
    assert world.told()[-1] == "go"
    assert world.newest().as_of == 4


class CrashError(Exception):
    """As if the process ended here."""


@pytest.mark.parametrize("page", [2, 500])
def test_a_crash_at_any_statement_loses_nothing_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    world.page = page
    items = [f"pkg{n}-1-1.fc40" for n in range(3)]
    world.store.commit_page(Page(source="ci", results=[result(item, item=item) for item in items]))
    world.store.decisions.begin()
    change = world.store.decisions._change
    at, crashes = 0, 0
    while True:
        left = at

        def crashing(operation: Any) -> Any:
            def do(ask: Any) -> Any:
                def one(sql: str, values: Any) -> Any:
                    nonlocal left
                    left -= 1
                    if left < 0:
                        raise CrashError
                    return ask(sql, values)

                done = operation(one)
                one("select 1", {})  # the end: all is said, and nothing committed
                return done

            return change(do)

        monkeypatch.setattr(world.store.decisions, "_change", crashing)
        try:
            world.follow()
        except CrashError:
            crashes += 1
            at = at + 1 if left < 0 else at
            continue
        break
    monkeypatch.undo()
    assert crashes >= 9
    assert world.follow() == Followed()
    for item in items:
        assert world.told(GatingPoint(Subject("koji_build", item), "fedora-40", "push")) == ["go"]
    kinds = [line for line in world.store.dump() if '"fact":"decision"' in line]
    assert len(kinds) == len(items)


@pytest.mark.demand("S-113")
def test_what_only_a_ci_server_knows_is_told_as_missing(world: World) -> None:
    world.event()
    world.follow()
    (only,) = world.newest().proof["subjects"][0]["requirements"]
    assert (only["state"], only["event"], only["owner"]) == ("missing", "build.complete b1", "jdoe")


def test_what_is_due_has_its_turn_however_much_comes_in(world: World) -> None:
    world.page = 1
    world.event("b1", world.time + timedelta(hours=1))
    world.follow()
    world.time += timedelta(hours=2)
    for n in range(5):
        world.commit(f"k{n}", item="zsh-5-1.fc40")
    steps = module._Follower(Following(gate=world.gate, page=1)).steps()
    next(steps)
    assert world.newest().cause == {"time": 1}
