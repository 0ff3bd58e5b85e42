"""Waivers and targets for tests, with a few fields changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ci_results.domain.waiver import Act, Step, Terms, Turn, Waiver, WaiverEvent
from ci_results.waive.covers import Setting, Target

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(days=7)

TERMS = Terms(
    subject_type="koji_build", subject="bash-5.2-1.fc40", testcase="dist.rpmlint", product_version="fedora-40"
)


def event(number: int, step: Step, **fields: Any) -> WaiverEvent:
    """Return event `number`, stored by the commit of that number."""
    given = {"username": "dev1", "comment": "why not", "via": "cli", **fields}
    time = NOON + timedelta(minutes=number)
    return WaiverEvent(id=number, seq=number, time=time, act=Act(step=step, **given), hash="")


def granted(**terms: Any) -> Waiver:
    """Return a waiver that counts from commit 1 on."""
    said = replace(TERMS, **terms)
    first = event(1, Step.GRANT, terms=said, turn=Turn.OPENS)
    return Waiver(id=1, terms=said, first=first, opened=first, last=1)


def requested(**terms: Any) -> Waiver:
    """Return a waiver that somebody asked for in commit 1."""
    said = replace(TERMS, **terms)
    return Waiver(id=1, terms=said, first=event(1, Step.REQUEST, terms=said), last=1)


def target(**fields: Any) -> Target:
    """Return the requirement that `TERMS` are about, failed."""
    given = {"subject_type": "koji_build", "subject": "bash-5.2-1.fc40", "testcase": "dist.rpmlint"}
    return Target(**({**given, "outcome": "FAILED"} | fields))


def setting(**fields: Any) -> Setting:
    """Return a question about fedora-40 at noon, long after everything was stored."""
    return Setting(**({"product_version": "fedora-40", "seq": 1_000, "now": NOON} | fields))
