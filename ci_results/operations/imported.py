"""What a remote ResultsDB served, as results of ours, or as records of the quarantine. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from ..domain.garbled import Garbled
from ..domain.result import Result
from ..errors import InvalidError
from ..normalise.submitted import submitted
from ..wire.resultsdb_served import ServedResults, served_time

T = TypeVar("T")

KIND = "resultsdb"
"""What a result that could not be read is called in the quarantine."""


def imported(element: Any, source: str, served: ServedResults) -> Result:
    """Return an element of GET /results as a result of `source`, its id as its key. Raises InvalidError."""
    number, said = served.read(element)
    return submitted(said, number, source).results[0]


def read_each(
    rows: Sequence[Any], read: Callable[[Any], T], key: str, kind: str = "record"
) -> tuple[list[T], list[Garbled]]:
    """Read each element of a page; what raises InvalidError is kept as it came, under its `key`."""
    found: list[T] = []
    bad: list[Garbled] = []
    for row in rows:
        try:
            found.append(read(row))
        except InvalidError as err:
            raw = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
            known = row.get(key) if isinstance(row, dict) else None
            name = None if known is None else str(known)
            bad.append(Garbled(raw=raw, reason=str(err), key=name, kind=kind))
    return found, bad


def times(rows: Sequence[Any]) -> Iterator[datetime]:
    """Yield the times of results, of those that have one."""
    for row in rows:
        with suppress(InvalidError):
            yield served_time(row.get("submit_time") if isinstance(row, dict) else None)
