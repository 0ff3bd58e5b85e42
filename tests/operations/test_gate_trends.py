"""Histories and baselines: what decisions know beyond the latest results, on both kinds of store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from gate_cases import BASH, asked, decided, put, rules

from ci_results.domain.decision import Decision, Verdict
from ci_results.domain.run import Run
from ci_results.domain.stored import SourceState
from ci_results.domain.subject import Subject
from ci_results.errors import TooBroadError
from ci_results.operations.gate import Gate, decide
from ci_results.operations.gating import trends
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON, result

GOOD, BAD = "passed", "failed"


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def runs(store: Store, *outcomes: str, item: str = BASH.identifier, start: int = 0, **more: Any) -> None:
    """Store runs of one testcase, an hour apart."""
    for number, outcome in enumerate(outcomes, start):
        time = NOON + timedelta(hours=number)
        put(store, result(f"{item}-{number}", outcome=outcome, item=item, time=time, run=None, **more))


def said(decision: Decision) -> tuple[str, str | None]:
    (each,) = decision.requirements
    return str(each.state), each.said


def rate(store: Store, keys: str, **more: Any) -> tuple[str, str | None]:
    return said(decided(store, f"- !PassRateRule {{testcase: ns.case, {keys}}}\n", **more))


# -- histories ---------------------------------------------------------------------------------------


@pytest.mark.demand("S-096")
def test_the_last_finished_results_are_counted_whatever_runs_now(store: Store) -> None:
    runs(store, BAD, BAD, GOOD, GOOD, BAD, GOOD, "running")
    assert rate(store, "rate: 0.7, last: 4") == ("passed", "3 of the last 4 passed, 70% needed")
    assert rate(store, "rate: 0.8, last: 4")[0] == "failed"
    assert rate(store, "rate: 0.8, last: 9") == (
        "waiting", "3 of the last 6 passed, 80% needed; 9 results needed",
    )  # fmt: skip
    assert rate(store, "rate: 0.5, last: 9, least: 6")[0] == "passed"


def test_a_run_that_ended_is_counted_once_and_as_it_ended(store: Store) -> None:
    for hour, outcome in enumerate(("running", BAD, GOOD)):
        put(store, result("same", outcome=outcome, time=NOON + timedelta(hours=hour)))
    assert rate(store, "rate: 1, last: 3, least: 1") == ("passed", "1 of the last 1 passed, 100% needed")


def test_a_history_is_of_one_scenario_where_the_rule_says_so(store: Store) -> None:
    runs(store, GOOD, GOOD, scenario="uefi")
    runs(store, BAD, BAD, BAD, start=2, scenario="bios")
    runs(store, GOOD, start=5, data={"scenario": ("uefi", "x")})
    assert rate(store, "rate: 1, last: 3, scenario: uefi")[0] == "passed"
    assert rate(store, "rate: 1, last: 3")[0] == "failed"


def test_a_history_is_of_all_names_of_the_subject(store: Store) -> None:
    runs(store, GOOD)
    names = {"original_spec_nvr": (BASH.identifier,)}
    put(store, result("x", item="bash-libs-5.2-1.fc40", item_type="rpm", outcome=BAD, run=None, data=names,
                      time=NOON - timedelta(hours=1)))  # fmt: skip
    assert rate(store, "rate: 0.5, last: 2")[1] == "1 of the last 2 passed, 50% needed"
    assert rate(store, "rate: 1, last: 1")[0] == "passed"


@pytest.mark.demand("S-096")
def test_a_history_of_a_component_is_of_all_its_builds(store: Store) -> None:
    runs(store, BAD, GOOD, GOOD, item="bash-5.1-1.fc40")
    runs(store, GOOD, "running", start=3)
    runs(store, BAD, BAD, BAD, item="glibc-5.1-1.fc40", start=5)
    runs(store, BAD, item="bash-5.1-1.fc40.x86_64", item_type="rpm", start=9)
    assert rate(store, "rate: 1, last: 3, over: component")[0] == "passed"
    assert rate(store, "rate: 1, last: 4, over: component") == (
        "failed", "3 of the last 4 passed, 100% needed",
    )  # fmt: skip
    assert rate(store, "rate: 1, last: 3")[0] == "waiting"


@pytest.mark.parametrize("over", ["item", "component"])
def test_a_history_of_a_time_gone_by_is_what_it_was(store: Store, over: str) -> None:
    runs(store, BAD, GOOD, GOOD, "running")
    put(store, result("fixed", outcome=BAD, time=NOON + timedelta(hours=4)))
    put(store, result("fixed", outcome=GOOD, time=NOON + timedelta(hours=6)))

    def then(hours: int) -> str | None:
        when = NOON + timedelta(hours=hours, minutes=30)
        return rate(store, f"rate: 1, last: 2, least: 1, over: {over}", when=when)[1]

    assert [then(hours) for hours in (0, 1, 3, 4, 6)] == [
        "0 of the last 1 passed, 100% needed",
        "1 of the last 2 passed, 100% needed",
        "2 of the last 2 passed, 100% needed",
        "1 of the last 2 passed, 100% needed",  # nobody knew then that it would be mended
        "2 of the last 2 passed, 100% needed",
    ]


def test_a_component_with_more_items_than_are_looked_at_has_no_history_of_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trends, "ITEMS", 2)
    runs(store, GOOD)
    runs(store, GOOD, item="bash-5.3-1.fc40", start=1)
    keys = "rate: 1, last: 1, over: component"
    assert rate(store, keys)[0] == "passed"
    assert rate(store, keys, when=NOON) == (
        "unknown", "bash has too many items since then: leave the time out",
    )  # fmt: skip


def test_what_the_errata_tool_said_is_no_history(store: Store) -> None:
    store.register_source(SourceState(name="import-et", collector="import"))
    runs(store, BAD, BAD)
    for number in range(3):
        put(store, result(f"et{number}", source="import-et", run=Run(key=f"e#{number}"),
                          time=NOON + timedelta(hours=5 + number)))  # fmt: skip
    for over in ("item", "component"):
        assert rate(store, f"rate: 0.5, last: 2, over: {over}")[0] == "failed"


def test_a_subject_without_a_component_has_no_history_of_one(store: Store) -> None:
    compose = Subject("compose", "Fedora-44-20260301.0")
    text = rules("- !PassRateRule {testcase: ns.case, rate: 1, last: 1, over: component}\n")

    policy = replace(text.policies[0], subject_types=("compose",))
    made = decide(Gate(store=store, policies=type(text)([policy], text.types)), asked(subjects=(compose,)))
    assert said(made) == ("unknown", "compose Fedora-44-20260301.0 does not tell its component")
    assert made.verdict is Verdict.ERROR


def test_a_history_behind_more_than_is_looked_at_is_no_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trends, "MOST", 5)
    runs(store, GOOD, *["running"] * 6)
    with pytest.raises(TooBroadError, match="ask for fewer"):
        rate(store, "rate: 1, last: 1, scenario: none")


# -- baselines ---------------------------------------------------------------------------------------

PREVIOUS = '- !NoNewFailuresRule {testcases: ["ns.*"], baseline: previous}\n'


@pytest.mark.demand("S-096")
def test_what_passed_on_the_build_before_must_pass_and_what_failed_may_fail(store: Store) -> None:
    put(store, result("a", item="bash-5.1-9.fc40", testcase="ns.a"),
        result("b", item="bash-5.1-9.fc40", testcase="ns.b", outcome=BAD),
        result("c", testcase="ns.b", outcome=BAD))  # fmt: skip
    assert said(decided(store, PREVIOUS)) == ("missing", "0 of 1 that passed on bash-5.1-9.fc40 pass")
    put(store, result("d", testcase="ns.a", outcome=BAD))
    assert decided(store, PREVIOUS).verdict is Verdict.NO_GO
    put(store, result("e", testcase="ns.a", time=NOON + timedelta(hours=1)))
    assert decided(store, PREVIOUS).verdict is Verdict.GO


@pytest.mark.parametrize(
    ("builds", "before"),
    [
        (["bash-5.2-1.fc39", "bash-5.1-10.fc40", "bash-5.1-9.fc40"], "bash-5.1-10.fc40"),
        (["bash-5.1-1.fc40", "bash-5.10-1.fc40", "bash-5.2-2.fc40"], "bash-5.1-1.fc40"),
        (["bash-5.1-1.fc40", "bash-5.2~rc1-1.fc40"], "bash-5.2~rc1-1.fc40"),
        (["bash-libs-5.1-1.fc40", "bash-5.0-1.fc40"], "bash-5.0-1.fc40"),
        (["bash-0:5.1-1.fc40"], "bash-0:5.1-1.fc40"),
    ],
)
def test_the_build_before_is_the_last_lower_version_for_the_same_product(
    store: Store, builds: list[str], before: str
) -> None:
    for build in builds:
        runs(store, GOOD, item=build)
    runs(store, GOOD)
    assert said(decided(store, PREVIOUS)) == ("passed", f"1 of 1 that passed on {before} pass")


def test_a_build_before_without_a_finished_result_is_passed_over(store: Store) -> None:
    runs(store, GOOD, item="bash-5.0-1.fc40")
    runs(store, "running", item="bash-5.1-1.fc40")
    runs(store, GOOD, item="bash-5.1-2.fc40", testcase="other.case")
    runs(store, BAD)
    assert said(decided(store, PREVIOUS)) == ("failed", "0 of 1 that passed on bash-5.0-1.fc40 pass")


def test_a_baseline_of_a_time_gone_by_is_what_it_was(store: Store) -> None:
    runs(store, GOOD, item="bash-5.0-1.fc40")
    runs(store, BAD, start=1)
    runs(store, BAD, item="bash-5.1-1.fc40", start=2)
    assert said(decided(store, PREVIOUS))[0] == "passed"
    then = decided(store, PREVIOUS, when=NOON + timedelta(hours=1))
    assert said(then) == ("failed", "0 of 1 that passed on bash-5.0-1.fc40 pass")


@pytest.mark.parametrize("named", ["previous", "bash-5.1-1.fc40", "request"])
def test_without_a_baseline_nothing_is_told_and_nothing_opens(store: Store, named: str) -> None:
    runs(store, GOOD)
    text = f'- !NoNewFailuresRule {{testcases: ["ns.*"], baseline: {named}}}\n'
    made = decided(store, text, baseline="bash-5.1-1.fc40")
    assert made.verdict is Verdict.ERROR
    which = "no item of the component before this one" if named == "previous" else "bash-5.1-1.fc40"
    assert which in str(said(made)[1])
    assert "finished result of ns.*" in str(said(made)[1])


def test_the_request_may_name_the_baseline(store: Store) -> None:
    runs(store, GOOD, item="zsh-1-1.fc40")
    runs(store, GOOD)
    text = '- !NoNewFailuresRule {testcases: ["ns.*"], baseline: request}\n'
    made = decided(store, text, baseline="zsh-1-1.fc40")
    assert (made.verdict, said(made)[1]) == ("go", "1 of 1 that passed on zsh-1-1.fc40 pass")


def test_items_that_are_no_builds_go_by_when_they_came(store: Store) -> None:
    policies = rules(PREVIOUS)

    module = replace(policies.policies[0], subject_types=("redhat-module",))
    gate = Gate(store=store, policies=type(policies)([module], policies.types))
    names = [f"nodejs:20:{stamp}:1a2b" for stamp in ("20260101", "20260201", "20260301")]
    for name in names:
        runs(store, GOOD, item=name, item_type="redhat-module")
    for before, name in pairwise(names):
        made = decide(gate, asked(subjects=(Subject("redhat-module", name),)))
        assert said(made)[1] == f"1 of 1 that passed on {before} pass"
    assert decide(gate, asked(subjects=(Subject("redhat-module", names[0]),))).verdict is Verdict.ERROR
