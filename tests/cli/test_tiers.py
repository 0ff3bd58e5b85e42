"""`ci-results tiers plan` and `decide --tiers`: the graph {T1: a, b; T2: c needs a; T3: d needs c}."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result as Done

from ci_results.domain.page import Page
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

from .test_policy_tools import holds

Ask = Callable[..., Done]
POLICIES = """\
--- !Policy
id: good
product_versions: ["*"]
decision_context: tier_good
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: tier.boot}
- !ExperimentalRule {rules: [!PassingTestCaseRule {test_case_name: tier.fuzz}]}
--- !Policy
id: closure
product_versions: ["*"]
decision_context: next_part
subject_type: koji_build
rules: [!TierRule {scope: closure, decision_context: tier_good}]
--- !Policy
id: tier
product_versions: ["*"]
decision_context: next_tier
subject_type: koji_build
rules: [!TierRule {scope: tier, decision_context: tier_good}]
"""
GRAPH = """\
a: {tier: 1, build: a-1-1.fc40}
b: {tier: 1, build: b-1-1.fc40}
c: {tier: 2, needs: [a]}
d: {tier: 3, needs: [c]}
"""
F40 = ("--product-version", "fedora-40")
PLAN = ("tiers", "plan", "--graph", "graph.yaml", *F40)


@pytest.fixture
def put(folder: Path) -> Callable[..., None]:
    """Store results of tier.boot: put(a="passed")."""
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["p.yaml"]\n')
    (folder / "p.yaml").write_text(POLICIES)
    (folder / "graph.yaml").write_text(GRAPH)
    SqliteStore.open(folder / "r.db").close()

    def store(**outcomes: str) -> None:
        with SqliteStore.open(folder / "r.db") as opened:
            for part, outcome in outcomes.items():
                one = result(
                    f"{part}.{outcome}", testcase="tier.boot", item=f"{part}-1-1.fc40", outcome=outcome
                )
                opened.commit_page(Page(source="ci", results=[one]))

    return store


def done(ask: Ask, *more: str) -> dict[str, str]:
    value = holds("tiers-plan", ask(*PLAN, *more, "--json"))
    assert isinstance(value, list)
    return {each["part"]: each["do"] for each in value}


@pytest.mark.demand("S-091")
def test_a_part_waits_for_what_it_needs_or_for_the_whole_tier(ask: Ask, put: Callable[..., None]) -> None:
    put(a="passed", b="failed")
    assert done(ask) == {"a": "nothing", "b": "mend", "c": "build", "d": "wait"}
    assert done(ask, "--scope", "tier") == {"a": "nothing", "b": "mend", "c": "wait", "d": "wait"}
    told = ask(*PLAN, "--scope", "tier")
    assert told.exit_code == 1
    assert "no-go: b not good" in told.stdout
    assert "next: ci-results decide b-1-1.fc40" in told.stderr
    waived = ask("waiver", "grant", "b-1-1.fc40", "tier.boot", *F40, "--comment", "infra")
    assert waived.exit_code == 0, waived.output
    assert done(ask, "--scope", "tier") == {"a": "nothing", "b": "nothing", "c": "build", "d": "wait"}


@pytest.mark.demand("S-091")
def test_decide_says_the_same_of_a_build(ask: Ask, put: Callable[..., None], folder: Path) -> None:
    put(a="passed", b="failed")
    graph = json.dumps({
        "a": {"tier": 1, "build": "a-1-1.fc40"},
        "b": {"tier": 1, "build": "b-1-1.fc40"},
        "c": {"tier": 2, "needs": ["a"], "subject": {"type": "koji_build", "item": "c-1-1.fc40"}},
        "d": {"tier": 3, "needs": ["c"], "build": "d-1-1.fc40"},
    })  # fmt: skip
    (folder / "graph.json").write_text(graph)

    def code(part: str, context: str) -> int:
        asked = (f"{part}-1-1.fc40", *F40, "--context", context, "--tiers", "graph.json")
        return ask("decide", *asked).exit_code

    assert [code("c", "next_part"), code("d", "next_part")] == [0, 2]
    assert [code("c", "next_tier"), code("d", "next_tier")] == [1, 2]
    put(b="passed")
    assert [code("c", "next_tier"), code("d", "next_tier")] == [0, 2]


def test_what_is_to_be_run_is_named(ask: Ask, put: Callable[..., None]) -> None:
    put(a="running")
    value = holds("tiers-plan", ask(*PLAN, "--json"))
    assert isinstance(value, list)
    assert [(each["part"], each["do"], each["run"]) for each in value] == [
        ("a", "test", ["tier.boot"]),
        ("b", "test", ["tier.boot"]),
        ("c", "wait", ["tier.boot"]),
        ("d", "wait", ["tier.boot"]),
    ]
    assert ask(*PLAN).exit_code == 2


def test_parts_are_planned_with_what_they_wait_for(ask: Ask, put: Callable[..., None]) -> None:
    put(a="passed", b="failed")
    assert done(ask, "c") == {"a": "nothing", "c": "build"}
    assert done(ask, "d") == {"a": "nothing", "c": "build", "d": "wait"}
    assert done(ask, "c", "--scope", "tier") == {"a": "nothing", "b": "mend", "c": "wait"}
    good = ask(*PLAN, "a")
    assert (good.exit_code, "1 part: all good" in good.stderr) == (0, True)


def test_a_change_is_planned_with_what_needs_it(ask: Ask, put: Callable[..., None], folder: Path) -> None:
    put(a="passed", b="passed", c="passed", d="passed")
    (folder / "graph.yaml").write_text(
        GRAPH.replace("needs: [a]", "needs: [a], build: c-1-1.fc40").replace(
            "needs: [c]", "needs: [c], build: d-1-1.fc40"
        )
    )
    assert set(done(ask).values()) == {"nothing"}
    assert done(ask, "--changed", "a") == {"a": "nothing", "c": "build", "d": "wait"}
    assert done(ask, "--changed", "c") == {"c": "nothing", "d": "build"}
    assert done(ask, "--changed", "b") == {"b": "nothing"}


@pytest.mark.parametrize(
    ("graph", "told"),
    [
        ("a: {tier: 1, needs: [b]}\nb: {tier: 1, needs: [a]}\n", "a cycle of parts: "),
        ("a: {tier: 1, needs: [x]}\n", "'a' needs 'x', which is no part of the graph"),
        ("a: {tier: one}\n", "part 'a' has no integer tier"),
        ("a: {tier: 1, need: []}\n", "part 'a' has the unknown key 'need'"),
        ("a: {tier: 1}\na: {tier: 2}\n", "graph.yaml:2: part 'a' stands twice"),
        ("a: [\n", "graph.yaml:2: YAML Parser Error"),
        ("- a\n", "a graph of tiers is a mapping of parts"),
        ("", "a graph of tiers is one mapping of parts"),
    ],
)
def test_a_wrong_graph_is_told(
    ask: Ask, put: Callable[..., None], folder: Path, graph: str, told: str
) -> None:
    (folder / "graph.yaml").write_text(graph)
    wrong = ask(*PLAN)
    assert (wrong.exit_code, told in wrong.stderr) == (3, True), wrong.stderr


def test_an_unknown_part_is_told(ask: Ask, put: Callable[..., None]) -> None:
    wrong = ask(*PLAN, "e")
    assert (wrong.exit_code, "parts are a, b, c, d" in wrong.stderr) == (3, True)
    assert "cannot be read" in ask("tiers", "plan", "--graph", "gone", *F40).stderr
