"""Waiting for a decision: as soon as it is made, and no longer than asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Request
from ci_results.domain.decision import Verdict
from ci_results.domain.page import Page
from ci_results.domain.subject import Subject
from ci_results.operations.gate import Gate
from ci_results.operations.gating.waiting import JUDGE_EVERY_S, LOOK_EVERY_S, decide_within
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

POLICY = b"""
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.case}
"""
REQUEST = Request(
    subjects=(Subject("koji_build", "bash-5.2-1.fc40"),), product_version="fedora-40", contexts=("push",)
)


class Clock:
    """Goes on by sleeping only; what happens at which second is told beforehand."""

    def __init__(self, happens: dict[float, Callable[[], None]]) -> None:
        self.now, self.happens, self.slept = 0.0, happens, 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1
        for moment in [each for each in self.happens if each <= self.now]:
            self.happens.pop(moment)()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore.open(tmp_path / "r.db")


def within(store: SqliteStore, limit_s: float, clock: Clock) -> Verdict:
    gate = Gate(store=store, policies=load([("p.yaml", POLICY)], {kind.name: kind for kind in RULE_TYPES}))
    return decide_within(gate, REQUEST, limit_s, monotonic=clock, sleep=clock.sleep).verdict


def put(store: SqliteStore, outcome: str, **more: str) -> Callable[[], None]:
    page = Page(source="ci", results=[result(outcome, outcome=outcome, **more)])

    def commit() -> None:
        store.commit_page(page)

    return commit


@pytest.mark.parametrize(("outcome", "verdict"), [("passed", Verdict.GO), ("failed", Verdict.NO_GO)])
def test_it_ends_when_the_result_is_there(store: SqliteStore, outcome: str, verdict: Verdict) -> None:
    clock = Clock({7.0: put(store, outcome)})
    assert within(store, 60, clock) is verdict
    assert 7.0 <= clock.now <= 7.0 + LOOK_EVERY_S


def test_what_is_of_no_concern_does_not_end_it(store: SqliteStore) -> None:
    clock = Clock({1.0: put(store, "running"), 2.0: put(store, "passed", testcase="ns.other")})
    assert within(store, 5.2, clock) is Verdict.WAIT
    assert clock.now == pytest.approx(5.2)


def test_without_a_limit_it_is_decided_once(store: SqliteStore) -> None:
    clock = Clock({})
    assert within(store, 0, clock) is Verdict.WAIT
    assert clock.slept == 0


def test_time_alone_is_a_reason_to_decide_anew(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from ci_results.operations.gating import waiting

    judged: list[float] = []
    real, clock = waiting.decide, Clock({})

    def counted(gate: Gate, request: Request) -> object:
        judged.append(clock.now)
        return real(gate, request)

    monkeypatch.setattr(waiting, "decide", counted)
    within(store, 2 * JUDGE_EVERY_S + 1, clock)
    assert judged == [0, JUDGE_EVERY_S, 2 * JUDGE_EVERY_S]
