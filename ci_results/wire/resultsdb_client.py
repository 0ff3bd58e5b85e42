"""What a client says to a ResultsDB v2, and how it reads a refusal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from ..domain.group import Group
from ..domain.result import Result

_OWN_FIELDS = (("item", "item"), ("type", "item_type"), ("scenario", "scenario"), ("arch", "arch"))
"""What stands among the attributes on the wire, and in a field of Result."""


def to_body(
    result: Result, ref_urls: Mapping[str, str] | None = None, groups: Mapping[str, Group] | None = None
) -> dict[str, Any]:
    """Return the body that creates `result`, with all its attributes as lists of texts.

    `ref_urls` and `groups` describe testcases and groups (see Batch): those found there go as
    objects, which makes ResultsDB describe them anew; the others as bare names, which does not.
    """
    run = result.run
    url = (ref_urls or {}).get(result.testcase)
    body = {
        "outcome": result.outcome,
        "testcase": result.testcase if url is None else {"name": result.testcase, "ref_url": url},
        "groups": [_group(uuid, (groups or {}).get(uuid)) for uuid in result.groups],
        "note": result.note,
        "ref_url": result.ref_url or (None if run is None else run.ref_url),
        "data": attributes(result),
    }
    if result.submit_time is not None:
        body["submit_time"] = to_time(result.submit_time)
    return body


def attributes(result: Result) -> dict[str, list[str]]:
    """Return all attributes: the run's, the result's own ones over them, and item, type, scenario, arch."""
    data = dict(result.run.data) if result.run else {}
    data |= result.data
    if not result.verbatim:
        data |= {key: value for key, field in _OWN_FIELDS if (value := getattr(result, field))}
    return {
        key: [values] if isinstance(values, str) else list(values) for key, values in data.items() if values
    }


def idempotency_key(result: Result) -> str:
    """Return a name of 40 letters for what `result` says: the same for a repeat, for nothing else.

    A server that knows the header Idempotency-Key stores what comes twice under one name once. How
    its testcase and groups are described has no part in it: that may change between two tries.
    """
    run = "" if result.run is None else result.run.key
    said = (result.source, run, result.key, to_body(result))
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=20).hexdigest()


def refusal_in(answer: Mapping[str, Any]) -> str:
    """Return what an answer of ResultsDB says against a request, "" where it says nothing.

    >>> refusal_in({"validation_error": [{"loc": ["outcome"], "msg": "Field required"}]})
    'outcome: Field required'
    """
    faults = answer.get("validation_error")
    if not isinstance(faults, list):
        return str(answer.get("message") or "")
    said = [
        f"{'.'.join(map(str, fault.get('loc') or ()))}: {fault.get('msg')}"
        for fault in faults
        if isinstance(fault, dict)
    ]
    return "; ".join(said)


def to_time(time: datetime) -> str:
    """Write a time as ResultsDB does, naive UTC, its fraction never left out.

    >>> to_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000'
    """
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return time.isoformat(timespec="microseconds")[:26]


def _group(uuid: str, known: Group | None) -> str | dict[str, str]:
    if known is None:
        return uuid
    said = {"uuid": uuid, "description": known.description, "ref_url": known.ref_url}
    return {name: text for name, text in said.items() if text is not None}
