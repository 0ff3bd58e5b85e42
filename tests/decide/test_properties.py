"""What holds of every decision, whatever the policies and facts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.decide.judge import judge
from ci_results.domain.asked import BaselineOf, HistoryOf, PlanOf, SelectOf
from ci_results.domain.decision import Decision, Requirement, Verdict
from ci_results.domain.facts import Baseline, Evidence, Facts, Selected
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.waiver import Waiver
from ci_results.wire import decision_json

from .making import BASH, NOW, REQUEST, TYPES, facts, policies, result, waiver

CASES = tuple(f"t.{n}" for n in range(4))
ARCHES = (None, "x86_64", "s390x")
RULES = (
    "!PassingTestCaseRule {test_case_name: t.0}",
    "!PassingTestCaseRule {test_case_name: t.1, scenario: uefi}",
    "!ResultsRule {testcases: ['t.*'], at_least: 2}",
    "!ResultsRule {testcases: [t.0, t.2], arch: s390x}",
    "!AtLeastRule {at_least: 2, testcases: [t.0, t.1, t.2]}",
    "!AtLeastRule {at_least: 1, testcases: [t.1, t.3]}",
    "!PassRateRule {testcase: t.0, rate: 0.5, last: 3}",
    "!PassRateRule {testcase: t.1, rate: 0.9, last: 4, least: 1}",
    "!ManualPlanRule {plan: beta}",
    "!ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: t.3}]}",
    "!PackagesRule {packages: [bash], rules: [!PassingTestCaseRule {test_case_name: t.2}]}",
)
NOT_MONOTONIC = (
    "!NoNewFailuresRule {testcases: ['t.*']}",
    "!SelectRule {name: t.3, select: select 1}",
    "!ResultsRule {testcases: [t.0], max_age: 1d}",
    "!ResultsRule {testcases: [t.0], imported: false}",
    "!ResultsRule {testcases: [t.0], data: {k: [v]}}",
    "!ResultsRule {testcases: [t.0], outcomes: [FAILED]}",
)
PLAN = Plan(
    name="beta",
    item_type="koji_build",
    item="*",
    cases=tuple(PlanCase(testcase=case) for case in CASES[:2]),
)
OUTCOMES = ("PASSED", "INFO", "FAILED", "NEEDS_INSPECTION", "ERROR", "QUEUED", "RUNNING")

variants = st.tuples(st.sampled_from(CASES), st.sampled_from(ARCHES), st.sampled_from([None, "uefi"]))
states = st.dictionaries(variants, st.sampled_from(OUTCOMES), max_size=8)
rule_sets = st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True)


def known(state: dict[tuple[str, str | None, str | None], str], **more: Any) -> Facts:
    """Return facts of which the latest results are these; each also is the history of its testcase."""
    results = [
        result(case, outcome, number, arch=arch, scenario=scenario)
        for number, ((case, arch, scenario), outcome) in enumerate(state.items(), 1)
    ]
    return facts(*results, **histories(results), plans={PlanOf(BASH, "beta"): PLAN}, **more)


def histories(results: list[Evidence]) -> dict[str, Any]:
    """Return the history of each testcase: its finished results, newest first."""

    def of(testcase: str) -> list[Evidence]:
        done = [each for each in results if each.testcase == testcase]
        return [each for each in reversed(done) if each.outcome not in ("QUEUED", "RUNNING")]

    asked = (HistoryOf(BASH, "t.0", 3), HistoryOf(BASH, "t.1", 4))
    return {"histories": {question: of(question.testcase) for question in asked}}


def weighed(decision: Decision) -> Iterator[Requirement]:
    """Yield all requirements and their parts."""
    waiting = list(decision.requirements)
    while waiting:
        each = waiting.pop()
        yield each
        waiting += each.parts


@given(rule_sets, states, variants)
@pytest.mark.demand("S-095")
def test_one_more_passed_result_never_closes_a_gate(
    rules: list[str],
    state: dict[tuple[str, str | None, str | None], str],
    passed: tuple[str, str | None, str | None],
) -> None:
    chosen = policies("\n".join(rules))
    before = judge(chosen, REQUEST, known(state))
    rest = {variant: outcome for variant, outcome in state.items() if variant != passed}
    after = judge(chosen, REQUEST, known(rest | {passed: "PASSED"}))
    assert after.verdict is Verdict.GO or before.verdict is not Verdict.GO


@pytest.mark.parametrize("rule", RULES)
def test_rules_that_can_only_open_say_so(rule: str) -> None:
    (read,) = policies(rule).policies[0].rules
    assert read.type.monotonic(read.options)


@pytest.mark.parametrize("rule", NOT_MONOTONIC)
def test_rules_that_a_passed_result_may_close_say_so(rule: str) -> None:
    (read,) = policies(rule).policies[0].rules
    assert not read.type.monotonic(read.options)


WRONG = st.sampled_from(
    (
        {"subject_type": "compose"},
        {"subject": "bash-5.2-2.fc40"},
        {"testcase": "t.9"},
        {"scenario": "cloud"},
        {"arch": "riscv64"},
        {"product_version": "fedora-41"},
        {"purpose": "advisory:FEDORA-2026-1"},
        {"purpose": "context:else"},
        {"purpose": "product:fedora-41"},
        {"expires_at": NOW},
        {"expires_at": NOW - timedelta(seconds=1)},
        {"waived": False},
        {"seq": 101},
        {"signatures": ("1-aa",)},
    )
)
everything = st.lists(st.sampled_from(RULES + NOT_MONOTONIC), min_size=1, max_size=5, unique=True)
NAMES = st.sampled_from((*CASES, "missing-gating-yaml", "failed-fetch-gating-yaml", "tier-gate"))


@given(everything, states, NAMES, WRONG)
@pytest.mark.demand("S-067", "S-068", "S-069")
def test_a_waiver_out_of_its_purpose_scope_or_time_counts_on_no_path(
    rules: list[str],
    state: dict[tuple[str, str | None, str | None], str],
    testcase: str,
    wrong: dict[str, Any],
) -> None:
    chosen = policies("\n".join([*rules, "!RemoteRule {required: true}"]))
    given_ = waiver(**({"testcase": testcase} | wrong))
    more = {"baselines": compared(state), "selects": {SelectOf("select 1", (), 20): Selected(((1,),))}}
    without = judge(chosen, REQUEST, known(state, **more))
    told = judge(chosen, REQUEST, known(state, waivers=[given_], **more))
    assert told.verdict is without.verdict
    assert all(each.waiver is None for each in weighed(told))
    assert told.progress == without.progress


def compared(state: dict[tuple[str, str | None, str | None], str]) -> dict[BaselineOf, Baseline]:
    """Return a baseline on which everything passed."""
    latest: dict[str, list[Evidence]] = {}
    for case, arch, scenario in state:
        latest.setdefault(case, []).append(result(case, "PASSED", 99, arch=arch, scenario=scenario))
    return {BaselineOf(BASH, None, ("t.*",)): Baseline("bash-5.2-0.fc40", latest)}


@given(everything, states, st.lists(st.sampled_from(CASES), max_size=3), st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_bytes_in_whatever_order_they_were_read(
    rules: list[str],
    state: dict[tuple[str, str | None, str | None], str],
    waived: list[str],
    shuffled: random.Random,
) -> None:
    chosen = policies("\n".join(rules))
    waivers: list[Waiver] = [waiver(case, 7 + n) for n, case in enumerate(waived)]
    first = known(state, waivers=waivers, baselines=compared(state))
    names = list(first.latest[BASH])
    shuffled.shuffle(names)
    second = first._replace(latest={BASH: {name: first.latest[BASH][name] for name in names}})
    told = [
        orjson.dumps(decision_json.decision(judge(each, REQUEST, one)))
        for each, one in ((chosen, first), (chosen, second), (policies("\n".join(rules)), first))
    ]
    assert told[0] == told[1] == told[2]


def test_every_rule_type_is_in_these_properties_or_has_a_reason_not_to_be() -> None:
    named = {rule.split()[0].removeprefix("!") for rule in RULES + NOT_MONOTONIC}
    assert set(TYPES) - named == {"RemoteRule", "TierRule"}  # they weigh others' rules, which are
