"""JSON Schemas of decisions as APIs take and tell them: Greenwave's requests, answers, policies, and ours."""

from __future__ import annotations

from typing import Any

from ..domain.decision import GateProgress, Verdict
from .schemas import Schema, any_of, list_of, optional, record, text

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ID: Schema = {"type": "integer"}
_NAME = text(least=1)
_SCALAR = ["string", "number", "boolean"]
"""What YAML makes of a word; rules take each as a text."""
WHEN: Schema = {
    "type": "string",
    "pattern": r"^$|^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{1,6}$",
    "description": "Decide as it was at this time, UTC; the fraction has to be there.",
}
PURPOSE: Schema = {
    "type": "string",
    "pattern": "^$|^[a-z]+:[A-Za-z0-9]+$",
    "description": "What it is for, e.g. `context:release`: waivers for another purpose do not count.",
}
_RULE: Schema = {
    "type": "object",
    "required": ["type", "test_case_name"],
    "properties": {
        "type": {"const": "PassingTestCaseRule"},
        "test_case_name": {**text(), "type": _SCALAR},
        "scenario": {**text(), "type": [*_SCALAR, "null"]},
    },
    "description": "Any rule that a policy may have, with its name in `type`.",
}
_OLD_SUBJECT: Schema = {
    "type": "object",
    "required": ["type", "item"],
    "properties": {"type": _NAME, "item": _NAME},
}


def decision_fields() -> dict[str, Schema]:
    """Return the fields that every request for a decision may have."""
    return {
        "product_version": text("For what, e.g. fedora-40.", least=1),
        "when": optional(WHEN),
        "ignore_result": optional(list_of(_ID, "Ids of results to leave out, after the latest were found.")),
        "ignore_waiver": optional(list_of(_ID, "Ids of waivers to leave out.")),
        "purpose": optional(PURPOSE),
    }


def greenwave_request(most: int) -> Schema:
    """Return the schema of a request for at most `most` subjects."""
    subject = {
        "subject": list_of(_OLD_SUBJECT, "Several, as objects.", minItems=1, maxItems=most),
    }
    named = {"subject_type": _NAME, "subject_identifier": _NAME}
    contexts = {
        "decision_context": any_of("The gate, or several.", _NAME, list_of(_NAME, minItems=1)),
    }
    rules = {"rules": list_of(_RULE, "Instead of the policies of this server.", minItems=1)}
    always = {
        **decision_fields(),
        "verbose": {"type": "boolean", "description": "Show all results and waivers of the subjects."},
    }
    return any_of(
        "What is to be decided.",
        *(
            {
                "type": "object",
                "required": ["product_version", *gates, *subjects],
                "properties": {**always, **gates, **subjects},
            }
            for gates in (contexts, rules)
            for subjects in (subject, named)
        ),
    )


def greenwave_answer() -> Schema:
    """Return the schema of an answer; what it may hold beside depends on the requirement."""
    requirement = record("How one requirement stands.", {"type": _TEXT})
    requirements = list_of(requirement)
    counts = dict.fromkeys(GateProgress._fields, _COUNT)
    return record(
        "A decision.",
        {
            "policies_satisfied": {"type": "boolean"},
            "summary": {**_TEXT, "examples": ["All required tests (3 total) have passed or been waived"]},
            "satisfied_requirements": requirements,
            "unsatisfied_requirements": requirements,
            "verdict": VERDICT,
            "progress": record("", {**counts, "percent": {"type": "number"}}),
            "informational": requirements,
            "expected": list_of({"type": "object"}, "Results that are on their way."),
            "policies_digest": _TEXT,
            "as_of": record("", {"seq": _COUNT}),
        },
    )


VERDICT: Schema = {"enum": list(map(str, Verdict))}
_LISTS = ("product_versions", "decision_contexts", "subject_types", "excluded_packages", "packages")
_SCALARS = ("decision_context", "subject_type", "relevance_key", "relevance_value")
_ANY: dict[str, Any] = {"type": "object"}

