"""Documents of a search engine: the bulk API of Elasticsearch and OpenSearch, and how they are indexed. Pure.

Obeys the page "Bulk API" of both: a line that says where to, a line with the document, for each; answers
come in the order of what was asked, each with a status of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import orjson

from ..domain.happening import KINDS, Happening
from ..domain.receipt import Receipt
from ..domain.result import Result
from ..errors import InvalidError, shown
from .feed import to_event_line, to_line

By = Literal["none", "year", "month", "day"]
Engine = Literal["elasticsearch", "opensearch"]

BEGINNING = b'{"index":'
"""What every pair of lines begins with."""

_LENGTH: Mapping[str, int] = {"none": 0, "year": 4, "month": 7, "day": 10}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONFLICT = 409
_NOT_THE_DOCUMENTS_FAULT = frozenset({401, 403, 404, 429})
"""Statuses below 500 that say nothing against a document: its index is full, closed or not allowed."""


class Place(NamedTuple):
    """Which index a document goes to: `prefix`, what it is, and the time it is about, cut to `by`."""

    prefix: str
    by: By

    def of(self, event: str, time: str) -> str:
        """Return the name of the index.

        >>> Place("ci-results", "month").of("result", "2026-03-01T12:00:00.000000")
        'ci-results-result-2026.03'
        """
        when = time[: _LENGTH[self.by]].replace("-", ".")
        return f"{self.prefix}-{event}-{when}" if when else f"{self.prefix}-{event}"


class Document(NamedTuple):
    """Where a document goes, and its two lines, newlines and all."""

    to: str
    lines: bytes


def of_result(result: Result, receipt: Receipt | None, place: Place) -> Document:
    """Return the document of a result: one for each (source, run, key), whose later states replace it.

    The time of receipt is its version, so that an earlier state that comes late replaces nothing.
    """
    line = to_line(result, receipt)
    said = orjson.loads(line)
    run = "" if result.run is None else result.run.key
    name = blake2b(orjson.dumps((result.source, run, result.key)), digest_size=20).hexdigest()
    about: dict[str, Any] = {"_id": name}
    if receipt is not None:
        microseconds = (receipt.received_at - _EPOCH) // timedelta(microseconds=1)
        about |= {"version": microseconds, "version_type": "external_gte"}
    return _document(place.of("result", said.get("submit_time") or said["received_at"] or ""), about, line)


def of_happening(happening: Happening, place: Place) -> Document:
    """Return the document of a step of a waiver or a decision that changed; it never changes."""
    time = str(happening.body.get("time") or "")
    return _document(place.of(happening.event, time), {"_id": happening.id}, to_event_line(happening))


def _document(index: str, about: Mapping[str, Any], line: bytes) -> Document:
    action = {"index": {"_index": index, **about}}
    return Document(index, orjson.dumps(action, option=orjson.OPT_APPEND_NEWLINE) + line)


class Fault(NamedTuple):
    """What became of a document that was not taken; `away` = it may be taken later."""

    away: bool
    said: str


def faults(answer: object, count: int) -> list[Fault | None]:
    """Return for each of `count` documents what was wrong with it, None where it is there.

    A document that conflicts with a later version of itself is there. Raises InvalidError for what is no
    answer to so many.
    """
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or len(items) != count:
        raise InvalidError(f"no answer to {count} documents: {shown(answer)}")
    return [_fault(item) for item in items]


def _fault(item: object) -> Fault | None:
    said = next(iter(item.values()), None) if isinstance(item, dict) else None
    status = said.get("status") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(status, int):
        raise InvalidError(f"no answer to a document: {shown(item)}")
    if 200 <= status < 300 or status == _CONFLICT:
        return None
    away = status in _NOT_THE_DOCUMENTS_FAULT or status >= 500
    return Fault(away, f"HTTP {status} for {said.get('_index')}: {reason(said.get('error'))}")


def reason(error: object) -> str:
    """Return an error of the engine in a line, with what caused it.

    >>> reason({"type": "a", "reason": "b", "caused_by": {"type": "c", "reason": "d"}})
    'a: b; c: d'
    """
    said = []
    while isinstance(error, dict):
        said.append(f"{error.get('type')}: {error.get('reason')}")
        error = error.get("caused_by")
    return "; ".join(said)[:500] if said else shown(error)


_KEYWORD = {"type": "keyword", "ignore_above": 4096}
_FIELDS: Mapping[str, Sequence[str]] = {
    "keyword": (
        "event", "source", "run", "key", "outcome", "testcase", "groups", "ref_url", "hash", "step", "turn",
        "refused", "username", "proxied_by", "via", "verdict", "old_verdict", "subject_type",
        "subject_identifier", "product_version", "decision_context",
    ),
    "text": ("note", "comment", "summary"),
    "date": ("received_at", "submit_time", "time"),
    "long": ("seq", "n", "id", "waiver", "number", "as_of"),
    "double": ("duration_s",),
    "boolean": ("policies_satisfied",),
}  # fmt: skip


def template(prefix: str, engine: Engine) -> dict[str, Any]:
    """Return the index template for all that goes to `prefix`, for `PUT _index_template/PREFIX`.

    Attributes are one field each, however many keys they have: a field for every key that some producer
    thinks of would reach the limit of an index, and two kinds of values under one key refuse a result.
    """
    kinds = {
        "keyword": _KEYWORD,
        "attributes": {"type": "flattened", "ignore_above": 4096}
        if engine == "elasticsearch"
        else {"type": "flat_object"},
    }
    fields = {name: kinds.get(kind, {"type": kind}) for kind, names in _FIELDS.items() for name in names}
    fields |= dict.fromkeys(("data", "terms"), kinds["attributes"])
    return {
        "index_patterns": [f"{prefix}-{event}*" for event in ("result", *KINDS)],
        "priority": 200,
        "template": {"mappings": {"dynamic": False, "properties": dict(sorted(fields.items()))}},
    }
