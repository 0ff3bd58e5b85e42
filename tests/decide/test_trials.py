"""Tables of facts and expected verdicts: how they are read, and what they decide by."""

from __future__ import annotations

import re

import pytest

from ci_results.decide.trials import read_trials
from ci_results.decide.trying import Tried, try_policies
from ci_results.decide.yaml_tree import Unreadable

from .making import policies

HEAD = "product_version: fedora-40\ncontext: push\ntests:\n"
TRIAL = "- name: one\n  subject: bash-5.2-1.fc40\n  verdict: go\n"


def tried(rules: str, facts: str, verdict: str = "go") -> Tried:
    text = f"{HEAD}- name: one\n  subject: bash-5.2-1.fc40\n  verdict: {verdict}\n{facts}"
    (trial,) = read_trials("x.test.yaml", text.encode()).trials
    return try_policies(policies(rules), trial)


CASE = "!PassingTestCaseRule {test_case_name: ns.case}"


@pytest.mark.parametrize(
    ("rule", "facts", "verdict"),
    [
        (CASE, "  results: [{ns.case: passed}]", "go"),
        (CASE, "  results: [{ns.case: FAILED}]", "no-go"),
        (CASE, "  results: [{ns.case: error}]", "error"),
        (CASE, "  results: [{ns.case: running}]", "wait"),
        (CASE, "", "wait"),
        (CASE, "  results: [{testcase: ns.case, outcome: passed, item: zsh-5-1.fc40}]", "wait"),
        (
            CASE,
            "  results: [{testcase: ns.case, outcome: failed, age: 2h}, {ns.case: passed}]",
            "go",
        ),
        (
            CASE,
            "  results: [{testcase: ns.case, outcome: failed, arch: s390x}, {ns.case: passed}]",
            "no-go",
        ),
        (CASE, "  results: [{testcase: ns.case, outcome: passed, time: 2026-01-01 12:01}]", "wait"),
        (
            "!ResultsRule {testcases: [ns.case], max_age: 1d}",
            "  results: [{testcase: ns.case, outcome: passed, age: 2d}]",
            "wait",
        ),
        (
            "!ResultsRule {testcases: [ns.case], imported: false}",
            "  results: [{testcase: ns.case, outcome: passed, imported: true}]",
            "wait",
        ),
        (
            "!ResultsRule {testcases: [ns.case], data: {tier: ['1']}}",
            "  results: [{testcase: ns.case, outcome: passed, data: {tier: 1}}]",
            "go",
        ),
        (
            "!PassRateRule {testcase: ns.case, rate: 0.6, last: 3, least: 3}",
            "  results: [{ns.case: passed}, {ns.case: failed}, {ns.case: passed}, {ns.case: queued}]",
            "go",
        ),
        (
            "!PassRateRule {testcase: ns.case, rate: 0.6, last: 3, least: 3, over: component}",
            "  results: [{ns.case: passed}, {testcase: ns.case, outcome: failed, item: bash-5.2-0.fc40},"
            " {testcase: ns.case, outcome: failed, item: bash-5.1-1.fc40}]",
            "no-go",
        ),
        (
            "!NoNewFailuresRule {testcases: ['ns.*']}",
            "  results: [{ns.case: failed}, {testcase: ns.case, outcome: passed, item: bash-5.1-1.fc40}]",
            "no-go",
        ),
        (
            "!NoNewFailuresRule {testcases: ['ns.*']}",
            "  results: [{ns.case: failed}, {testcase: ns.case, outcome: failed, item: bash-5.1-1.fc40}]",
            "go",
        ),
        ("!ManualPlanRule {plan: beta}", "  plans: {beta: [ns.case]}", "wait"),
        ("!ManualPlanRule {plan: beta}", "  plans: {beta: [ns.case]}\n  results: [{ns.case: passed}]", "go"),
        ("!SelectRule {name: gate.x, select: select 1}", "  selects: {gate.x: []}", "go"),
        ("!SelectRule {name: gate.x, select: select 1}", "  selects: {gate.x: [[1]]}", "no-go"),
        ("!SelectRule {name: gate.x, select: select 1}", "  selects: {gate.x: too slow}", "error"),
        ("!SelectRule {name: gate.x, select: select 1}", "", "error"),
        ("!RemoteRule {required: true, sources: ['https://x/{pkg_name}']}", "", "no-go"),
        (
            "!RemoteRule {required: true, sources: ['https://x/{pkg_name}']}",
            "  remote_file: |\n    --- !Policy\n    decision_context: push\n    rules:\n"
            "    - !PassingTestCaseRule {test_case_name: ns.case}\n  results: [{ns.case: passed}]",
            "go",
        ),
        (
            "!PassingTestCaseRule {test_case_name: ns.case, valid_since: 2026-01-01}",
            "  built: 2025-12-31",
            "go",
        ),
        (
            "!PassingTestCaseRule {test_case_name: ns.case, valid_since: 2026-01-01}",
            "  built: 2026-01-01 01:00",
            "wait",
        ),
        (
            "!TierRule {scope: closure, decision_context: push}",
            "  tiers: {a: {tier: 1, build: a-1-1.fc40}, b: {tier: 2, needs: [a], build: bash-5.2-1.fc40}}",
            "go",
        ),
    ],
)
def test_each_kind_of_fact_is_known_to_the_rules_that_ask_for_it(rule: str, facts: str, verdict: str) -> None:
    found = tried(rule, facts, verdict)
    assert found.problems == (), found.problems
    assert found.decision.verdict == verdict


