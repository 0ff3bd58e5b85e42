"""Lines of a feed: results, steps of waivers, decisions that changed, in the order of commits. Pure."""

from __future__ import annotations

import orjson

from ..domain.happening import Happening
from ..domain.receipt import Receipt
from ..domain.result import Result
from .decision_event import FIELDS
from .resultsdb_client import to_body, to_time
from .schemas import Schema, any_of, list_of, record

BEGINNING = b'{"event":'
"""What every line begins with."""

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_TIME: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$",
    "description": "UTC.",
}
RESULT = record(
    "A result, and its place in the order of commits.",
    {
        "event": {"const": "result"},
        "seq": _MAYBE_COUNT,
        "id": _MAYBE_COUNT,
        "received_at": {**_TIME, "type": ["string", "null"]},
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
    "n": {"type": "integer", "minimum": 0, "description": "Its place there: with `seq` it names the event."},
}
DECISION = record(
    "A decision that changed, with what it was before.",
    {"event": {"const": "decision"}, **_PLACE, "id": {"type": "integer", "minimum": 1}, **FIELDS},
)
WAIVER = record(
    "A step in the life of a waiver, or an attempt at one that was refused.",
    {
        "event": {"const": "waiver"}, **_PLACE, "id": {"type": "integer", "minimum": 1}, "time": _TEXT,
        "waiver": _MAYBE_COUNT, "step": _TEXT, "turn": _MAYBE, "refused": _MAYBE, "username": _TEXT,
        "proxied_by": _MAYBE, "via": _TEXT, "comment": _TEXT, "terms": {"type": ["object", "null"]},
        "hash": _TEXT,
    },
)  # fmt: skip
SCHEMA = any_of("A line of a feed.", RESULT, DECISION, WAIVER)


def to_event_line(happening: Happening) -> bytes:
    """Return one line, newline and all: what happened, where in the order of commits, and what it says."""
    place = {"event": happening.event, "seq": happening.seq, "n": happening.n}
    return orjson.dumps({**place, **happening.body}, option=orjson.OPT_APPEND_NEWLINE)


def to_line(result: Result, receipt: Receipt | None) -> bytes:
    """Return one line, newline and all: who said it, when it was stored, and the body as ResultsDB has it.

    It is made of what never changes, so the same result gives the same bytes: testcase and groups
    are names, for how they are described may change. Times are UTC.
    """
    said = {
        "event": "result",
        "seq": None if receipt is None else receipt.seq,
        "id": None if receipt is None else receipt.id,
        "received_at": None if receipt is None else to_time(receipt.received_at),
        "source": result.source,
        "run": None if result.run is None else result.run.key,
        "key": result.key,
        **to_body(result),
        "duration_s": result.duration_s,
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)
