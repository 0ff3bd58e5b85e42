"""Our own types of rules: what each requires, what it asks, and when it cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from ci_results.decide.judge import questions
from ci_results.decide.policy_set import load
from ci_results.domain.asked import (
    Asked,
    BaselineOf,
    HistoryOf,
    LatestLike,
    LatestOf,
    PlanOf,
    Question,
    SelectOf,
)
from ci_results.domain.decision import Decision, Requirement, State, Verdict
from ci_results.domain.facts import Baseline, Evidence, Selected
from ci_results.domain.plan import Plan, PlanCase
from ci_results.domain.rule import RuleType
from ci_results.domain.subject import Subject
from ci_results.domain.tiers import Node, Tiers
from ci_results.domain.weighing import Weighing
from ci_results.errors import InvalidError, PluginError

from .making import BASH, NOW, REQUEST, decide, facts, passing, policies, read, result, waiver

GO, NO_GO, WAIT, ERROR = Verdict.GO, Verdict.NO_GO, Verdict.WAIT, Verdict.ERROR


def outcomes(**given: str) -> list[Evidence]:
    """Return a result a testcase: outcomes(a="PASSED") is one of t.a."""
    return [result(f"t.{name}", outcome, n) for n, (name, outcome) in enumerate(given.items(), 1)]


# -- counting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "verdict", "said"),
    [
        ({"a": "PASSED", "b": "PASSED"}, GO, "2 of 3 passed or waived, 2 needed"),
        ({"a": "PASSED", "b": "PASSED", "c": "FAILED"}, GO, "2 of 3 passed or waived, 2 needed"),
        ({"a": "PASSED", "b": "FAILED"}, WAIT, "1 of 3 passed or waived, 2 needed"),
        ({"a": "PASSED", "b": "FAILED", "c": "RUNNING"}, WAIT, "1 of 3 passed or waived, 2 needed"),
        ({"a": "PASSED", "b": "FAILED", "c": "ERROR"}, ERROR, "1 of 3 passed or waived, 2 needed"),
        ({"a": "FAILED", "b": "FAILED"}, NO_GO, "0 of 3 passed or waived, 2 needed"),
        ({}, WAIT, "0 of 3 passed or waived, 2 needed"),
    ],
    ids=repr,
)
@pytest.mark.demand("S-096")
def test_at_least_n_of_m(given: dict[str, str], verdict: Verdict, said: str) -> None:
    decision = decide("!AtLeastRule {at_least: 2, testcases: [t.a, t.b, t.c]}", facts(*outcomes(**given)))
    (requirement,) = decision.requirements
    assert (decision.verdict, requirement.said) == (verdict, said)
    assert decision.progress.required == 1


def test_a_waived_one_counts_among_the_n() -> None:
    known = facts(*outcomes(a="PASSED", b="FAILED", c="FAILED"), waivers=[waiver("t.b")])
    decision = decide("!AtLeastRule {at_least: 2, testcases: [t.a, t.b, t.c]}", known)
    assert decision.verdict is GO
    assert (decision.progress.passed, decision.progress.waived) == (0, 1)  # without it too few would pass
    enough = decide("!AtLeastRule {at_least: 1, testcases: [t.a, t.b, t.c]}", known)
    assert (enough.progress.passed, enough.progress.waived) == (1, 0)


@pytest.mark.demand("S-096")
def test_any_is_at_least_one_and_all_is_every_one() -> None:
    known = facts(*outcomes(a="FAILED", b="PASSED"))
    assert decide("!AtLeastRule {at_least: 1, testcases: [t.a, t.b]}", known).verdict is GO
    assert decide("!ResultsRule {testcases: [t.a, t.b]}", known).verdict is NO_GO
    assert decide("!ResultsRule {testcases: [t.b]}", known).verdict is GO


def test_one_of_the_m_passes_where_all_its_variants_pass() -> None:
    known = facts(result("t.a", "PASSED", 1, arch="x86_64"), result("t.a", "FAILED", 2, arch="s390x"))
    assert decide("!AtLeastRule {at_least: 1, testcases: [t.a]}", known).verdict is NO_GO


@pytest.mark.parametrize(
    ("keys", "result_of", "state"),
    [
        ("testcases: ['t.*']", result("t.x"), State.PASSED),
        ("testcases: ['t.*']", result("t.x", "FAILED"), State.FAILED),
        ("testcases: ['t.*']", result("u.x"), State.MISSING),
        ("testcases: ['t.*'], at_least: 2", result("t.x"), State.MISSING),
        ("testcases: [t.x], outcomes: [PASSED, NEEDS_INSPECTION]", result("t.x", "NEEDS_INSPECTION"),
         State.PASSED),
        ("testcases: [t.x], outcomes: [PASSED]", result("t.x", "INFO"), State.FAILED),
        ("testcases: [t.x], outcomes: [PASSED]", result("t.x", "RUNNING"), State.WAITING),
        ("testcases: [t.x], scenario: uefi", result("t.x", scenario="bios"), State.MISSING),
        ("testcases: [t.x], arch: s390x", result("t.x", arch="s390x"), State.PASSED),
        ("testcases: [t.x], arch: s390x", result("t.x", arch="x86_64"), State.MISSING),
        ("testcases: [t.x], data: {CI_tier: ['1', '2']}", result("t.x", data={"CI_tier": ["2"]}),
         State.PASSED),
        ("testcases: [t.x], data: {CI_tier: ['1']}", result("t.x", data={"CI_tier": ["3"]}), State.MISSING),
        ("testcases: [t.x], max_age: 14d", result("t.x", time=NOW - timedelta(days=14)), State.PASSED),
        ("testcases: [t.x], max_age: 14d", result("t.x", time=NOW - timedelta(days=15)), State.MISSING),
        ("testcases: [t.x], imported: false", result("t.x", imported=True), State.MISSING),
        ("testcases: [t.x]", result("t.x", imported=True), State.PASSED),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.demand("S-095", "S-022")
def test_a_rule_may_name_glob_outcome_attribute_age_and_count(
    keys: str, result_of: Evidence, state: State
) -> None:
    requirements = list(decide(f"!ResultsRule {{{keys}}}", facts(result_of)).requirements)
    assert requirements[-1].state is state


def test_why_a_result_does_not_count_is_said() -> None:
    known = facts(result("t.x", number=4, imported=True))
    (requirement,) = decide("!ResultsRule {testcases: [t.x], imported: false}", known).requirements
    assert requirement.said == "result 4 is a copy of what another system had, which does not count"


def test_a_glob_is_asked_for_as_a_glob() -> None:
    needs = questions(policies("!ResultsRule {testcases: ['t.*', t.x]}"), REQUEST)
    assert (needs.latest, needs.like) == ({BASH: {"t.x"}}, {BASH: {"t.*"}})
    assert LatestLike(BASH, "t.*").pattern == "t.*"


# -- trends -----------------------------------------------------------------------------------------

RATE = "!PassRateRule {testcase: t.a, rate: 0.75, last: 4}"
HISTORY = HistoryOf(BASH, "t.a", 4)


def history(*given: str) -> list[Evidence]:
    return [result("t.a", outcome, 10 - n) for n, outcome in enumerate(given)]


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (["PASSED", "PASSED", "FAILED", "PASSED"], State.PASSED),
        (["PASSED", "PASSED", "FAILED", "FAILED"], State.FAILED),
        (["PASSED", "PASSED", "ERROR", "ERROR"], State.ERRORED),
        (["PASSED", "PASSED", "PASSED"], State.MISSING),
        (["FAILED", "PASSED", "PASSED", "PASSED", "FAILED"], State.PASSED),
        ([], State.MISSING),
    ],
    ids=repr,
)
@pytest.mark.demand("S-096")
def test_a_pass_rate_over_the_last_results(given: list[str], state: State) -> None:
    (requirement,) = decide(RATE, facts(histories={HISTORY: history(*given)})).requirements
    assert requirement.state is state
    assert "75% needed" in str(requirement.said)


def test_a_pass_rate_that_lacks_results_waits_for_the_run_that_is_on_its_way() -> None:
    known = facts(result("t.a", "RUNNING"), histories={HISTORY: history("PASSED")})
    assert [each.state for each in decide(RATE, known).requirements] == [State.WAITING]


def test_a_history_that_was_not_read_is_no_verdict() -> None:
    assert decide(RATE, facts()).verdict is ERROR


def test_a_pass_rate_asks_for_the_item_or_its_component() -> None:
    wide = RATE.replace("last: 4", "last: 4, over: component, scenario: uefi")
    (asked,) = questions(policies(wide), REQUEST).histories
    assert asked == HistoryOf(BASH, "t.a", 4, component=True, scenario="uefi")


NEW = "!NoNewFailuresRule {testcases: ['t.*']}"
BEFORE = BaselineOf(BASH, None, ("t.*",))


def baseline(**given: str) -> dict[BaselineOf, Baseline]:
    latest = {each.testcase: [each] for each in outcomes(**given)}
    return {BEFORE: Baseline("bash-5.2-0.fc40", latest)}


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ({"a": "PASSED", "b": "FAILED"}, {"a": "PASSED", "b": "FAILED"}, GO),
        ({"a": "PASSED", "b": "FAILED"}, {"a": "FAILED", "b": "FAILED"}, NO_GO),
        ({"a": "PASSED"}, {"a": "PASSED", "c": "FAILED"}, GO),
        ({"a": "PASSED"}, {}, WAIT),
        ({"a": "PASSED"}, {"a": "RUNNING"}, WAIT),
        ({"a": "FAILED"}, {}, GO),
    ],
    ids=repr,
)
@pytest.mark.demand("S-096")
def test_no_new_failures_against_a_baseline(
    before: dict[str, str], now: dict[str, str], verdict: Verdict
) -> None:
    assert decide(NEW, facts(*outcomes(**now), baselines=baseline(**before))).verdict is verdict


def test_a_new_failure_can_be_waived() -> None:
    known = facts(*outcomes(a="FAILED"), waivers=[waiver("t.a")], baselines=baseline(a="PASSED"))
    assert decide(NEW, known).verdict is GO


def test_variants_are_compared_with_their_like() -> None:
    old = {"t.a": [result("t.a", "PASSED", 1, arch="x86_64"), result("t.a", "FAILED", 2, arch="s390x")]}
    known = facts(
        result("t.a", "PASSED", 3, arch="x86_64"),
        result("t.a", "FAILED", 4, arch="s390x"),
        baselines={BEFORE: Baseline("bash-5.2-0.fc40", old)},
    )
    assert decide(NEW, known).verdict is GO


def test_without_a_baseline_nothing_can_be_told() -> None:
    assert decide(NEW, facts(*outcomes(a="PASSED"))).verdict is ERROR
    assert decide(NEW, facts(baselines={BEFORE: Baseline(None)})).verdict is ERROR
    named = "!NoNewFailuresRule {testcases: [t.a], baseline: request}"
    assert decide(named, facts()).verdict is ERROR
    asked = questions(policies(named), REQUEST)
    assert asked.baselines == ()


# -- plans ------------------------------------------------------------------------------------------

PLAN = PlanOf(BASH, "beta")
CASES = tuple(f"manual.case{n:02}" for n in range(40))


def plan(item: str = "bash-*", cases: tuple[str, ...] = CASES) -> Plan:
    required = tuple(PlanCase(testcase=case, owner="qe") for case in cases)
    return Plan(name="beta", item_type="koji_build", item=item, cases=required)


def planned(passed: int, failed: int = 0) -> Decision:
    results = [result(case, "PASSED", n + 1) for n, case in enumerate(CASES[:passed])]
    results += [result(case, "FAILED", 100 + n) for n, case in enumerate(CASES[passed : passed + failed])]
    return decide("!ManualPlanRule {plan: beta}", facts(*results, plans={PLAN: plan()}))


@pytest.mark.demand("S-134", "S-135")
def test_a_gate_stays_closed_while_a_case_of_its_plan_lacks_a_result_and_shows_how_far_it_is() -> None:
    decision = planned(30, 1)
    assert decision.verdict is NO_GO
    progress = decision.progress
    assert (progress.required, progress.done, progress.passed, progress.failed, progress.percent) == (
        *(40, 31, 30, 1, 77.5),
    )
    assert planned(39).verdict is WAIT
    assert planned(40).verdict is GO


@pytest.mark.demand("S-135")
def test_all_done_with_one_failed_is_done_and_closed() -> None:
    decision = planned(39, 1)
    assert (decision.progress.percent, decision.verdict) == (100.0, NO_GO)
    assert len(decision.openings) == 1


@pytest.mark.parametrize("found", [None, plan("zsh-*")], ids=["unknown", "of another item"])
def test_a_plan_that_is_unknown_or_for_something_else_opens_nothing(found: Plan | None) -> None:
    assert decide("!ManualPlanRule {plan: beta}", facts(plans={PLAN: found})).verdict is ERROR


def test_a_case_counts_once_in_however_many_variants_it_ran() -> None:
    results = [result(CASES[0], "PASSED", 1, arch="x86_64"), result(CASES[0], "FAILED", 2, arch="s390x")]
    known = facts(*results, plans={PLAN: plan(cases=CASES[:2])})
    decision = decide("!ManualPlanRule {plan: beta}", known)
    progress = decision.progress
    assert (progress.required, progress.done, progress.failed, progress.missing) == (2, 1, 1, 1)
    assert [each.of[0].owner for each in decision.openings] == ["qe", "qe"]


# -- tiers ------------------------------------------------------------------------------------------

PARTS = {name: Subject("koji_build", f"{name}-1-1.fc40") for name in "abcd"}
GRAPH = Tiers(
    {
        "a": Node(1, (), PARTS["a"]),
        "b": Node(1, (), PARTS["b"]),
        "c": Node(2, ("a",), PARTS["c"]),
        "d": Node(3, ("c",), PARTS["d"]),
    }
)
GOOD = """--- !Policy
id: good
product_versions: ['*']
decision_context: tier_good
subject_type: koji_build
rules: [!PassingTestCaseRule {test_case_name: tier.boot}]
"""


def tiered(scope: str, part: str, known: Mapping[str, str], waived: str = "") -> Decision:
    gate = (
        GOOD.replace("id: good", "id: gate")
        .replace("tier_good", "rebuild")
        .replace(
            "!PassingTestCaseRule {test_case_name: tier.boot}",
            f"!TierRule {{scope: {scope}, decision_context: tier_good}}",
        )
    )
    results = {
        PARTS[name]: [result("tier.boot", outcome, number)]
        for number, (name, outcome) in enumerate(known.items(), 1)
    }
    waivers = {PARTS[waived]: (waiver("tier.boot", about=PARTS[waived]),)} if waived else {}
    subject = PARTS[part]
    everything = facts(subject=subject, others=dict.fromkeys(PARTS.values(), ()) | results)
    return decide(
        read(GOOD, gate),
        everything._replace(waivers=waivers),
        subjects=(subject,),
        contexts=("rebuild",),
        tiers=GRAPH,
    )


FAILED_B = {"a": "PASSED", "b": "FAILED"}


@pytest.mark.demand("S-091")
def test_a_tier_opens_by_what_a_part_needs_or_by_the_whole_tier_before() -> None:
    assert tiered("closure", "c", FAILED_B).verdict is GO
    assert tiered("tier", "c", FAILED_B).verdict is NO_GO
    assert tiered("closure", "d", FAILED_B).verdict is WAIT
    assert tiered("tier", "d", FAILED_B).verdict is WAIT
    assert tiered("tier", "c", FAILED_B, waived="b").verdict is GO
    assert tiered("tier", "c", {"a": "PASSED", "b": "PASSED"}).verdict is GO
    assert tiered("tier", "a", {}).verdict is GO


def test_a_part_that_is_not_built_yet_is_waited_for() -> None:
    graph = Tiers(GRAPH.nodes | {"c": Node(2, ("a",), None)})
    gate = GOOD.replace("!PassingTestCaseRule {test_case_name: tier.boot}",
                        "!TierRule {scope: closure, decision_context: other}")  # fmt: skip
    subject = PARTS["d"]
    decision = decide(
        read(gate), facts(subject=subject), subjects=(subject,), contexts=("tier_good",), tiers=graph
    )
    assert decision.verdict is ERROR  # nothing says what good means for a
    (gate_,) = decision.requirements
    assert [part.said for part in gate_.parts] == [
        "a (a-1-1.fc40) is no-policy in other",
        "c is not built yet",
    ]


def test_without_a_graph_or_outside_of_it_nothing_can_be_told() -> None:
    rule = "!TierRule {scope: closure, decision_context: tier_good}"
    assert decide(rule, facts()).verdict is ERROR
    assert decide(rule, facts(), tiers=GRAPH).verdict is ERROR


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({"a": Node(1, ("b",)), "b": Node(1, ("a",))}, "a cycle of parts: a -> b -> a"),
        ({"a": Node(1, ("q",))}, "'a' needs 'q', which is no part of the graph"),
        ({"a": Node(1, ("b",)), "b": Node(2)}, "'a' needs 'b', which is of a later tier"),
        ({str(n): Node(n) for n in range(51)}, "more than 50 tiers"),
        ({str(n): Node(1) for n in range(2001)}, "more than 2000 parts"),
    ],
)
def test_a_graph_that_cannot_be_built_is_refused(nodes: dict[str, Node], said: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Tiers(nodes)
    assert str(refused.value) in (said, said.replace("a -> b -> a", "b -> a -> b"))


def test_a_long_chain_of_parts_is_decided_without_recursion() -> None:
    nodes = {"p0": Node(1, (), Subject("koji_build", "p0-1-1"))}
    for n in range(1, 400):
        nodes[f"p{n}"] = Node(1, (f"p{n - 1}",), Subject("koji_build", f"p{n}-1-1"))
    last = Subject("koji_build", "p399-1-1")
    chosen = read(
        GOOD.replace("rules: [", "rules: [!TierRule {scope: closure, decision_context: tier_good}, ").replace(
            "id: good", "id: both"
        )
    )
    known = facts(subject=last, others={node.subject: () for node in nodes.values() if node.subject})
    decision = decide(chosen, known, subjects=(last,), contexts=("tier_good",), tiers=Tiers(nodes))
    assert decision.verdict is WAIT


# -- SELECT -----------------------------------------------------------------------------------------

CRASHES = """!SelectRule {name: gate.crashes, select: "select testcase, note from latest_result \
where item = :item and note like '%oops%'"}"""
ASKED = SelectOf(
    "select testcase, note from latest_result where item = :item and note like '%oops%'",
    (("item", "bash-5.2-1.fc40"),),
    20,
)


@pytest.mark.parametrize(
    ("selected", "verdict"),
    [
        (Selected(), GO),
        (Selected((("t.a", "oops"),)), NO_GO),
        (Selected(error="it took more than 1 s"), ERROR),
        (None, ERROR),
    ],
    ids=["no rows", "rows", "error", "not run"],
)
def test_a_select_opens_or_closes(selected: Selected | None, verdict: Verdict) -> None:
    chosen = policies(CRASHES)
    assert questions(chosen, REQUEST).selects == (ASKED,)
    decision = decide(chosen, facts(selects={ASKED: selected} if selected else {}))
    assert decision.verdict is verdict


def test_a_select_may_want_rows_and_can_be_waived_by_its_name() -> None:
    chosen = policies(CRASHES.replace("name:", "expect: rows, name:"))
    assert decide(chosen, facts(selects={ASKED: Selected()})).verdict is WAIT
    known = facts(selects={ASKED: Selected()}, waivers=[waiver("gate.crashes")])
    assert decide(chosen, known).verdict is GO


# -- rules around rules -----------------------------------------------------------------------------


@pytest.mark.demand("S-097")
def test_an_experimental_rule_is_shown_and_never_blocks() -> None:
    rules = passing("t.a") + "\n!ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: t.new}]}"
    known = facts(*outcomes(a="PASSED", new="FAILED"))
    decision = decide(rules, known)
    assert decision.verdict is GO
    assert [(each.testcase, each.state) for each in decision.informational] == [("t.new", State.FAILED)]
    assert (decision.progress.required, decision.blockers) == (1, [])


OVERRIDE = """\
!PackagesRule {rules: [!PassingTestCaseRule {test_case_name: t.all}], excluded_packages: [bash]}
!PackagesRule {rules: [!PassingTestCaseRule {test_case_name: t.bash}], packages: [ba*]}
"""


@pytest.mark.demand("S-099")
def test_a_policy_adds_and_removes_rules_for_some_packages() -> None:
    decision = decide(OVERRIDE, facts())
    assert [(each.state, each.testcase) for each in decision.requirements] == [
        (State.EXCLUDED, "excluded"),
        (State.MISSING, "t.bash"),
    ]
    assert next(each.said for each in decision.requirements) == "package bash is excluded from t.all"
    zsh = Subject("koji_build", "zsh-5-1.fc40")
    decision = decide(OVERRIDE, facts(subject=zsh), subjects=(zsh,))
    assert [each.testcase for each in decision.requirements] == ["t.all"]


@dataclass(frozen=True)
class NoOptions:
    pass


class Curious(RuleType[NoOptions]):
    name = "CuriousRule"
    options = NoOptions

    def questions(self, options: NoOptions, asked: Asked) -> Iterator[Question]:
        yield LatestOf(asked.subject, "t.a")
        raise ZeroDivisionError("oops")

    def judge(self, options: NoOptions, weighing: Weighing) -> Iterator[Requirement]:
        yield from ()


def test_a_rule_type_that_breaks_while_asking_is_named_and_nothing_is_decided() -> None:
    text = GOOD.replace("[!PassingTestCaseRule {test_case_name: tier.boot}]", "[!CuriousRule {}]")
    chosen = load([("a.yaml", text.encode())], {"CuriousRule": Curious()})
    with pytest.raises(PluginError, match=r"^!CuriousRule at a\.yaml:6: its questions broke: ZeroDivision"):
        questions(chosen, replace(REQUEST, contexts=("tier_good",)))


class Broken(RuleType[NoOptions]):
    name = "BrokenRule"
    options = NoOptions

    def judge(self, options: NoOptions, weighing: Weighing) -> Iterator[Requirement]:
        yield weighing.told(State.PASSED, "x", "fine so far")
        raise ZeroDivisionError("oops")


def test_a_rule_type_that_breaks_closes_the_gate_and_is_named() -> None:
    text = GOOD.replace("[!PassingTestCaseRule {test_case_name: tier.boot}]", "[!BrokenRule {}]")
    chosen = load([("a.yaml", text.encode())], {"BrokenRule": Broken()})
    decision = decide(chosen, facts(), contexts=("tier_good",))
    (requirement,) = decision.requirements
    assert decision.verdict is ERROR
    assert requirement.said == "rule type BrokenRule broke: ZeroDivisionError: 'oops'"
    assert str(requirement.place) == "a.yaml:6"
