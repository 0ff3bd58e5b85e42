"""A world for Greenwave's API: policies, and a client that posts, waives and asks for decisions."""

from __future__ import annotations

from typing import Any

import requests

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import PolicySet, load
from ci_results.domain.waiver import Terms, Waiver
from ci_results.operations import waive
from ci_results.operations.waive import Desk, Wish
from ci_results.store.protocol import Store
from ci_results.waive.life import Actor

from .places import Api, name

POLICIES = b"""
--- !Policy
id: plain
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: a.one}
- !PassingTestCaseRule {test_case_name: a.two, scenario: uefi}
---
id: packages
product_versions: [fedora-*]
decision_contexts: [some, push_both]
subject_types: [brew-build]
excluded_packages: [glibc*]
packages: [bash, glibc]
rules:
- !PassingTestCaseRule {test_case_name: a.one}
---
id: again
product_versions: [fedora-40]
decision_context: push_both
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: a.one}
- !PassingTestCaseRule {test_case_name: a.three}
---
id: empty
product_versions: ["*"]
decision_context: nothing
subject_type: compose
rules: []
---
id: images
product_versions: ["*"]
decision_context: images
subject_types: [redhat-container-image, odd]
rules:
- !PassingTestCaseRule {test_case_name: a.one}
"""
PUSH = {"decision_context": "push", "product_version": "fedora-40"}
BASE = "//api/v1.0"


def policies() -> PolicySet:
    """Return the policies of this world."""
    return load([("policies.yaml", POLICIES)], {kind.name: kind for kind in RULE_TYPES})


class World:
    """A server, what it holds, and questions to it."""

    def __init__(self, api: Api, store: Store) -> None:
        self.api, self.store = api, store

    def nvr(self, package: str = "pkg") -> str:
        """Return a build that nobody else has."""
        return f"{package}-{name('v')}-1.fc40"

    def result(self, item: str, testcase: str = "a.one", outcome: str = "PASSED", **data: Any) -> int:
        """Post a result; return its id. `submit_time` is no attribute."""
        time = data.pop("submit_time", None)
        more = {} if time is None else {"submit_time": time}
        said = {"type": "koji_build", "item": item} | data
        given = {key: value for key, value in said.items() if value is not None}
        number: int = self.api.result(outcome=outcome, testcase=testcase, data=given, **more)["id"]
        return number

    def waiver(self, item: str, testcase: str = "a.one", **terms: Any) -> Waiver:
        """Grant a waiver."""
        given = {"subject_type": "koji_build", "product_version": "fedora-40"} | terms
        wish = Wish(terms=Terms(subject=item, testcase=testcase, **given), comment="infra", broad=True)
        (done,) = waive.grant(Desk(store=self.store), [wish], Actor(username="dev1", via="api"))
        return done

    def ask(self, *items: str, query: str = "", **more: Any) -> requests.Response:
        """Ask for a decision about builds."""
        body = PUSH | {"subject": [{"type": "koji_build", "item": item} for item in items]} | more
        said = {key: value for key, value in body.items() if value is not None}
        return self.api.post(f"{BASE}/decision{query}", json=said)

    def decided(self, *items: str, **more: Any) -> dict[str, Any]:
        """Return the JSON of a decision, which must be made."""
        answer = self.ask(*items, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