FAILED = "  results: [{testcase: ns.case, outcome: failed, scenario: uefi}]\n"


@pytest.mark.parametrize(
    ("waiver", "verdict"),
    [
        ("{testcase: ns.case}", "go"),
        ("{testcase: ns.case, approved_by: [rm1, rm2]}", "go"),
        ("{testcase: ns.case, scenario: uefi, expires: 1d}", "go"),
        ("{testcase: ns.case, scenario: bios}", "no-go"),
        ("{testcase: ns.case, arch: s390x}", "no-go"),
        ("{testcase: ns.case, state: pending}", "no-go"),
        ("{testcase: ns.case, state: rejected}", "no-go"),
        ("{testcase: ns.case, state: withdrawn, approved_by: [rm1]}", "no-go"),
        ("{testcase: ns.case, expires: 2026-01-01 12:00}", "no-go"),
        ("{testcase: ns.case, expires: 2026-01-01 12:01}", "go"),
        ("{testcase: ns.case, purpose: 'advisory:RHSA-2026:1'}", "no-go"),
        ("{testcase: ns.case, product_version: fedora-41}", "no-go"),
        ("{testcase: ns.case, subject: bash-5.2-2.fc40}", "no-go"),
        ("{testcase: ns.case, signatures: [1-aa]}", "no-go"),
        ("{testcase: ns.case, signatures: [1-aa], lenient: true}", "go"),
    ],
)
def test_a_waiver_of_a_table_counts_as_one_of_a_store_does(waiver: str, verdict: str) -> None:
    assert tried(CASE, f"{FAILED}  waivers: [{waiver}]", verdict).problems == ()


def test_what_is_not_as_expected_is_told_with_its_line() -> None:
    found = tried(CASE, f"{FAILED}  blockers:\n  - ns.other: failed\n  informational: []")
    told = [f"{place}: {text}" for place, text in found.problems]
    assert told == [
        "x.test.yaml:6: verdict is no-go, expected go: ns.case (uefi): failed (required by a.yaml:8)",
        "x.test.yaml:9: blocker ns.other: failed is not there: ns.case (uefi): failed (required by a.yaml:8)",
        "x.test.yaml:4: blocker was not expected: ns.case (uefi): failed (required by a.yaml:8)",
    ]


def test_blockers_are_compared_by_what_is_said_of_them() -> None:
    for said in (
        "[ns.case]",
        "[{ns.case: failed}]",
        "[{testcase: ns.case, scenario: uefi}]",
    ):
        assert tried(CASE, f"{FAILED}  blockers: {said}", "no-go").problems == ()
    for said in ("[]", "[{ns.case: errored}]", "[{testcase: ns.case, scenario: bios}]", "[ns.case, ns.b]"):
        assert tried(CASE, f"{FAILED}  blockers: {said}", "no-go").problems != (), said


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("[]", 1, "one mapping"),
        ("tests: []", 1, "there is none"),
        (HEAD + "- 5", 4, "a test must be a mapping"),
        (HEAD + TRIAL.replace("verdict: go", "verdict: goo"), 6, "none of no-go, error"),
        (HEAD + TRIAL.replace("verdict", "verdit"), 6, "did you mean verdict"),
        (HEAD + TRIAL + "  verdict: go", 7, "twice"),
        (HEAD.replace("context: push\n", "") + TRIAL, 3, "needs a product_version and a context"),
        (HEAD + TRIAL + "  results: [{ns.case: passd}]", 7, "did you mean PASSED"),
        (HEAD + TRIAL + "  results:\n  - {testcase: ns.case}", 8, "a result needs outcome"),
        (
            HEAD + TRIAL + "  results:\n  - {testcase: ns.case, outcome: passed, ago: 2h}",
            8,
            "no key 'ago'",
        ),
        (HEAD + TRIAL + "  results:\n  - {testcase: ns.case, outcome: passed, age: soon}", 8, "a unit"),
        (HEAD + TRIAL + "  waivers:\n  - {testcase: ns.case, state: activ}", 8, "did you mean active"),
        (HEAD + TRIAL + "  waivers:\n  - {testcase: ns.case, purpose: all}", 8, "KIND:VALUE"),
        (HEAD + TRIAL + "  purposes: [all]", 7, "KIND:VALUE"),
        (HEAD + TRIAL + "  blockers:\n  - ns.case: fail", 8, "did you mean failed"),
        (HEAD + TRIAL + "  plans: {'b d': [ns.case]}", 7, "plans: "),
        (HEAD + TRIAL + "  tiers: {a: {tier: 1, needs: [b]}}", 7, "no part of the graph"),
        (HEAD + TRIAL + "  tiers: {a: {level: 1}}", 7, "no integer tier"),
        (HEAD + "- &a [*a]", 4, "alias"),
        ("a: \x00", 0, "YAML Parser Error"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_line(text: str, line: int, told: str) -> None:
    with pytest.raises(Unreadable, match=re.escape(told)) as refused:
        read_trials("x.test.yaml", text.encode())
    assert refused.value.line == line
