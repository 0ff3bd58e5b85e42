"""What a waiver would do: foreseen, then done, and the two compared; on both kinds of store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.concerned import product_versions
from ci_results.decide.gates import GateName, gates_of
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.page import Page
from ci_results.domain.purpose import Purpose
from ci_results.domain.result import Result
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Terms
from ci_results.operations import waive
from ci_results.operations.compare import Change, compare
from ci_results.operations.gate import Gate
from ci_results.operations.gated import decisions
from ci_results.operations.preview import Effect, effects
from ci_results.operations.waive import Desk, Wish
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON, result
from ci_results.waive.life import Actor
from ci_results.waive.rules import Rule, Rules

TYPES = {kind.name: kind for kind in RULE_TYPES}
BASH = Subject("koji_build", "bash-5.2-1.fc40")
TEXT = """
--- !Policy
id: testing
product_versions: [fedora-*]
decision_context: push_testing
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.lint}
--- !Policy
id: stable
product_versions: [fedora-40]
decision_contexts: [push_stable, compose]
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.lint}
- !AtLeastRule {at_least: 1, testcases: [ns.boot, ns.install]}
--- !Policy
id: other
product_versions: [rhel-9]
decision_context: errata
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.lint}
--- !Policy
id: images
product_versions: [fedora-40]
decision_context: upload
subject_type: compose
rules:
- !PassingTestCaseRule {test_case_name: ns.lint}
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:{tmp_path / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("preview")
    opened = open_store(url)
    yield opened
    opened.close()


def policies() -> PolicySet:
    return load([("p.yaml", TEXT.encode())], TYPES)


def gate(store: Store) -> Gate:
    return Gate(store=store, policies=policies(), now=lambda: NOON + timedelta(days=1))


def terms(testcase: str = "ns.lint", **changed: Any) -> Terms:
    given: dict[str, Any] = {
        "subject_type": "koji_build", "subject": BASH.identifier, "testcase": testcase,
        "product_version": "fedora-40",
    }  # fmt: skip
    return Terms(**(given | changed))


def put(store: Store, *results: Result) -> None:
    for one in results:
        store.commit_page(Page(source=one.source, results=[one]))


def broken(store: Store) -> None:
    put(
        store,
        result("1", testcase="ns.lint", item=BASH.identifier, outcome="failed"),
        result("2", testcase="ns.boot", item=BASH.identifier, outcome="failed"),
    )


def told(found: list[Effect]) -> list[tuple[str, str, str]]:
    return [(each.gate.context, str(each.without.verdict), str(each.granted.verdict)) for each in found]


def test_the_gates_of_a_subject_are_those_of_its_product_version_and_type() -> None:
    kind = policies().subject_types.find("brew-build")
    versions = product_versions(kind, BASH.identifier)
    assert gates_of(policies(), kind, versions) == [
        GateName("fedora-40", "compose"), GateName("fedora-40", "push_stable"),
        GateName("fedora-40", "push_testing"),
    ]  # fmt: skip
    assert gates_of(policies(), kind, ["fedora-41"]) == [GateName("fedora-41", "push_testing")]
    assert gates_of(policies(), kind, ["suse-1"]) == []
    unknown = gates_of(policies(), kind)
    assert GateName("rhel-9", "errata") in unknown  # named without a glob
    assert not any("*" in each.product_version for each in unknown)
    assert gates_of(policies(), kind, ["x"], ["nobody_asked"]) == [GateName("x", "nobody_asked")]


def test_decisions_of_one_product_version_stand_as_of_one_commit_worst_first(store: Store) -> None:
    broken(store)
    kind = policies().subject_types.find(BASH.type)
    found = decisions(gate(store), BASH, gates_of(policies(), kind, ["fedora-40", "rhel-8"]))
    assert [(each.request.contexts[0], str(each.verdict)) for each in found] == [
        ("compose", "no-go"), ("push_stable", "no-go"), ("push_testing", "no-go"),
    ]  # fmt: skip
    assert len({each.as_of for each in found}) == 1


@pytest.mark.demand("S-063")
def test_what_is_foreseen_of_a_request_is_what_comes_true(store: Store) -> None:
    broken(store)
    foreseen = effects(gate(store), terms())
    assert told(foreseen) == [
        ("compose", "no-go", "wait"), ("push_stable", "no-go", "wait"), ("push_testing", "no-go", "go"),
    ]  # fmt: skip
    assert all(each.turns for each in foreseen)
    assert [leaf.testcase for leaf in foreseen[0].waived] == ["ns.lint"]
    desk = Desk(store=store, rules=Rules(rules=(Rule(approvals=1),)))
    (asked,) = waive.request(desk, [Wish(terms=terms(), comment="infra")], Actor(username="dev1", via="t"))
    assert told(effects(gate(store), asked)) == told(foreseen)
    approved = waive.approve(desk, asked.id, Actor(username="rm1", via="t"), "seen it")
    assert told(effects(gate(store), approved)) == told(foreseen)  # what it does, seen from both sides
    kind = policies().subject_types.find(BASH.type)
    truth = decisions(gate(store), BASH, gates_of(policies(), kind, ["fedora-40"]))
    assert sorted((each.request.contexts[0], str(each.verdict)) for each in truth) == sorted(
        (context, after) for context, _, after in told(foreseen)
    )


def test_a_waiver_is_seen_within_a_choice_and_nothing_is_foreseen_where_it_does_nothing(store: Store) -> None:
    broken(store)
    assert told(effects(gate(store), terms("ns.boot"))) == [
        ("compose", "no-go", "no-go"), ("push_stable", "no-go", "no-go"),
    ]  # fmt: skip
    assert effects(gate(store), terms("ns.unknown")) == []
    assert effects(gate(store), terms(product_version="suse-1")) == []
    assert effects(gate(store), terms(subject="other-1-1.fc40", scenario="uefi")) == []
    assert effects(gate(store), terms(waived=False)) == []


def test_a_waiver_for_a_purpose_is_tried_where_it_is_for(store: Store) -> None:
    broken(store)
    advisory = terms(purpose=Purpose("advisory", "FEDORA-2026-1a2b"))
    assert ("push_testing", "no-go", "go") in told(effects(gate(store), advisory))
    context = terms(purpose=Purpose("context", "push_testing"))
    assert told(effects(gate(store), context)) == [("push_testing", "no-go", "go")]


def test_an_expired_one_turns_nothing_more(store: Store) -> None:
    broken(store)
    assert effects(gate(store), terms(expires_at=NOON)) == []


def test_two_items_are_compared_testcase_by_testcase_worst_first(store: Store) -> None:
    left, right = "bash-5.2-1.fc40", "bash-5.2-2.fc40"
    said = [
        ("ns.broke", "passed", "failed"), ("ns.old", "failed", "error"), ("ns.gone", "passed", None),
        ("ns.runs", "failed", "running"), ("ns.mended", "error", "passed"), ("ns.new", None, "passed"),
        ("ns.new-bad", None, "failed"), ("ns.good", "passed", "info"),
    ]  # fmt: skip
    for number, (testcase, before, now) in enumerate(said):
        if before:
            put(store, result(f"l{number}", testcase=testcase, item=left, outcome=before))
        if now:
            put(store, result(f"r{number}", testcase=testcase, item=right, outcome=now))
    found = compare(store, left, right)
    assert [(str(row.change), row.variant.testcase) for row in found.rows] == [
        ("new failure", "ns.broke"), ("new failure", "ns.new-bad"), ("still fails", "ns.old"),
        ("missing", "ns.gone"), ("not done", "ns.runs"), ("fixed", "ns.mended"), ("only here", "ns.new"),
        ("same", "ns.good"),
    ]  # fmt: skip
    assert found.count(Change.NEW_FAILURE) == 2
    assert (found.left_known, found.right_known, found.cut) == (True, True, False)
    assert compare(store, left, "nobody").right_known is False
