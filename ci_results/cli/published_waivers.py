"""Schemas of what commands about waivers print with `--json`."""

from __future__ import annotations

from ..domain.decision import Verdict
from ..domain.waiver import Standing, Step, Turn
from ..operations.waive import Preview
from ..wire.dataclass_schema import of_dataclass
from ..wire.schemas import Schema, any_of, list_of, optional, record

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXTS = list_of(_TEXT)
_TIME: Schema = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$",
    "description": "UTC, or null for never.",
}
_STEP = record(
    "A step of a waiver's life, or an attempt at one that was refused.",
    {
        "event": _COUNT, "seq": _COUNT, "time": _TIME, "step": {"enum": list(map(str, Step))},
        "turn": {"enum": [None, *map(str, Turn)]}, "username": _TEXT, "proxied_by": _MAYBE, "via": _TEXT,
        "comment": _MAYBE, "refused": _MAYBE,
    },
)  # fmt: skip
_WAIVER: dict[str, Schema] = {
    "id": _COUNT, "name": _TEXT, "state": {"enum": list(map(str, Standing))}, "subject_type": _TEXT,
    "subject": _TEXT, "testcase": _TEXT, "product_version": _TEXT, "scenario": _MAYBE, "arch": _MAYBE,
    "purpose": _MAYBE, "signatures": _TEXTS, "lenient": _FLAG, "waived": _FLAG, "expires_at": _TIME,
    "username": _TEXT, "proxied_by": _MAYBE, "comment": _TEXT, "approved_by": _TEXTS, "granted_at": _TIME,
    "granted_seq": {"type": ["integer", "null"]}, "steps": list_of(_STEP),
}  # fmt: skip


def turned() -> Schema:
    """Return the schema of a decision that a waiver is about."""
    verdict = {"enum": list(map(str, Verdict))}
    return record(
        "A decision without the waiver, and with it.",
        {
            "product_version": _TEXT, "decision_context": _TEXT, "without": verdict, "granted": verdict,
            "turns": _FLAG, "waives": _TEXTS, "still": _TEXTS,
        },
    )  # fmt: skip


def waivers() -> dict[str, Schema]:
    """Return what each command prints: "waiver-list"."""
    one = record("A waiver, and the steps that got it there.", _WAIVER)
    preview = of_dataclass(Preview)
    decisions = {**optional(list_of(turned())), "description": "Null where no policy is configured."}
    preview = {
        **preview,
        "required": [*preview["required"], "decisions"],
        "properties": {**preview["properties"], "decisions": decisions},
    }
    done = any_of("The waiver; with --dry-run what it would cover and turn.", one, preview)
    covered = record("", {"result": _COUNT, "changed": _FLAG})
    several = list_of(one)
    return {
        "waiver-request": done,
        "waiver-grant": done,
        **dict.fromkeys(("waiver-approve", "waiver-reject", "waiver-withdraw"), one),
        "waiver-preview": {**preview, "description": "What it covers, and which decisions it turns."},
        "waiver-list": list_of(one, "Waivers, the newest first."),
        "waiver-announce": list_of(one, "The waivers whose end was announced."),
        "waiver-show": record("A waiver, all that happened, and what it covers.",
                              {**_WAIVER, "covers": list_of(covered)}),
        "inbox": record("What waits for a person.",
                        {"pending": several, "expiring": several, "suspended": several}),
        "audit-verify": record(
            "Whether the chain of waiver events is whole.",
            {"head": record("", {"id": _COUNT, "hash": _TEXT}), "problems": _TEXTS},
        ),
    }  # fmt: skip
