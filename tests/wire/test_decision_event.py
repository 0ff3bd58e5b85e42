"""What is announced of a decision, and when two are the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.judge import judge
from ci_results.decide.policy_set import load
from ci_results.domain.asked import Request
from ci_results.domain.decision import Decision
from ci_results.domain.facts import Evidence, Expectation, Facts
from ci_results.domain.recorded import GatingPoint, RecordedDecision
from ci_results.domain.subject import Subject
from ci_results.wire.decision_event import decision_event, peers_message, shape_of, told_to_peers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASH = Subject("koji_build", "bash-5.2-1.fc40")
POLICY = b"""
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: t.one}
- !ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: t.new}]}
"""
POLICIES = load([("p.yaml", POLICY)], {kind.name: kind for kind in RULE_TYPES})
RESULT = Evidence(1, "t.one", "PASSED", NOON)


def decided(*results: Evidence, now: datetime = NOON, expected: Expectation | None = None) -> Decision:
    latest = {each.testcase: [each] for each in results}
    facts = Facts(
        as_of=7, now=now, latest={BASH: latest},
        expectations={} if expected is None else {(BASH, "t.one"): expected},
    )  # fmt: skip
    asked = Request(subjects=(BASH,), product_version="fedora-40", contexts=("push",))
    return judge(POLICIES, asked, facts)


def looks(decision: Decision) -> str:
    return shape_of(str(decision.verdict), told_to_peers(decision, POLICIES.subject_types))


EXPECTED = Expectation(NOON, NOON + timedelta(hours=2), "built 1", "jdoe")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (decided(RESULT), decided(RESULT._replace(id=9, note="again")), True),
        (decided(RESULT), decided(RESULT, now=NOON + timedelta(days=9)), True),
        (decided(RESULT), decided(RESULT, Evidence(2, "t.new", "FAILED", NOON)), True),
        (decided(RESULT), decided(RESULT._replace(outcome="FAILED")), False),
        (decided(), decided(RESULT), False),
        (decided(), decided(RESULT._replace(outcome="RUNNING")), False),
        (decided(), decided(expected=EXPECTED), False),
        (decided(expected=EXPECTED), decided(expected=EXPECTED, now=NOON + timedelta(hours=1)), True),
        (decided(expected=EXPECTED), decided(expected=EXPECTED, now=NOON + timedelta(hours=2)), False),
    ],
    ids=[
        *(
            "another result",
            "later",
            "only informs",
            "failed",
            "came",
            "runs",
            "expected",
            "not late",
            "late",
        ),
    ],
)
def test_two_decisions_are_the_same_where_all_but_ids_of_results_is(
    one: Decision, other: Decision, same: bool
) -> None:
    assert (looks(one) == looks(other)) is same


def recorded(decision: Decision, number: int = 1, **fields: Any) -> RecordedDecision:
    kept = told_to_peers(decision, POLICIES.subject_types)
    return RecordedDecision(
        point=GatingPoint(BASH, "fedora-40", "push"), number=number, verdict=str(decision.verdict),
        old_verdict=None, satisfied=kept["policies_satisfied"], summary=kept["summary"], at=decision.now,
        as_of=decision.as_of, cause={"results": 1}, digest=decision.digest, answer=kept, proof={}, **fields,
    )  # fmt: skip


@pytest.mark.demand("S-074")
def test_the_event_tells_what_greenwave_would_now_and_before() -> None:
    before = recorded(decided(expected=EXPECTED))
    body = decision_event(recorded(decided(RESULT), 2), before)
    assert body["previous"]["unsatisfied_requirements"][0]["type"] == "test-result-missing"
    assert (body["policies_satisfied"], body["previous"]["policies_satisfied"]) == (True, False)
    assert body["subject"] == [{"type": "koji_build", "item": BASH.identifier}]
    peers = peers_message(body)
    assert "verdict" not in peers
    assert "testcase" not in peers
    assert decision_event(before, None)["previous"] is None
    assert decision_event(before, None)["expected"][0]["owner"] == "jdoe"


def test_the_testcase_is_told_where_a_waiver_alone_was_the_cause() -> None:
    waived = replace(recorded(decided(RESULT)), cause={"waivers": 1, "testcase": "t.one", "waiver": "t.one"})
    assert peers_message(decision_event(waived, None))["testcase"] == "t.one"
