"""Tell policies and the rules that are in force, as our own API and the command line do."""

from __future__ import annotations

from typing import Any

from ..domain.policy import Policy, Rule
from . import greenwave_listing


def rule_row(policy: Policy, rule: Rule | None, passed_over: str) -> dict[str, Any]:
    """Return one rule in force, and why it is not weighed, "" where it is; no rule = a whole policy."""
    place = policy.place if rule is None else rule.place
    return {
        "file": place.file,
        "line": place.line,
        "policy": policy.id,
        "rule": None if rule is None else rule.type.name,
        "testcases": [] if rule is None else list(rule.type.testcases(rule.options)),
        "passed_over": passed_over,
    }


def policy(found: Policy) -> dict[str, Any]:
    """Return a policy in one form, however it was written, with where it stands."""
    return {
        "id": found.id,
        "file": found.place.file,
        "line": found.place.line,
        "digest": found.digest,
        "product_versions": list(found.product_versions),
        "decision_contexts": list(found.decision_contexts),
        "subject_types": list(found.subject_types),
        "packages": list(found.packages),
        "excluded_packages": list(found.excluded_packages),
        "rules": [
            {**greenwave_listing.rule(rule), "file": rule.place.file, "line": rule.place.line}
            for rule in found.rules
        ],
    }
