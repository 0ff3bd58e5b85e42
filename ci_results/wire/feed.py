"""Lines of a feed: results, and what else happened, in the order of commits. Pure.

`to_line` and `to_event_line` are for whoever reads on; the lines of a feed say under `stored` what else
the store keeps, so that the store can be made anew of them: feed_reading.py reads those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..domain.happening import Happening
from ..domain.receipt import Receipt
from ..domain.result import Result
from .resultsdb_client import to_body, to_time

BEGINNING = b'{"event":'
"""What every line begins with."""

NAMED = (("item", "item"), ("type", "item_type"), ("scenario", "scenario"), ("arch", "arch"))
"""What a result is about: (among its attributes, in Result)."""

PARTS = ("nvr", "component", "arch")
"""What else an item is known by."""


def to_event_line(happening: Happening) -> bytes:
    """Return one line, newline and all: what happened, where in the order of commits, and what it says."""
    return _line(_event(happening))


def to_stored_line(happening: Happening) -> bytes:
    """Return the same with what else the store keeps."""
    return _line({**_event(happening), "stored": dict(happening.stored)})


def to_line(result: Result, receipt: Receipt | None) -> bytes:
    """Return one line, newline and all: who said it, when it was stored, and the body as ResultsDB has it.

    It is made of what never changes, so the same result gives the same bytes: testcase and groups
    are names, for how they are described may change. Times are UTC.
    """
    return _line(_result(result, receipt))


def to_feed_line(result: Result, receipt: Receipt | None) -> bytes:
    """Return the same with what else the store keeps; without a receipt nothing does."""
    said = _result(result, receipt)
    return _line(said if receipt is None else {**said, "stored": _kept(result, receipt, said["data"])})


def implied(data: Mapping[str, Sequence[str]], name: str) -> str:
    """Return what a result is about as its attributes have it: their one value of that name, else "".

    >>> implied({"item": ["bash-5.2-1.fc40"], "arch": ["x86_64", "s390x"]}, "arch")
    ''
    """
    values = data.get(name, ())
    return values[0] if len(values) == 1 else ""


def _result(result: Result, receipt: Receipt | None) -> dict[str, Any]:
    return {
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


def _event(happening: Happening) -> dict[str, Any]:
    return {"event": happening.event, "seq": happening.seq, "n": happening.n, **happening.body}


def _kept(result: Result, receipt: Receipt, data: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return what a line does not say of a result; what follows from the line is left out."""
    kept: dict[str, Any] = {"door": receipt.door, "digest": receipt.digest}
    if receipt.signature is not None:
        kept["signature"] = receipt.signature
    if receipt.supersedes:
        kept["supersedes"] = list(receipt.supersedes)
    if receipt.superseded_by is not None:
        kept["superseded_by"] = receipt.superseded_by
    if result.run is not None:
        kept |= {"run_url": result.run.ref_url, "ref_url": result.ref_url, "own": list(receipt.own)}
    if receipt.hidden:
        kept["hidden"] = dict(receipt.hidden)
    for name, field in NAMED:
        value = getattr(result, field) or ""
        if value != implied(data, name):
            kept[name] = value
    parts = {name: part for name in PARTS if (part := result.item_parts.get(name))}
    return {**kept, "parts": parts} if parts else kept


def _line(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)
