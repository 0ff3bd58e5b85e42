"""New results as columns of the table _result. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from ..domain.outcome import UNFINISHED, Outcome
from ..domain.result import Result
from ..normalise.signature import signature
from .fresh import Fresh, Kind
from .identity import to_text
from .runrows import Places

Column = Sequence[Any]

NO_VARIANT = ("", "")

NO_FAILURE = UNFINISHED | {Outcome.PASSED, Outcome.INFO}
"""Outcomes whose texts have no signature."""


def item_rows(kinds: Mapping[Kind, Result]) -> dict[tuple[str, str], tuple[str | None, ...]]:
    """Return the items of results by name and type, each with its row of _item."""
    items = {(result.item, result.item_type): result.item_parts for result in kinds.values()}
    return {
        name: (*name, parts.get("nvr"), parts.get("component"), parts.get("arch"))
        for name, parts in items.items()
    }


def variants_of(kinds: Iterable[Kind]) -> set[tuple[str, str]]:
    """Return the scenarios and architectures of results, "" where there is none."""
    return {(scenario or "", arch or "") for _item, _type, scenario, arch in kinds}


def result_columns(
    fresh: Fresh,
    places: Places,
    items: Mapping[tuple[str, str], int],
    variants: Mapping[tuple[str, str], int],
    seq: int,
) -> dict[str, Column]:
    """Return the columns of _result by name, in the order of the table."""
    new, ranks = fresh.new, fresh.ranks
    results = new.results
    times = {rank: to_text(rank) for rank in set(ranks)}
    return {
        "id": fresh.ids,
        "seq": [seq] * len(results),
        "source": [fresh.source] * len(results),
        "run": places.runs,
        "testcase": fresh.testcases,
        "item": _only(items, results) or [items[result.item, result.item_type] for result in results],
        "variant": _only(variants, results)
        or [variants[result.scenario or "", result.arch or ""] for result in results],
        "outcome": fresh.outcomes,
        "rank": ranks,
        "submit_time": [
            None if claimed == rank else claimed for claimed, rank in zip(new.claimed, ranks, strict=True)
        ],
        "duration": [result.duration_s for result in results],
        "note": [result.note for result in results],
        "ref_url": [result.ref_url for result in results],
        "data": [_text(own) if own else None for own in places.own],
        "key": [result.key for result in results],
        "identity": new.identities,
        "digest": new.digests,
        "time": [times[rank] for rank in ranks],
        "groups": [_text(result.groups) if result.groups else None for result in results],
    }


def signature_rows(fresh: Fresh) -> list[tuple[int, str]]:
    """Return id and signature of those new results that failed and say how."""
    if fresh.signatures is not None:
        return [
            (number, text)
            for number, text in zip(fresh.ids, fresh.signatures, strict=True)
            if text is not None
        ]
    known: dict[tuple[str, str], str] = {}
    rows = []
    for number, result in zip(fresh.ids, fresh.new.results, strict=True):
        note = result.note
        if note and result.outcome not in NO_FAILURE:
            said = (result.outcome, note)
            found = known.get(said)
            if found is None:
                found = known[said] = signature(*said)
            rows.append((number, found))
    return rows


def _only(ids: Mapping[tuple[str, str], int], results: Sequence[Result]) -> Column | None:
    """Return the column of a page that names but one thing, as the pages of a file do; else None."""
    return list(ids.values()) * len(results) if len(ids) == 1 else None


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