POLICY = record(
    "A policy.",
    {
        "id": _TEXT,
        **dict.fromkeys(_LISTS, _TEXTS),
        **dict.fromkeys(_SCALARS, _MAYBE),
        "rules": list_of(record("", {"rule": _TEXT})),
    },
)
SUBJECT_TYPE = record(
    "A type of subjects.",
    {
        "id": _TEXT,
        "aliases": _TEXTS,
        **dict.fromkeys(("item_key", "product_version"), _MAYBE),
        **{name: {"type": "boolean"} for name in ("is_koji_build", "is_nvr", "ignore_missing_policy")},
        "product_version_match": list_of(_ANY),
        "product_version_from_koji_build_target": list_of(_ANY),
        "item_dict": {"type": "object"},
        "result_queries": list_of(_ANY),
    },
)


def own_request(most: int) -> Schema:
    """Return the schema of a request to our own API for at most `most` items."""
    contexts = {"decision_context": any_of("The gate, or several.", _NAME, list_of(_NAME, minItems=1))}
    rules = {"rules": list_of(_RULE, "Instead of the policies of this server.", minItems=1)}
    return any_of(
        "What is to be decided.",
        *(
            {
                "type": "object",
                "required": ["item", "product_version", *gates],
                "properties": {
                    "item": any_of(
                        "What it is about, or several.", _NAME, list_of(_NAME, minItems=1, maxItems=most)
                    ),
                    "type": text("Its type; default: koji_build.", least=1),
                    **decision_fields(),
                    **gates,
                },
            }
            for gates in (contexts, rules)
        ),
    )


def own_decision() -> Schema:
    """Return the schema of a decision with its proof; docs/policies.md tells more of it."""
    subject = {"subject_type": _TEXT, "subject_identifier": _TEXT}
    requirement = record(
        "A requirement, and what proves how it stands.",
        {
            "state": _TEXT,
            "satisfied": {"type": "boolean"},
            "blocking": {"type": "boolean"},
            "testcase": _TEXT,
            **subject,
            "policy": _TEXT,
            "rule": record("", {"type": _MAYBE, "file": _TEXT, "line": _COUNT}),
        },
    )
    policy = record("", {"id": _TEXT, "digest": _TEXT, "file": _TEXT, "line": _COUNT})
    decided = record(
        "What is decided of one subject.",
        {**subject, "verdict": VERDICT, "policies": list_of(policy), "requirements": list_of(requirement)},
    )
    opening = record("So many of these must pass or be waived.", {"needed": _COUNT, "of": list_of(_ANY)})
    counts = dict.fromkeys(GateProgress._fields, _COUNT)
    return record(
        "A decision with its proof.",
        {
            "verdict": VERDICT,
            "progress": record("", {**counts, "percent": {"type": "number"}}),
            "product_version": _TEXT,
            "decision_contexts": _TEXTS,
            "purposes": _TEXTS,
            "subjects": list_of(decided),
            "openings": list_of(opening, "The least that opens the gate: all of these."),
            "policies_digest": _TEXT,
            "as_of": record("", {"seq": _COUNT, "time": _TEXT}),
        },
    )


def own_policies() -> Schema:
    """Return the schema of what is in force."""
    place = {"file": _TEXT, "line": _COUNT}
    lists = dict.fromkeys(_LISTS, _TEXTS)
    rule = record("", {"rule": _TEXT, **place})
    row = record(
        "A rule as it is weighed.",
        {
            **place,
            "policy": _TEXT,
            "rule": _MAYBE,
            "testcases": _TEXTS,
            "passed_over": {**_TEXT, "description": "Why it is not weighed, empty where it is."},
        },
    )
    return record(
        "What is in force.",
        {
            "policies": list_of(
                record("A policy.", {"id": _TEXT, **place, "digest": _TEXT, **lists, "rules": list_of(rule)})
            ),
            "rules": optional(list_of(row)),
            "digest": _TEXT,
            "since": _TEXT,
            "problem": {**_MAYBE, "description": "Why it is not what the files say now."},
        },
    )
