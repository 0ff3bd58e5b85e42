"""Told: a waiver as JSON, the same on the command line, in our API and in the twins of pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..domain.waiver import Standing, Waiver, WaiverEvent


def told(waiver: Waiver, stands: Standing) -> dict[str, Any]:
    """Return all that a waiver says: its terms, how it stands, and the steps that got it there."""
    terms = waiver.terms
    steps = [waiver.first, *waiver.approvals]
    if waiver.closed is not None:
        steps.append(waiver.closed)
    return {
        "id": waiver.id, "name": waiver.name, "state": str(stands), "subject_type": terms.subject_type,
        "subject": terms.subject, "testcase": terms.testcase, "product_version": terms.product_version,
        "scenario": terms.scenario, "arch": terms.arch,
        "purpose": None if terms.purpose is None else str(terms.purpose),
        "signatures": list(terms.signatures), "lenient": terms.lenient, "waived": terms.waived,
        "expires_at": _text(terms.expires_at), "username": waiver.username, "proxied_by": waiver.proxied_by,
        "comment": waiver.comment, "approved_by": list(waiver.approved_by),
        "granted_at": _text(waiver.granted_at), "granted_seq": waiver.granted_seq,
        "steps": [told_event(event) for event in steps],
    }  # fmt: skip


def told_event(event: WaiverEvent) -> dict[str, Any]:
    """Return one step, without terms."""
    act = event.act
    return {
        "event": event.id, "seq": event.seq, "time": _text(event.time), "step": str(act.step),
        "turn": None if act.turn is None else str(act.turn), "username": act.username,
        "proxied_by": act.proxied_by, "via": act.via, "comment": act.comment, "refused": act.refused,
    }  # fmt: skip


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")
