"""Plans and their progress as JSON has them: the same on pages, in the API and on the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..domain.plan import PlanVersion
from ..domain.progress import Progress
from ..domain.stored import Fact
from .manual import PlanStatus, attributes_of


def said(counts: Progress) -> str:
    """Say how far it is: "31 of 40 done (77.5 %): 30 passed, 1 failed, 9 missing"."""
    parts = [
        (counts.passed, "passed"), (counts.info, "info"), (counts.failed, "failed"),
        (counts.error, "in error"), (counts.needs_inspection, "to inspect"), (counts.other, "other"),
        (counts.unfinished, "unfinished"), (counts.missing, "missing"),
    ]  # fmt: skip
    listed = ", ".join(f"{count} {name}" for count, name in parts if count)
    return f"{counts.done} of {counts.required} done ({counts.percent:g} %): {listed}"


def status_facts(status: PlanStatus, known: frozenset[int] | None = None) -> dict[str, Any]:
    """Return a status as JSON has it; with `known` (see vouched) each testcase and its newest results too."""
    version, counts = status.version, status.progress
    facts: dict[str, Any] = {
        "plan": version.plan.name,
        "version": version.version,
        "item": status.item,
        "type": version.plan.item_type,
        "state": counts.state,
        "progress": {**asdict(counts), "percent": counts.percent},
        "summary": said(counts),
    }
    if known is not None:
        facts["cases"] = [
            {
                **asdict(each.case),
                "outcome": each.outcome,
                "results": [result_facts(one, known) for one in each.results],
            }
            for each in status.cases
        ]
    return facts


def plan_facts(version: PlanVersion, *, cases: bool = True) -> dict[str, Any]:
    """Return a version of a plan as JSON has it."""
    facts: dict[str, Any] = {
        "plan": version.plan.name,
        "version": version.version,
        "item": version.plan.item,
        "type": version.plan.item_type,
        "required": len(version.plan.cases),
        "seq": version.seq,
        "actor": version.actor,
        "time": f"{version.time:%Y-%m-%dT%H:%M:%S.%f}",
    }
    if cases:
        facts["cases"] = [asdict(case) for case in version.plan.cases]
    return facts


def result_facts(fact: Fact, known: frozenset[int]) -> dict[str, Any]:
    """Return what a result of a required testcase says, and who said it."""
    own = attributes_of(fact)
    return {
        "id": fact.id,
        "time": fact.time,
        "outcome": fact.outcome,
        "actor": own.get("actor") or own.get("tester"),
        "actor_verified": fact.id in known,
        "note": fact.note,
        "ref_url": fact.ref_url,
        "scenario": own.get("scenario"),
        "arch": own.get("arch"),
    }
