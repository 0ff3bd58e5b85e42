"""Tell a decision with its whole proof, as our own API does: one shape for HTTP, command line and bus."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..domain.decision import Decision, Opening, Requirement, SubjectDecision
from ..domain.facts import Evidence
from ..domain.policy import Policy
from ..domain.waiver import Waiver


def decision(decided: Decision) -> dict[str, Any]:
    """Return the decision; docs/policies.md tells the shape. The same decision gives the same bytes."""
    request, progress = decided.request, decided.progress
    return {
        "verdict": str(decided.verdict),
        "progress": {**progress._asdict(), "percent": progress.percent},
        "product_version": request.product_version,
        "decision_contexts": list(request.contexts),
        "purposes": sorted(str(purpose) for purpose in request.purposes),
        "subjects": [_subject(each, decided.now) for each in decided.subjects],
        "openings": [_opening(each) for each in decided.openings],
        "policies_digest": decided.digest,
        "as_of": {"seq": decided.as_of, "time": moment_text(decided.now)},
    }


def _subject(decided: SubjectDecision, now: datetime) -> dict[str, Any]:
    return {
        "subject_type": decided.subject.type,
        "subject_identifier": decided.subject.identifier,
        "verdict": str(decided.verdict),
        "policies": [_policy(policy) for policy in decided.policies],
        "requirements": [requirement(each, now) for each in decided.requirements],
    }


def requirement(each: Requirement, now: datetime) -> dict[str, Any]:
    """Return one requirement and what proves it at `now`; what does not apply is left out."""
    told: dict[str, Any] = {
        "state": str(each.state),
        "satisfied": each.satisfied,
        "blocking": each.blocking,
        "testcase": each.testcase,
        "subject_type": each.subject.type,
        "subject_identifier": each.subject.identifier,
        "policy": each.policy.id,
        "rule": {
            "type": None if each.rule is None else each.rule.type.name,
            "file": each.place.file,
            "line": each.place.line,
        },
    }
    more = {
        "scenario": each.scenario,
        "source": each.policy.source,
        "said": each.said,
        "needed": each.needed,
        "owner": each.owner,
        "expected_since": None if each.expected is None else moment_text(each.expected.since),
        "due": None if each.expected is None or each.expected.due is None else moment_text(each.expected.due),
        "overdue": None if each.expected is None else each.expected.overdue(now),
        "event": None if each.expected is None else each.expected.event,
        "result": None if each.result is None else _result(each.result),
        "waiver": None if each.waiver is None else _waiver(each.waiver),
        "waivers_not_counted": [{"id": waiver.id, "why": why} for waiver, why in each.refused] or None,
        "addresses": list(each.addresses) or None,
        "parts": [requirement(part, now) for part in each.parts] or None,
    }
    return told | {key: value for key, value in more.items() if value is not None}


def _opening(opening: Opening) -> dict[str, Any]:
    return {
        "needed": opening.needed,
        "of": [
            {
                "subject_type": each.subject.type,
                "subject_identifier": each.subject.identifier,
                "testcase": each.testcase,
                "scenario": each.scenario if each.result is None else each.result.scenario,
                "arch": None if each.result is None else each.result.arch,
                "state": str(each.state),
            }
            for each in opening.of
        ],
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {"id": policy.id, "digest": policy.digest, "file": policy.place.file, "line": policy.place.line}


def _result(result: Evidence) -> dict[str, Any]:
    return {
        "id": result.id,
        "outcome": result.outcome,
        "time": moment_text(result.time),
        "scenario": result.scenario,
        "arch": result.arch,
        "variant": result.variant,
        "build_url": result.build_url,
        "message_id": result.message_id,
        "imported": result.imported,
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "id": waiver.id,
        "username": waiver.username,
        "proxied_by": waiver.proxied_by,
        "approved_by": list(waiver.approved_by),
        "purpose": None if waiver.terms.purpose is None else str(waiver.terms.purpose),
        "comment": waiver.comment,
        "expires_at": None if waiver.expires_at is None else moment_text(waiver.expires_at),
    }


def moment_text(time: datetime) -> str:
    """Return a moment as our JSON has it: "2026-03-01T12:00:00.000000Z"."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
