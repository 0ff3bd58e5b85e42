"""Schemas of what commands about decisions and policies print with `--json`."""

from __future__ import annotations

from ..decide.findings import Level
from ..decide.tier_plan import Do
from ..domain.decision import GateProgress, State, Verdict
from ..wire.schemas import Schema, list_of, optional, record

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
    "description": "UTC.",
}
_TEXTS = list_of(_TEXT)
_VERDICT: Schema = {"enum": list(map(str, Verdict))}
_STATE: Schema = {"enum": list(map(str, State))}
_SUBJECT = {"subject_type": _TEXT, "subject_identifier": _TEXT}
_RESULT = record(
    "The evidence.",
    {
        "id": _COUNT, "outcome": _TEXT, "time": _TIME, "scenario": _MAYBE, "arch": _MAYBE, "variant": _MAYBE,
        "build_url": _MAYBE, "message_id": _MAYBE, "imported": _FLAG,
    },
)  # fmt: skip
_WAIVER = record(
    "The waiver that counts.",
    {
        "id": _COUNT, "username": _TEXT, "proxied_by": _MAYBE, "approved_by": _TEXTS, "purpose": _MAYBE,
        "comment": _TEXT, "expires_at": {**_TIME, "type": ["string", "null"]},
    },
)  # fmt: skip


def _requirement(parts: Schema) -> Schema:
    always = record(
        "A requirement, and what proves how it stands.",
        {
            "state": _STATE, "satisfied": _FLAG, "blocking": _FLAG, "testcase": _TEXT, **_SUBJECT,
            "policy": _TEXT, "rule": record("", {"type": _MAYBE, "file": _TEXT, "line": _COUNT}),
        },
    )  # fmt: skip
    sometimes = {
        "scenario": _TEXT, "source": _TEXT, "said": _TEXT, "needed": _COUNT, "owner": _TEXT,
        "expected_since": _TIME, "due": _TIME, "overdue": _FLAG, "event": _TEXT,
        "result": _RESULT, "waiver": _WAIVER,
        "waivers_not_counted": list_of(record("", {"id": _COUNT, "why": _TEXT})), "addresses": _TEXTS,
        "parts": parts,
    }  # fmt: skip
    return {**always, "properties": {**always["properties"], **sometimes}}


def gate() -> dict[str, Schema]:
    """Return what each command prints: "policy-lint"."""
    # Parts have parts; three levels down they are objects, as a schema by itself cannot name itself.
    requirement = _requirement(list_of(_requirement(list_of(_requirement(list_of({"type": "object"}))))))
    policy = record("", {"id": _TEXT, "digest": _TEXT, "file": _TEXT, "line": _COUNT})
    subject = record(
        "What is decided of one subject.",
        {
            **_SUBJECT, "verdict": _VERDICT, "policies": list_of(policy),
            "requirements": list_of(requirement),
        },
    )  # fmt: skip
    opening = record(
        "So many of these must pass or be waived.",
        {
            "needed": _COUNT,
            "of": list_of(
                record("", {
                    **_SUBJECT, "testcase": _TEXT, "scenario": _MAYBE, "arch": _MAYBE, "state": _STATE,
                })
            ),
        },
    )  # fmt: skip
    counts = dict.fromkeys(GateProgress._fields, _COUNT)
    effect = dict.fromkeys(("closes", "opens", "others"), _COUNT)
    simulated = record(
        "What other policies would decide.",
        {
            "from": _TEXT, "since": {"type": "string", "format": "date-time"}, "items": _COUNT,
            "without_version": _COUNT, "decisions": _COUNT, "effect": record("", effect),
            "by_component": list_of(record("", {"name": _TEXT, **effect})),
            "by_owner": list_of(record("", {"name": _MAYBE, **effect})),
            "flips": list_of(
                record("", {
                    **_SUBJECT, "product_version": _TEXT, "decision_context": _TEXT,
                    "tested": {"type": "string", "format": "date-time"}, "component": _TEXT,
                    "owners": _TEXTS, "before": _VERDICT, "after": _VERDICT, "because": _TEXTS,
                }),
            ),
        },
    )  # fmt: skip
    promoted = record(
        "Rules that only inform, and what requiring those that are ready would stop.",
        {
            "candidates": list_of(
                record("", {
                    "file": _TEXT, "line": _COUNT, "policy": _TEXT, "rule": _TEXT, "testcases": _TEXTS,
                    "records": list_of(record("", {"testcase": _TEXT, "passed": _COUNT, "done": _COUNT})),
                    "ready": _FLAG, "why_not": _TEXT,
                })
            ),
            "changes": list_of(record("", {"file": _TEXT, "diff": _TEXT})),
            "written": _FLAG, "effect": simulated,
        },
    )  # fmt: skip
    return {
        "decide": record(
            "A decision with its proof.",
            {
                "verdict": _VERDICT,
                "progress": record("", {**counts, "percent": {"type": "number"}}),
                "product_version": _TEXT, "decision_contexts": _TEXTS, "purposes": _TEXTS,
                "subjects": list_of(subject), "openings": list_of(opening), "policies_digest": _TEXT,
                "as_of": record("", {"seq": _COUNT, "time": _TIME}),
            },
        ),
        "policy-lint": list_of(
            record("", {
                "level": {"enum": list(map(str, Level))}, "kind": _TEXT, "file": _TEXT, "line": _COUNT,
                "message": _TEXT,
            }),
            "What is wrong or odd about policies.",
        ),
        "tiers-plan": list_of(
            record("", {
                "part": _TEXT, "tier": {"type": "integer"},
                "build": optional(record("", {"type": _TEXT, "identifier": _TEXT})),
                "do": {"enum": list(map(str, Do))}, "gate": _VERDICT,
                "verdict": {"enum": [*map(str, Verdict), None]}, "before": _TEXTS, "waits_for": _TEXTS,
                "testcases": _TEXTS, "run": _TEXTS, "blockers": _TEXTS,
            }),
            "What is to be done with each part, in the order in which they are built.",
        ),
        "bundle-of": record(
            "What was bundled.",
            {
                "file": _TEXT, "subjects": list_of(record("", {"type": _TEXT, "identifier": _TEXT})),
                "decisions": list_of(
                    record("", {
                        **_SUBJECT, "product_version": _TEXT, "decision_context": _TEXT, "verdict": _VERDICT,
                    })
                ),
                "rows": {"type": "object", "additionalProperties": _COUNT}, "signatures": _COUNT,
            },
        ),
        "verify": record(
            "Whether a bundle is whole.",
            {
                "file": _TEXT, "state": {"enum": ["whole", "whole, but nobody vouches", "altered"]},
                "problems": _TEXTS, "signers": _TEXTS, "trusted": _TEXTS,
                "rows": {"type": "object", "additionalProperties": _COUNT},
            },
        ),
        "policy-simulate": simulated,
        "policy-promote": promoted,
        "policy-test": list_of(
            record("", {
                "file": _TEXT, "line": _COUNT, "name": _TEXT, "expected": _VERDICT, "verdict": _VERDICT,
                "problems": list_of(record("", {"file": _TEXT, "line": _COUNT, "message": _TEXT})),
            }),
            "Tests of policies, and what of each is not as expected.",
        ),
        "policy-explain": list_of(
            record("", {
                "file": _TEXT, "line": _COUNT, "policy": _TEXT, "rule": _MAYBE, "testcases": _TEXTS,
                "passed_over": {**_TEXT, "description": "Why it is not weighed, empty where it is."},
            }),
            "The rules that are in force, in order.",
        ),
    }  # fmt: skip
