"""Read lines of a feed as the values that a store keeps. Pure; feed.py writes them.

Times come as microseconds since 1970 in UTC, bytes as bytes; all else as JSON has it.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from ..domain.happening import CHANGE, DECISION, EVENT, MESSAGE, PLAN, PRUNE, QUARANTINE, WAIVER
from ..errors import InvalidError, shown

RESULT = "result"
_MOST = 2**63
_HIGHEST = 10**11
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Reader = Callable[[Any], Any]
Shape = Mapping[str, Reader]


class Line(NamedTuple):
    """A line of a feed.

    seq, event  the commit, and what it stored there: "result", "waiver" and the other kinds
    said        its members; those of `stored` under their names too, which no other has: `stored_ref_url`
    told        the line as it was parsed, for waivers: of which their hash is made
    """

    seq: int
    event: str
    said: Mapping[str, Any]
    told: Mapping[str, Any]


def read_line(raw: bytes) -> Line:
    """Read a line. Raises InvalidError for one that is damaged, or says less than a store needs."""
    if b"\\u0000" in raw and _NUL.search(raw):
        raise InvalidError("holds a NUL, which no store takes")
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError as err:
        raise InvalidError(f"is no JSON: {err}") from err
    if not isinstance(told, dict) or not isinstance(event := told.get("event"), str):
        raise InvalidError(f"is no line of a feed: {shown(told)}")
    if event not in SHAPES:
        raise InvalidError(f"is of a kind that this ci-results does not know: {shown(event)}")
    if told.get("seq") is None:
        raise InvalidError("has no place in the order of commits: its results came from no store")
    stored = told.get("stored")
    if not isinstance(stored, dict):
        raise InvalidError("lacks what the store kept; write the feed anew: ci-results export feed FILE")
    said = _read(told, _SAID[event])
    kept = _read(stored, _STORED[event], "stored.")
    return Line(said["seq"], event, said | {f"stored_{name}": value for name, value in kept.items()}, told)


def _read(told: Mapping[str, Any], shape: Shape, path: str = "") -> dict[str, Any]:
    said = {}
    for name, read in shape.items():
        try:
            said[name] = read(told.get(name))
        except (TypeError, ValueError, OverflowError) as err:
            raise InvalidError(f"{path}{name}: {err}, got {shown(told.get(name))}") from err
    return said


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not -_MOST <= value < _MOST:
        raise TypeError("must be a whole number of 64 bits")
    return value


def _count(value: Any) -> int:
    if _number(value) < 0:
        raise ValueError("must not be negative")
    return int(value)


def _id(value: Any) -> int:
    if _number(value) < 1:
        raise ValueError("must be 1 or more")
    return int(value)


def _place(value: Any) -> int:
    """Read a number of a commit or a fact: a damaged one may not make a store prepare for the moon."""
    if _id(value) > _HIGHEST:
        raise ValueError("is beyond any store")
    return int(value)


def _seconds(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("must be a number")
    return float(value)


def _yes(value: Any) -> int:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return int(value)


def _moment(value: Any) -> int:
    """Read a time as feeds have it, with or without its Z: "2026-01-02T03:04:05.000000"."""
    text = _text(value)
    if len(text.removesuffix("Z")) != 26:
        raise ValueError("must be a time with microseconds")
    return (datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _base64(value: Any) -> bytes:
    try:
        return b64decode(_text(value), validate=True)
    except binascii.Error as err:
        raise ValueError(f"is no base64: {err}") from err


def _hex(value: Any) -> bytes:
    return bytes.fromhex(_text(value))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("must be an object")
    return value


def _attributes(value: Any) -> dict[str, tuple[str, ...]]:
    return {name: tuple(_texts(values)) for name, values in _object(value).items()}


def _labels(value: Any) -> dict[str, str]:
    return {name: _text(one) for name, one in _object(value).items()}


def _texts(value: Any) -> list[str]:
    return list_of(_text)(value)


def maybe(read: Reader) -> Reader:
    """Return what reads null as well."""
    return lambda value: None if value is None else read(value)


def list_of(read: Reader) -> Callable[[Any], list[Any]]:
    """Return what reads a list of what `read` reads."""

    def each(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError("must be a list")
        return [read(one) for one in value]

    return each


def one_of(shape: Shape) -> Reader:
    """Return what reads an object of that shape."""
    return lambda value: _read(_object(value), shape)


_PLACE: Shape = {"seq": _place, "id": _place}
_EXPECTED: Shape = {
    "id": _id, "subject_type": _text, "subject": _text, "testcase": _text, "since": _moment,
    "due": maybe(_moment), "owner": maybe(_text),
}  # fmt: skip
_LEFT: Shape = {
    "id": _id, "identity": _number, "digest": _number, "key": _hex, "source": _text, "testcase": _text,
    "outcome": _text, "day": _count, "duration": maybe(_seconds), "counted": _yes,
}  # fmt: skip
SHAPES: Mapping[str, Shape] = {
    RESULT: {
        "received_at": _moment, "source": _text, "run": maybe(_text), "key": _text, "outcome": _text,
        "testcase": _text, "groups": _texts, "note": maybe(_text), "ref_url": maybe(_text),
        "data": _attributes, "submit_time": _moment, "duration_s": maybe(_seconds),
    },
    WAIVER: {
        "time": _moment, "waiver": maybe(_id), "step": _text, "turn": maybe(_text), "refused": maybe(_text),
        "username": _text, "proxied_by": maybe(_text), "via": _text, "comment": _text,
        "terms": maybe(_object), "hash": _text,
    },
    DECISION: {
        "number": _id, "time": _moment, "as_of": _count, "verdict": _text, "old_verdict": maybe(_text),
        "cause": _object, "policies_digest": _text, "subject_type": _text, "subject_identifier": _text,
        "product_version": _text, "decision_context": _text,
    },
    CHANGE: {"kind": _text, "name": _text, "said": _object},
    PLAN: {
        "name": _text, "version": _id, "type": _text, "item": _text, "actor": _text, "imported_at": _moment,
        "cases": list_of(_object),
    },
    EVENT: {
        "source": _text, "key": _text, "kind": _text, "time": _moment, "received_at": _moment,
        "subject_type": _text, "subject": _text, "product_versions": _texts, "owner": maybe(_text),
        "actor": _text, "digest": _text, "expected": list_of(one_of(_EXPECTED)),
    },
    QUARANTINE: {
        "source": _text, "kind": _text, "key": maybe(_text), "position": maybe(_text), "reason": _text,
        "told": maybe(_text), "raw": _base64,
    },
    MESSAGE: {
        "first": _count, "source": _text, "key": _text, "topic": _text, "mapping": _text,
        "received_at": _moment, "digest": _text, "size": _count, "told": _text, "packed": maybe(_base64),
        "via": list_of(one_of({"transport": _text, "received_at": _moment})), "results": list_of(_id),
    },
    PRUNE: {
        "begun": _moment, "time": _moment, "username": _text, "comment": _text, "criteria": _object,
        "results": _id, "first": _id, "last": _id, "digest": _text, "highest": _id,
        "left": list_of(one_of(_LEFT)),
    },
}  # fmt: skip
"""The members of each kind that a store is made of."""

_OF_COMMIT: Shape = {"door": _text, "received_at": _moment}
_COMMIT: Mapping[str, Shape] = {**dict.fromkeys(SHAPES, _OF_COMMIT), RESULT: {"door": _text}}
_KEPT: Mapping[str, Shape] = {
    RESULT: {
        "digest": _number, "signature": maybe(_text), "run_url": maybe(_text), "ref_url": maybe(_text),
        "item": maybe(_text), "type": maybe(_text), "scenario": maybe(_text), "arch": maybe(_text),
        "parts": maybe(_labels), "own": maybe(_texts), "hidden": maybe(_attributes),
        "supersedes": maybe(list_of(_id)), "superseded_by": maybe(_id),
    },
    DECISION: {"satisfied": _yes, "summary": _text, "answer": _object, "proof": _object},
}  # fmt: skip
_SAID: Mapping[str, Shape] = {event: {**_PLACE, **shape} for event, shape in SHAPES.items()}
_STORED: Mapping[str, Shape] = {event: {**_COMMIT[event], **_KEPT.get(event, {})} for event in SHAPES}
