"""The page of policies: what is required where, by which file and line, and what is odd about it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...decide.explain import effective
from ...decide.lint import lint
from ...domain.policy import Policy, Rule
from ...domain.search import NameQuery
from ...errors import TooBroadError
from ...operations.gate import Gate
from ..answers import Answers
from ..surroundings import Surroundings
from ..visited import wants_json
from .facts import gate_of, view_time

SHOWN = 200
"""Policies that the page shows; the twin has all."""

KNOWN = 100_000
"""Testcases that lint knows; where there are more, it says nothing of names."""

_CONFIGURED = (
    "digest", "loaded_at", "problem", "contexts", "types", "findings", "effective", "policies",
)  # fmt: skip
ASKED = ("product_version", "context", "type", "package")


class PolicyPages:
    """Answers /policies."""

    def __init__(self, around: Surroundings, answers: Answers) -> None:
        self._around, self._answers = around, answers

    async def policies(self, request: Request) -> Response:
        """Show all policies; with `product_version` the rules that are in force for it, in order."""
        asked = {name: request.query_params.get(name, "").strip() for name in ASKED}
        gate = gate_of(self._around)
        facts = (
            dict.fromkeys(_CONFIGURED) | {"configured": False, "asked": asked}
            if gate is None
            else await run_in_threadpool(self._facts, gate, asked)
        )
        if wants_json(request):
            return self._answers.json(facts)
        return self._answers.html(
            "policies.html",
            facts,
            path=request.scope["path"],
            now=self._around.clock(),
            query=request.url.query,
            shown=SHOWN,
        )

    def _facts(self, gate: Gate, asked: dict[str, str]) -> dict[str, Any]:
        policies = gate.policies
        state = self._around.policies.state
        return {
            "configured": True,
            "asked": asked,
            "digest": policies.digest,
            "loaded_at": view_time(state.since),
            "problem": state.problem,
            "contexts": sorted(policies.contexts),
            "types": sorted({name for each in policies.policies for name in each.subject_types}),
            "findings": [
                {"level": str(each.level), "kind": each.kind, "file": each.place.file,
                 "line": each.place.line, "message": " ".join(each.message.split())}
                for each in lint(policies, testcases=_testcases(gate))
            ],
            "effective": _effective(gate, asked) if asked["product_version"] else None,
            "policies": [_policy(each) for each in policies.policies],
        }  # fmt: skip


def _testcases(gate: Gate) -> Collection[str] | None:
    """Return the testcases that ever reported, None where they are too many to know."""
    try:
        found = gate.store.testcases(NameQuery(limit=KNOWN + 1))
    except TooBroadError:
        return None
    return {each.name for each in found} if len(found) <= KNOWN else None


def _effective(gate: Gate, asked: dict[str, str]) -> list[dict[str, Any]]:
    found = effective(
        gate.policies,
        gate.policies.subject_types.find(asked["type"] or "koji_build"),
        product_version=asked["product_version"],
        contexts=(asked["context"],) if asked["context"] else (),
        package=asked["package"] or None,
    )
    return [
        {
            "policy": each.policy.id,
            "decision_contexts": list(each.policy.decision_contexts),
            "passed_over": each.passed_over,
            **(_rule(each.rule) if each.rule is not None else _place(each.policy)),
        }
        for each in found
    ]


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        **_place(policy),
        "product_versions": list(policy.product_versions),
        "decision_contexts": list(policy.decision_contexts),
        "subject_types": list(policy.subject_types),
        "packages": list(policy.packages),
        "excluded_packages": list(policy.excluded_packages),
        "digest": policy.digest,
        "rules": [_rule(each) for each in policy.rules],
    }


def _place(policy: Policy) -> dict[str, Any]:
    return {
        "file": policy.place.file, "line": policy.place.line, "rule": None, "testcases": [],
        "valid_since": None, "valid_until": None,
    }  # fmt: skip


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "file": rule.place.file,
        "line": rule.place.line,
        "rule": rule.type.name,
        "testcases": list(rule.type.testcases(rule.options)),
        "valid_since": _moment(getattr(rule.options, "valid_since", None)),
        "valid_until": _moment(getattr(rule.options, "valid_until", None)),
    }


def _moment(moment: object) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime | date) else None
