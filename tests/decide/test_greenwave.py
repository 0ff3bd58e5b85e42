"""What Greenwave's own rules mean, sentence by sentence of the reference, 3.4 and 3.5."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ci_results.decide.judge import questions
from ci_results.decide.reading import read_on_demand
from ci_results.domain.asked import BuildTimeOf, Fetched, LatestOf, RemoteFileOf
from ci_results.domain.decision import State, Verdict
from ci_results.domain.subject import Subject

from .making import BASH, NOW, REQUEST, TYPES, decide, facts, passing, policies, read, result, waiver

ONE = passing("dist.rpmlint")


def policy(name: str, *rules: str, **keys: str) -> str:
    """Return the text of a policy for builds of Fedora, with keys changed."""
    given = {
        "product_versions": "[fedora-*]",
        "decision_context": "push",
        "subject_type": "koji_build",
    } | keys
    head = "\n".join(f"{key}: {value}" for key, value in given.items() if value)
    listed = "".join(f"\n- {rule}" for rule in rules) or " []"
    return f"--- !Policy\nid: {name}\n{head}\nrules:{listed}\n"


def applied(*texts: str, **changes: object) -> list[str]:
    """Return the ids of the policies that a request comes under."""
    decision = decide(read("".join(texts)), facts(), replace(REQUEST, **changes))  # type: ignore[arg-type]
    return [each.id for subject in decision.subjects for each in subject.policies]


# -- matching ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "applies"),
    [
        ({}, True),
        ({"product_versions": "[rhel-9, fedora-40]"}, True),
        ({"product_versions": "['fedora-[0-9]*']"}, True),
        ({"product_versions": "['fedora-4[1-9]']"}, False),
        ({"product_versions": "[Fedora-*]"}, False),
        ({"product_versions": "[fedora]"}, False),
        ({"product_versions": "[]"}, False),
        ({"decision_context": "'pus*'"}, False),
        ({"decision_context": "", "decision_contexts": "[other, push]"}, True),
        ({"subject_type": "brew-build"}, True),
        ({"subject_type": "compose"}, False),
        ({"subject_type": "", "subject_types": "[compose, koji_build]"}, True),
    ],
    ids=repr,
)
def test_a_policy_is_for_contexts_versions_and_types(keys: dict[str, str], applies: bool) -> None:
    assert applied(policy("x", **keys)) == (["x"] if applies else [])


def test_policies_apply_in_load_order_whatever_their_versions_look_like() -> None:
    texts = policy("c"), policy("a", product_versions="[fedora-40]"), policy("b")
    assert applied(*texts) == ["c", "a", "b"]


def test_several_contexts_may_be_asked_for() -> None:
    texts = policy("a"), policy("b", decision_context="compose"), policy("c", decision_context="else")
    assert applied(*texts, contexts=("compose", "push")) == ["a", "b"]


def test_no_policy_is_a_verdict_of_its_own() -> None:
    decision = decide(policies(ONE), facts(result("dist.rpmlint")), contexts=("else",))
    assert decision.verdict is Verdict.NO_POLICY
    assert [each.verdict for each in decision.subjects] == [Verdict.NO_POLICY]


def test_a_subject_whose_type_may_have_none_adds_nothing_and_is_no_go_ahead_alone() -> None:
    update = Subject("bodhi_update", "FEDORA-2026-1a2b3c4d5e")
    chosen = policies(ONE)
    both = decide(chosen, facts(result("dist.rpmlint")), subjects=(update, BASH))
    assert both.verdict is Verdict.GO
    assert decide(chosen, facts(subject=update), subjects=(update,)).verdict is Verdict.NO_POLICY


def test_a_policy_without_rules_is_satisfied() -> None:
    decision = decide(policies(""), facts())
    assert (decision.verdict, list(decision.requirements)) == (Verdict.GO, [])


# -- packages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "states"),
    [
        ("excluded_packages: [ba*]", [State.EXCLUDED]),
        ("excluded_packages: [bash]\npackages: [bash]", [State.EXCLUDED]),
        ("excluded_packages: [Bash, bas]", [State.MISSING]),
        ("packages: [zsh]", []),
        ("packages: [zsh, b?sh]", [State.MISSING]),
    ],
)
def test_packages_are_excluded_or_chosen_by_glob(more: str, states: list[State]) -> None:
    decision = decide(policies(ONE, more=more), facts())
    assert [each.state for each in decision.requirements] == states
    assert [each.id for each in decision.subjects[0].policies] == ["gate"]


def test_other_types_have_no_package_and_both_lists_mean_nothing() -> None:
    compose = Subject("compose", "Fedora-40-20260301.n.0")
    chosen = policies(ONE, kind="compose", more="packages: [zsh]\nexcluded_packages: ['*']")
    decision = decide(chosen, facts(subject=compose), subjects=(compose,))
    assert [each.state for each in decision.requirements] == [State.MISSING]


# -- testcases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state", "verdict"),
    [
        ("PASSED", State.PASSED, Verdict.GO),
        ("INFO", State.PASSED, Verdict.GO),
        ("FAILED", State.FAILED, Verdict.NO_GO),
        ("NEEDS_INSPECTION", State.FAILED, Verdict.NO_GO),
        ("ODD_WORD", State.FAILED, Verdict.NO_GO),
        ("ERROR", State.ERRORED, Verdict.ERROR),
        ("QUEUED", State.WAITING, Verdict.WAIT),
        ("RUNNING", State.WAITING, Verdict.WAIT),
        (None, State.MISSING, Verdict.WAIT),
    ],
)
@pytest.mark.demand("S-141")
def test_an_outcome_means_one_state_and_one_verdict(
    outcome: str | None, state: State, verdict: Verdict
) -> None:
    decision = decide(ONE, facts(*([result("dist.rpmlint", outcome)] if outcome else [])))
    (requirement,) = decision.requirements
    assert (requirement.state, decision.verdict) == (state, verdict)
    assert str(requirement.place) == "a.yaml:8"


def test_each_scenario_and_architecture_must_pass() -> None:
    known = facts(
        result("dist.rpmlint", "FAILED", 3, arch="aarch64"),
        result("dist.rpmlint", "PASSED", 2, arch="x86_64"),
        result("dist.rpmlint", "RUNNING", 1, scenario="uefi"),
    )
    assert [each.state for each in decide(ONE, known).requirements] == [
        State.FAILED,
        State.PASSED,
        State.WAITING,
    ]


def test_a_rule_with_a_scenario_looks_at_its_results_alone() -> None:
    rule = "!PassingTestCaseRule {test_case_name: a.b, scenario: uefi}"
    known = facts(result("a.b", "FAILED", scenario="bios"))
    (requirement,) = decide(rule, known).requirements
    assert (requirement.state, requirement.scenario) == (State.MISSING, "uefi")
    several = result("a.b", "PASSED", 2, scenario="bios", data={"scenario": ["bios", "uefi"]})
    assert decide(rule, facts(several)).verdict is Verdict.GO


def test_equal_rules_are_weighed_once_whatever_their_dates() -> None:
    early = "!PassingTestCaseRule {test_case_name: a.b, valid_until: 2020-01-01}"
    late = "!PassingTestCaseRule {test_case_name: a.b}"
    chosen = read(policy("x", early), policy("y", late, late))
    built = {BuildTimeOf(BASH): NOW}
    assert list(decide(chosen, facts(build_times=built)).requirements) == []
    other = "!PassingTestCaseRule {test_case_name: a.b, scenario: s}"
    chosen = read(policy("x", late, other, late))
    assert len(list(decide(chosen, facts()).requirements)) == 2


@pytest.mark.parametrize(
    ("built", "counts"),
    [("2026-01-01", False), ("2026-01-02", True), ("2026-02-01", True), ("2026-03-01", False)],
)
def test_a_rule_holds_for_builds_made_from_one_date_on_and_before_the_other(built: str, counts: bool) -> None:
    rule = "!PassingTestCaseRule {test_case_name: a.b, valid_since: 2026-01-02, valid_until: 2026-03-01}"
    time = datetime.fromisoformat(built).replace(tzinfo=UTC)
    decision = decide(rule, facts(build_times={BuildTimeOf(BASH): time}))
    assert len(list(decision.requirements)) == counts
    assert questions(policies(rule), REQUEST).build_times == (BuildTimeOf(BASH),)


def test_a_rule_with_dates_is_not_guessed_at_where_the_build_is_unknown() -> None:
    rule = "!PassingTestCaseRule {test_case_name: a.b, valid_since: 2026-01-02}"
    assert decide(rule, facts(result("a.b"))).verdict is Verdict.ERROR


def test_ignoring_the_latest_result_does_not_bring_back_an_older_one() -> None:
    known = facts(result("dist.rpmlint", "FAILED", 5))
    decision = decide(ONE, known, ignore_results=frozenset({5}))
    assert [each.state for each in decision.requirements] == [State.MISSING]


# -- waivers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["FAILED", "ERROR", None])
def test_failed_errored_and_missing_can_be_waived_and_stay_what_they_are(outcome: str | None) -> None:
    results = [result("dist.rpmlint", outcome)] if outcome else []
    before = decide(ONE, facts(*results)).requirements
    decision = decide(ONE, facts(*results, waivers=[waiver("dist.rpmlint")]))
    (requirement,) = decision.requirements
    assert decision.verdict is Verdict.GO
    assert requirement.waiver is not None
    assert requirement.state is before[0].state is not State.PASSED
    assert decision.progress.waived == 1


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"scenario": "uefi"}, "W-7 is for scenario uefi"),
        ({"arch": "s390x"}, "W-7 is for architecture s390x"),
        ({"product_version": "fedora-41"}, "W-7 is for product version fedora-41"),
        ({"purpose": "advisory:FEDORA-2026-1"}, "W-7 is for advisory:FEDORA-2026-1 only"),
        ({"expires_at": NOW}, "W-7 is expired"),
        ({"waived": False}, "W-7 says that it is not waived"),
        ({"seq": 101}, "W-7 is unknown"),
        ({"signatures": ("1-aa",)}, "W-7 is suspended: the failure changed since it was given"),
    ],
    ids=repr,
)
@pytest.mark.demand("S-066", "S-067", "S-069")
def test_a_waiver_out_of_scope_purpose_or_time_does_not_count_and_is_shown_with_why(
    terms: dict[str, object], why: str
) -> None:
    failed = result("dist.rpmlint", "FAILED", arch="x86_64", scenario="bios", signature="1-bb")
    decision = decide(ONE, facts(failed, waivers=[waiver("dist.rpmlint", **terms)]))  # type: ignore[arg-type]
    (requirement,) = decision.requirements
    assert (decision.verdict, requirement.waiver) == (Verdict.NO_GO, None)
    assert [reason for _, reason in requirement.refused] == [why]


@pytest.mark.demand("S-067")
def test_a_waiver_for_a_purpose_counts_for_it() -> None:
    given = waiver("dist.rpmlint", purpose="advisory:FEDORA-2026-1")
    assert given.terms.purpose is not None
    decision = decide(ONE, facts(waivers=[given]), purposes=frozenset({given.terms.purpose}))
    assert decision.verdict is Verdict.GO


def test_a_waiver_that_the_request_ignores_does_not_count() -> None:
    known = facts(waivers=[waiver("dist.rpmlint")])
    assert decide(ONE, known, ignore_waivers=frozenset({7})).verdict is Verdict.WAIT


@pytest.mark.parametrize(
    ("newer", "verdict"),
    [
        ({}, Verdict.WAIT),
        ({"scenario": "uefi"}, Verdict.GO),
        ({"product_version": "fedora-41"}, Verdict.GO),
        ({"purpose": "advisory:FEDORA-2026-1"}, Verdict.GO),
        ({"expires_at": NOW}, Verdict.GO),
    ],
    ids=repr,
)
def test_one_that_says_not_waived_takes_back_those_before_it_of_its_scope(
    newer: dict[str, object], verdict: Verdict
) -> None:
    back = waiver("dist.rpmlint", 8, waived=False, **newer)  # type: ignore[arg-type]
    known = facts(waivers=[back, waiver("dist.rpmlint")])
    for ignored in (frozenset[int](), frozenset({8})):  # ignoring it brings nothing back
        decision = decide(ONE, known, ignore_waivers=ignored)
        assert decision.verdict is verdict
        (requirement,) = decision.requirements
        if verdict is Verdict.WAIT:
            assert requirement.refused[-1][1] == "W-7 was taken back by W-8"
            assert [one.id for one, _ in requirement.refused] == ([7] if ignored else [8, 7])
    assert decide(ONE, facts(waivers=[waiver("dist.rpmlint", 9), back])).verdict is Verdict.GO


def test_a_waiver_given_under_an_alias_of_the_type_counts() -> None:
    known = facts(waivers=[waiver("dist.rpmlint", subject_type="brew-build")])
    assert decide(ONE, known).verdict is Verdict.GO


# -- remote rules -----------------------------------------------------------------------------------

GATING = b"""
decision_contexts: [push, other]
rules:
- !PassingTestCaseRule {test_case_name: remote.tier0}
---
decision_context: other
rules: [!PassingTestCaseRule {test_case_name: remote.never}]
---
product_versions: [rhel-*]
decision_context: push
rules: [!PassingTestCaseRule {test_case_name: remote.rhel}]
---
subject_type: compose
decision_context: push
rules: [!PassingTestCaseRule {test_case_name: remote.compose}]
"""
FILE = RemoteFileOf(BASH, ())


def remote(text: bytes | None, **more: object) -> dict[RemoteFileOf, Fetched]:
    found = Fetched(text, "https://src/bash/gating.yaml", ("https://src/bash/gating.yaml",))
    return {FILE: found._replace(**more)}  # type: ignore[arg-type]


def test_a_remote_file_is_asked_for_first_and_then_what_it_requires() -> None:
    chosen = policies("!RemoteRule {}")
    assert questions(chosen, REQUEST).remote_files == (FILE,)
    needs = questions(chosen, REQUEST, remote(GATING))
    assert needs.remote_files == ()
    assert needs.latest == {BASH: {"remote.tier0"}}


def test_of_a_remote_file_count_the_policies_of_the_parents_context_version_and_type() -> None:
    decision = decide("!RemoteRule {}", facts(remote_files=remote(GATING)))
    states = [(each.state, each.testcase, str(each.place)) for each in decision.requirements]
    assert states == [
        (State.FETCHED, "fetched-gating-yaml", "a.yaml:8"),
        (State.MISSING, "remote.tier0", "https://src/bash/gating.yaml:4"),
    ]


def test_a_rule_that_was_weighed_already_is_not_weighed_again_for_a_remote_file() -> None:
    rules = passing("remote.tier0") + "\n!RemoteRule {}"
    decision = decide(rules, facts(remote_files=remote(GATING)))
    assert [each.policy.source for each in decision.requirements] == [None, None]


@pytest.mark.parametrize(
    ("rule", "found", "states", "verdict"),
    [
        ("!RemoteRule {}", remote(None), [], Verdict.GO),
        ("!RemoteRule {required: true}", remote(None), [State.FILE_MISSING], Verdict.NO_GO),
        ("!RemoteRule {}", remote(b"rules: []"), [State.FETCHED, State.FILE_INVALID], Verdict.NO_GO),
        ("!RemoteRule {}", remote(None, error="Koji is away"), [State.FILE_UNREACHED], Verdict.ERROR),
        ("!RemoteRule {}", {}, [State.FILE_UNREACHED], Verdict.ERROR),
    ],
    ids=["none", "required", "invalid", "error", "not asked for"],
)
def test_what_becomes_of_a_remote_file(
    rule: str, found: dict[RemoteFileOf, Fetched], states: list[State], verdict: Verdict
) -> None:
    decision = decide(rule, facts(remote_files=found))
    assert ([each.state for each in decision.requirements], decision.verdict) == (states, verdict)


@pytest.mark.parametrize(
    ("testcase", "found"),
    [
        ("missing-gating-yaml", remote(None)),
        ("invalid-gating-yaml", remote(b"rules: []")),
        ("failed-fetch-gating-yaml", remote(None, error="away")),
    ],
)
def test_trouble_with_a_remote_file_can_be_waived(testcase: str, found: dict[RemoteFileOf, Fetched]) -> None:
    known = facts(remote_files=found, waivers=[waiver(testcase)])
    assert decide("!RemoteRule {required: true}", known).verdict is Verdict.GO


# -- rules of a request -----------------------------------------------------------------------------


def test_rules_of_a_request_are_for_each_of_its_subjects_whatever_their_types() -> None:
    rule = {"type": "PassingTestCaseRule", "test_case_name": "a.b"}
    zsh, compose = Subject("koji_build", "zsh-5-1.fc40"), Subject("compose", "Fedora-40-20260301.n.0")
    own = read_on_demand({"rules": [rule, rule], "excluded_packages": ["zsh"]}, TYPES)
    known = facts(result("a.b"), others={zsh: [], compose: []})
    decision = decide(policies(ONE), known, subjects=(BASH, zsh, compose), contexts=(), policy=own)
    assert [each.state for each in decision.requirements] == [State.PASSED, State.EXCLUDED, State.MISSING]
    assert decision.verdict is Verdict.WAIT


def test_a_remote_file_counts_in_any_context_for_rules_of_a_request() -> None:
    own = read_on_demand({"rules": [{"type": "RemoteRule"}]}, TYPES)
    known = facts(remote_files=remote(GATING))
    decision = decide(policies(ONE), known, contexts=(), policy=own)
    assert [each.testcase for each in decision.requirements][1:] == ["remote.tier0", "remote.never"]


# -- what is asked ----------------------------------------------------------------------------------


@pytest.mark.demand("S-075")
def test_only_what_is_required_is_read_and_nothing_else_counts() -> None:
    chosen = policies(passing("a.b", "a.c"))
    assert questions(chosen, REQUEST).latest == {BASH: {"a.b", "a.c"}}
    known = facts(result("a.b"), result("a.c"), *(result(f"x.{n}", "FAILED", n) for n in range(2, 1000)))
    assert decide(chosen, known).verdict is Verdict.GO


def test_questions_are_values() -> None:
    assert LatestOf(BASH, "a") == LatestOf(BASH, "a") != LatestOf(BASH, "b")


@pytest.mark.demand("S-098")
def test_products_require_what_they_require() -> None:
    chosen = read(
        policy("a", *passing("x.x", "x.y").splitlines()),
        policy("b", passing("x.x"), product_versions="[rhel-*]"),
    )
    known = facts(result("x.x"))
    assert decide(chosen, known).verdict is Verdict.WAIT
    assert decide(chosen, known, product_version="rhel-9").verdict is Verdict.GO
