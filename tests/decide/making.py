"""What tests of decisions are made of: short ways to say results, policies, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.judge import judge, questions
from ci_results.decide.policy_set import PolicySet, Settings, load
from ci_results.domain.asked import Request
from ci_results.domain.decision import Decision
from ci_results.domain.facts import Evidence, Facts
from ci_results.domain.purpose import Purpose
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent

TYPES = {kind.name: kind for kind in RULE_TYPES}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASH = Subject("koji_build", "bash-5.2-1.fc40")
REQUEST = Request(subjects=(BASH,), product_version="fedora-40", contexts=("push",))


def policies(
    rules: str, *, kind: str = "koji_build", more: str = "", settings: Settings | None = None
) -> PolicySet:
    """Return a set of one policy with these rules, one a line."""
    lines = "".join(f"\n- {rule.strip()}" for rule in rules.strip().splitlines() if rule.strip())
    return read(
        f"""--- !Policy
id: gate
product_versions: [fedora-*]
decision_context: push
subject_type: {kind}
{more}
rules:{lines or " []"}
""",
        settings=settings,
    )


def read(*texts: str, settings: Settings | None = None) -> PolicySet:
    """Return the set that these files make; the first is a.yaml."""
    files = [(f"{chr(97 + number)}.yaml", text.encode()) for number, text in enumerate(texts)]
    return load(files, TYPES, settings=settings)


def passing(*testcases: str) -> str:
    """Return rules that require these testcases, one a line."""
    return "\n".join(f"!PassingTestCaseRule {{test_case_name: {each}}}" for each in testcases)


def result(testcase: str, outcome: str = "PASSED", number: int = 1, **about: Any) -> Evidence:
    """Return a result an hour old."""
    given: dict[str, Any] = {"time": NOW - timedelta(hours=1)} | about
    return Evidence(number, testcase, outcome, **given)


def facts(
    *results: Evidence,
    waivers: Iterable[Waiver] = (),
    subject: Subject = BASH,
    others: Mapping[Subject, Iterable[Evidence]] | None = None,
    **more: Any,
) -> Facts:
    """Return what is known: results of a subject, newest first, and its waivers."""
    latest = {subject: _by_testcase(results)}
    latest |= {other: _by_testcase(found) for other, found in (others or {}).items()}
    given = {"as_of": 100, "now": NOW, "waivers": {subject: tuple(waivers)}} | more
    return Facts(latest=latest, **given)


def _by_testcase(results: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    found: dict[str, list[Evidence]] = {}
    for each in results:
        found.setdefault(each.testcase, []).append(each)
    return found


def waiver(testcase: str, number: int = 7, about: Subject = BASH, seq: int = 50, **terms: Any) -> Waiver:
    """Return a waiver that counts from commit `seq` on."""
    given: dict[str, Any] = {
        "subject_type": about.type,
        "subject": about.identifier,
        "testcase": testcase,
        "product_version": "fedora-40",
    } | terms
    if isinstance(given.get("purpose"), str):
        given["purpose"] = Purpose.parse(given["purpose"])
    act = Act(
        step=Step.GRANT, username="rm1", comment="infra", via="cli", turn=Turn.OPENS, terms=Terms(**given)
    )
    event = WaiverEvent(id=number, seq=seq, time=NOW - timedelta(days=1), act=act, hash="0" * 64)
    return Waiver(id=number, terms=Terms(**given), first=event, opened=event, last=number)


def decide(rules: str | PolicySet, known: Facts, request: Request = REQUEST, **changes: Any) -> Decision:
    """Return the decision; what was not asked for is not known to it."""
    chosen = policies(rules) if isinstance(rules, str) else rules
    request = replace(request, **changes)
    needs = questions(chosen, request, known.remote_files)
    asked = {
        subject: {
            testcase: results
            for testcase, results in found.items()
            if testcase in needs.latest.get(subject, ())
            or any(needs.like.get(subject, ()))
            or testcase in _planned(known, subject)
        }
        for subject, found in known.latest.items()
    }
    return judge(chosen, request, known._replace(latest=asked))


def _planned(known: Facts, subject: Subject) -> set[str]:
    return {
        testcase
        for question, plan in known.plans.items()
        if question.subject == subject and plan is not None
        for testcase in plan.testcases
    }
