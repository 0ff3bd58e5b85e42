"""What tests of decisions share: a policy, a request, and what comes out of a store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.asked import Request
from ci_results.domain.decision import Decision
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.subject import Subject
from ci_results.operations.gate import Gate, decide
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON

TYPES = {kind.name: kind for kind in RULE_TYPES}
BASH = Subject("koji_build", "bash-5.2-1.fc40")
LATER = NOON + timedelta(hours=1)
HEAD = "id: x\nproduct_versions: ['f*']\ndecision_context: push\nsubject_type: koji_build\nrules:\n"
CASE = "- !PassingTestCaseRule {test_case_name: ns.case}\n"


def rules(text: str = CASE) -> PolicySet:
    return load([("x.yaml", (HEAD + text).encode())], TYPES)


def asked(**changed: Any) -> Request:
    given: dict[str, Any] = {"subjects": (BASH,), "product_version": "f40", "contexts": ("push",)}
    return Request(**(given | changed))


def decided(store: Store, text: str = CASE, **changed: Any) -> Decision:
    return decide(Gate(store=store, policies=rules(text)), asked(**changed))


def put(store: Store, *results: Result) -> None:
    for one in results:
        store.commit_page(Page(source=one.source, results=[one]))


def states(decision: Decision) -> list[tuple[str, str | None, str | None, str]]:
    """Return testcase, scenario, architecture and state of each requirement."""
    return sorted(
        (each.testcase, one and one.scenario, one and one.arch, str(each.state))
        for each in decision.requirements
        for one in [each.result]
    )
