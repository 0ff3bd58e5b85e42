"""Builds in every state that a gate knows, the policies that they come under, and two who waive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ci_results.config_auth import TokenTable
from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.waiver import Terms
from ci_results.operations import waive
from ci_results.operations.policies import FixedPolicies
from ci_results.operations.waive import Desk, Wish
from ci_results.serve.auth.tokens import PREFIX, digest
from ci_results.store.protocol import Store
from ci_results.waive.life import Actor
from ci_results.waive.rules import People, Rule, Rules

DEV, RM = (f"{PREFIX}{letter * 43}" for letter in "dr")
TOKENS = (TokenTable(name="dev1", sha256=digest(DEV)), TokenTable(name="rm1", sha256=digest(RM)))
RULES = Rules(rules=(Rule(approvals=1, approve=People(users=frozenset({"rm1", "dev1"}))),))

LINT, BOOT, DIFF = "dist.rpmlint", "baseos.tier1.boot", "dist.rpmdiff"
BUILDS = {
    "failed": "bash-5.2.26-3.fc40",
    "missing": "curl-8.6.0-7.fc40",
    "errored": "gcc-14.0.1-5.fc40",
    "waived": "libreswan-4.12-1.fc40",
    "waiting": "zsh-5.9-12.fc40",
    "go": "bash-5.2.26-2.fc40",
    "no-policy": "bash-5.2.26-3.el9",
}
"""A build for each state, by its name."""

TEXT = """
--- !Policy
id: fedora_push_stable
product_versions: ["fedora-[0-9]*"]
decision_context: bodhi_update_push_stable
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
- !PassingTestCaseRule {test_case_name: baseos.tier1.boot}
- !PassingTestCaseRule {test_case_name: dist.rpmdiff}
- !ExperimentalRule
  rules:
  - !PassingTestCaseRule {test_case_name: fuzz.nightly}
--- !Policy
id: fedora_push_testing
product_versions: ["fedora-[0-9]*"]
decision_context: bodhi_update_push_testing
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
"""


def policies() -> FixedPolicies:
    """Return the policies that all of this is about."""
    types = {kind.name: kind for kind in RULE_TYPES}
    return FixedPolicies(load([("policies/fedora.yaml", TEXT.encode())], types))


def fill(store: Store, now: datetime | None = None) -> None:
    """Store all of it; results lie within the hours before `now`."""
    now = now or datetime.now(UTC)
    for number, (state, build) in enumerate(BUILDS.items()):
        for case in (LINT, BOOT, DIFF):
            word = _outcome(state, case)
            if word is not None:
                _put(store, build, case, word, now - timedelta(minutes=20 * (number + 1)))
    for number in range(24):
        word = ("PASSED", "PASSED", "FAILED", "PASSED", "ERROR", "INFO")[number % 6]
        _put(store, f"grep-3.11-{number}.fc40", BOOT, word, now - timedelta(hours=30 - number))
    desk = Desk(store=store, rules=Rules())
    terms = Terms(
        subject_type="koji_build", subject=BUILDS["waived"], testcase=BOOT, product_version="fedora-40",
        arch="x86_64", expires_at=now + timedelta(days=14),
    )  # fmt: skip
    wish = Wish(terms=terms, comment="The machine has no memory left, bug 4711.")
    waive.grant(desk, [wish], Actor(username="dev1", via="test"))


def _outcome(state: str, case: str) -> str | None:
    """Return what a build's testcase says: all pass but for that which gives the build its state."""
    odd: dict[tuple[str, str], str | None] = {
        ("failed", BOOT): "FAILED", ("failed", DIFF): "NEEDS_INSPECTION", ("missing", BOOT): None,
        ("errored", BOOT): "ERROR", ("waived", BOOT): "FAILED", ("waiting", BOOT): "RUNNING",
    }  # fmt: skip
    return odd.get((state, case), "PASSED")


def _put(store: Store, build: str, case: str, outcome: str, time: datetime) -> None:
    said: dict[str, Any] = {
        "note": "kernel panic: not syncing: attempted to kill init"
        if outcome in ("FAILED", "ERROR") else None,
        "ref_url": f"https://jenkins.example/job/{case}/{build}/",
        "duration_s": 312.0,
    }  # fmt: skip
    result = Result(
        source="baseos", key=f"{build}/{case}", testcase=case, outcome=outcome, item=build,
        item_type="koji_build", data={}, submit_time=time, arch="x86_64" if case == BOOT else "", **said,
    )  # fmt: skip
    store.commit_page(Page(source="baseos", results=[result]))
