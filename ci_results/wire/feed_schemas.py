"""JSON Schema of the lines of a feed: what readers may rely on. Pure."""

from __future__ import annotations

from .decision_event import FIELDS
from .schemas import Schema, any_of, list_of, record

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_ID: Schema = {"type": "integer", "minimum": 1}
_TIME: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$",
    "description": "UTC.",
}
_MAYBE_TIME: Schema = {**_TIME, "type": ["string", "null"]}
_BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
_STORED: dict[str, Schema] = {
    "stored": {"type": "object", "description": "What else the store keeps, for `ci-results replay`."}
}
RESULT = record(
    "A result, and its place in the order of commits.",
    {
        "event": {"const": "result"},
        "seq": _MAYBE_COUNT,
        "id": _MAYBE_COUNT,
        "received_at": _MAYBE_TIME,
        "source": _TEXT,
        "run": _MAYBE,
        "key": _TEXT,
        "outcome": _TEXT,
        "testcase": _TEXT,
        "groups": list_of(_TEXT),
        "note": _MAYBE,
        "ref_url": _MAYBE,
        "data": {"type": "object", "additionalProperties": list_of(_TEXT)},
        "submit_time": _TIME,
        "duration_s": {"type": ["number", "null"], "minimum": 0},
    },
)
_PLACE: dict[str, Schema] = {
    "seq": {"type": "integer", "minimum": 1, "description": "The commit that stored it."},
    "n": {**_COUNT, "description": "Its place there: with `event` and `seq` it names it."},
    "id": _ID,
}
DECISION = record(
    "A decision that changed, with what it was before.",
    {"event": {"const": "decision"}, **_PLACE, **FIELDS},
)
WAIVER = record(
    "A step in the life of a waiver, or an attempt at one that was refused.",
    {
        "event": {"const": "waiver"}, **_PLACE, "time": _TEXT, "waiver": _MAYBE_COUNT, "step": _TEXT,
        "turn": _MAYBE, "refused": _MAYBE, "username": _TEXT, "proxied_by": _MAYBE, "via": _TEXT,
        "comment": _TEXT, "terms": {"type": ["object", "null"]}, "hash": _TEXT,
    },
)  # fmt: skip
CHANGE = record(
    "Something that was said anew of a group, a testcase or a record of the quarantine.",
    {
        "event": {"const": "change"}, **_PLACE, "kind": {"enum": ["group", "testcase", "quarantine"]},
        "name": {**_TEXT, "description": "A group's uuid, a testcase's name, a record's number."},
        "said": {"type": "object", "description": "All of it that may change, as it is from here on."},
        **_STORED,
    },
)  # fmt: skip
PLAN = record(
    "A version of a plan of manual tests.",
    {
        "event": {"const": "plan"}, **_PLACE, "name": _TEXT, "version": _ID, "type": _TEXT, "item": _TEXT,
        "actor": _TEXT, "imported_at": _TIME, "cases": list_of({"type": "object"}), **_STORED,
    },
)  # fmt: skip
EVENT = record(
    "Something that happened to a subject, with the results that it lets expect.",
    {
        "event": {"const": "event"}, **_PLACE, "source": _TEXT, "key": _TEXT, "kind": _TEXT, "time": _TIME,
        "received_at": _TIME, "subject_type": _TEXT, "subject": _TEXT, "product_versions": list_of(_TEXT),
        "owner": _MAYBE, "actor": _TEXT, "digest": _TEXT,
        "expected": list_of(
            record(
                "",
                {
                    "id": _ID, "subject_type": _TEXT, "subject": _TEXT, "testcase": _TEXT, "since": _TIME,
                    "due": _MAYBE_TIME, "owner": _MAYBE,
                },
            )
        ),
        **_STORED,
    },
)  # fmt: skip
QUARANTINE = record(
    "A record that could not be read.",
    {
        "event": {"const": "quarantine"}, **_PLACE, "source": _TEXT, "kind": _TEXT, "key": _MAYBE,
        "position": _MAYBE, "reason": _TEXT, "told": _MAYBE, "raw": _BASE64, **_STORED,
    },
)  # fmt: skip
MESSAGE = record(
    "A message of a bus, and the results that came by it; of earlier commits, too, where it is new.",
    {
        "event": {"const": "message"}, **_PLACE,
        "first": {**_COUNT, "description": "The commit that brought it."},
        "source": _TEXT, "key": _TEXT, "topic": _TEXT,
        "mapping": {**_TEXT, "description": "What read it: ci_metrics@1."}, "received_at": _TIME,
        "digest": _TEXT, "size": _COUNT, "told": _TEXT,
        "packed": {
            **_BASE64, "type": ["string", "null"],
            "description": "Its bytes, packed by zlib; null: more than is kept.",
        },
        "via": list_of(record("", {"transport": _TEXT, "received_at": _TIME})), "results": list_of(_ID),
        **_STORED,
    },
)  # fmt: skip
PRUNE = record(
    "Results that were pruned in one transaction.",
    {
        "event": {"const": "prune"}, **_PLACE,
        "begun": {**_TIME, "description": "When the prune began of which this is a page. UTC."},
        "time": _TIME, "username": _TEXT, "comment": _TEXT,
        "criteria": {"type": "object", "description": "Which results were to leave."},
        "results": _ID, "first": _ID, "last": _ID,
        "digest": {**_TEXT, "description": "Hex SHA-256 of what left."},
        "highest": {**_ID, "description": "The highest id given to a result by then."},
        "left": list_of(
            record(
                "What stays known of a result: by its hashes the same one again, and what the days count.",
                {
                    "id": _ID, "identity": {"type": "integer"}, "digest": {"type": "integer"}, "key": _TEXT,
                    "source": _TEXT, "testcase": _TEXT, "outcome": _TEXT, "day": _COUNT,
                    "duration": {"type": ["number", "null"]}, "counted": {"type": "boolean"},
                },
            )
        ),
        **_STORED,
    },
)  # fmt: skip
SCHEMA = any_of(
    "A line of a feed.", RESULT, DECISION, WAIVER, CHANGE, PLAN, EVENT, QUARANTINE, MESSAGE, PRUNE
)
