"""Schemas of what the twins of the pages about gates and waivers say."""

from __future__ import annotations

from ..domain.decision import Verdict
from ..operations.compare import Change
from ..wire.schemas import Schema, list_of, optional, record
from .published_gate import gate
from .published_waivers import turned, waivers

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXTS = list_of(_TEXT)
_ROWS = list_of({"type": "object"})
_EFFECT = record(
    "What it turns; `error` where that cannot be told now.", {"decisions": list_of(turned()), "error": _MAYBE}
)


def gates() -> Schema:
    """Return what the page of an item says of the gates of one type of subject."""
    verdict = {"enum": list(map(str, Verdict))}
    one = record(
        "One gate.",
        {
            "product_version": _TEXT, "decision_context": _MAYBE, "verdict": verdict, "summary": _TEXT,
            **dict.fromkeys(("blocks", "waived", "informs", "passed"), _ROWS), "opens": _TEXTS,
            "decision": optional(gate()["decide"]),
        },
    )  # fmt: skip
    return record(
        "What is decided of it.",
        {
            "subject_type": _TEXT, "versions": _TEXTS, "contexts": _TEXTS, "unasked": _ROWS, "error": _MAYBE,
            "asked": record("", dict.fromkeys(("product_version", "context", "purpose"), _TEXT)),
            "gates": list_of(one),
        },
    )  # fmt: skip


def pages_of_gates() -> dict[str, Schema]:
    """Return the schemas by page: "compare"."""
    told = waivers()["waiver-list"]["items"]
    waiting = {
        **told,
        "required": [*told["required"], "effect"],
        "properties": {**told["properties"], "effect": optional(_EFFECT)},
    }
    side = optional(
        record("", {"id": _COUNT, "outcome": _TEXT, "time": _TEXT, "note": _MAYBE, "ref_url": _MAYBE})
    )
    row = record(
        "",
        {
            "change": {"enum": list(map(str, Change))},
            **dict.fromkeys(("testcase", "scenario", "arch"), _TEXT), "left": side, "right": side,
        },
    )  # fmt: skip
    return {
        "compare": record(
            "Two items side by side, worst first.",
            {
                "left": _TEXT, "right": _TEXT, "left_known": optional(_FLAG), "right_known": optional(_FLAG),
                "nearest": {"type": "object"}, "counts": {"type": "object"}, "rows": optional(list_of(row)),
                "cut": _FLAG,
            },
        ),
        "policies": record(
            "What is required where.",
            {
                "configured": _FLAG, "asked": {"type": "object"}, "digest": _MAYBE, "loaded_at": _MAYBE,
                "problem": _MAYBE, "contexts": optional(_TEXTS), "types": optional(_TEXTS),
                "findings": optional(_ROWS), "effective": optional(_ROWS), "policies": optional(_ROWS),
            },
        ),
        "inbox": record(
            "What waits for somebody.", dict.fromkeys(("pending", "suspended", "expiring"), list_of(waiting))
        ),
        "waiver": {
            **told,
            "description": "A waiver, what it covers and turns.",
            "required": [*told["required"], *_MORE],
            "properties": {**told["properties"], **_MORE},
        },
    }  # fmt: skip


_MORE: dict[str, Schema] = {
    "last": _COUNT,
    "approvals_needed": _COUNT,
    "covers": record("", dict.fromkeys(("waived", "good", "unfinished"), _ROWS)),
    "effect": optional(_EFFECT),
    "before": _COUNT,
}
