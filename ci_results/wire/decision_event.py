"""Tell that a decision changed: our event, with all of Greenwave's decision.update. Obeys COMPAT 3.8."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from ..domain.decision import Decision, Requirement, State, Verdict
from ..domain.recorded import RecordedDecision
from ..domain.subject import SubjectTypes
from .decision_json import decision as told
from .decision_json import moment_text
from .greenwave_answer import answer, flat
from .schemas import Schema, list_of, record

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
    "description": "UTC.",
}
_VERDICTS = list(map(str, Verdict))
_REQUIREMENTS = list_of({"type": "object", "required": ["type"]}, "As Greenwave tells them.")
_ANSWER: dict[str, Schema] = {
    "policies_satisfied": {"type": "boolean"},
    "summary": _TEXT,
    "applicable_policies": list_of(_TEXT),
    "satisfied_requirements": _REQUIREMENTS,
    "unsatisfied_requirements": _REQUIREMENTS,
}
FIELDS: dict[str, Schema] = {
    "time": _TIME,
    "as_of": {**_COUNT, "description": "The last commit that counted."},
    "number": {**_COUNT, "description": "Counts the decisions about this subject, version and context."},
    "verdict": {"enum": _VERDICTS},
    "old_verdict": {"enum": [*_VERDICTS, None], "description": "null: nothing was decided before."},
    "expected": list_of(
        record("", {"testcase": _TEXT, "since": _TIME, "overdue": {"type": "boolean"}, "owner": _MAYBE}),
        "What is missing and on its way.",
    ),
    "cause": {"type": "object", "description": "What was new."},
    "policies_digest": _TEXT,
    "subject_type": _TEXT,
    "subject_identifier": _TEXT,
    "subject": list_of({"type": "object"}, "As old clients know it."),
    "product_version": _TEXT,
    "decision_context": _TEXT,
    **_ANSWER,
    "previous": {
        "anyOf": [record("What was decided before.", _ANSWER), {"type": "null"}],
    },
}
"""What a body always has; `testcase` is there as well where a waiver alone was the cause."""


def told_to_peers(decided: Decision, types: SubjectTypes) -> dict[str, Any]:
    """Return what is kept of a decision about one subject for those who know Greenwave's message."""
    (only,) = decided.subjects
    kind = types.find(only.subject.type)
    return {
        **answer(decided, types),
        "subject": [kind.item(only.subject.identifier)],
        "expected": [_expected(each, decided) for each in missing(decided)],
    }


def proof(decided: Decision) -> dict[str, Any]:
    """Return the whole proof, as `decide --json` prints it."""
    return told(decided)


def missing(decided: Decision) -> list[Requirement]:
    """Return what is required, expected and not there."""
    return [
        each
        for each in flat(decided.requirements)
        if each.state is State.MISSING and each.expected is not None and each.blocking and not each.satisfied
    ]


def shape_of(verdict: str, kept: Mapping[str, Any]) -> str:
    """Return a hash of what makes two decisions different: the verdict, and what is kept for peers."""
    return hashlib.sha256(_shape(verdict, kept)).hexdigest()


def _shape(verdict: str, kept: Mapping[str, Any]) -> bytes:
    """Return all that is told but ids of results, as the peer has it."""
    requirements = [
        {name: value for name, value in each.items() if name != "result_id"}
        for group in ("satisfied_requirements", "unsatisfied_requirements")
        for each in kept[group]
    ]
    said = [
        verdict, kept["summary"], kept.get("applicable_policies"),
        sorted(orjson.dumps(each, option=orjson.OPT_SORT_KEYS).decode() for each in requirements),
        kept["expected"],
    ]  # fmt: skip
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def decision_event(one: RecordedDecision, before: RecordedDecision | None) -> dict[str, Any]:
    """Return the body of a message: what changed, and what was told before."""
    subject, version, context = one.point
    kept = dict(one.answer)
    said = {
        "id": one.id,
        "time": moment_text(one.at),
        "as_of": one.as_of,
        "number": one.number,
        "verdict": one.verdict,
        "old_verdict": one.old_verdict,
        "expected": kept.pop("expected"),
        "cause": dict(one.cause),
        "policies_digest": one.digest,
        "subject_type": subject.type,
        "subject_identifier": subject.identifier,
        "product_version": version,
        "decision_context": context,
        **kept,
        "previous": None if before is None else _peers(before.answer),
    }
    waived = one.cause.get("waiver")
    return said if waived is None else {**said, "testcase": waived}


def peers_message(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a body what Greenwave's own message has, for whoever takes nothing else."""
    names = (
        *_ANSWER, "subject_type", "subject_identifier", "subject", "decision_context", "product_version",
        "previous", "testcase",
    )  # fmt: skip
    return {name: body[name] for name in names if name in body}


def _peers(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kept[name] for name in _ANSWER if name in kept}


def _expected(each: Requirement, decided: Decision) -> dict[str, Any]:
    expected = each.expected
    if expected is None:
        raise AssertionError
    return {
        "testcase": each.testcase,
        "since": moment_text(expected.since),
        "overdue": expected.overdue(decided.now),
        "owner": each.owner,
    }
