"""Delivery: how far a sink has got, what waits for it, and what it refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from .batch import Batch


class Position(NamedTuple):
    """How far a sink has got in the order of commits: results after (seq, result) wait for it.

    seq     number of the last commit that it has got something of; 0 = it has got nothing
    result  id of the last result of that commit that is through
    """

    seq: int = 0
    result: int = 0


START = Position()
"""Before the first commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Results for a sink, each with the position it stands at, in order.

    batch  the results as they are served: `data` holds all attributes, those of the run too (`verbatim`)
    """

    positions: tuple[Position, ...]
    batch: Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """How a sink fares. Times are aware UTC, None = never.

    waiting  results after its position, whether the sink wants them or not
    oldest   when the first of those was received
    parked   results that it refused and that wait for a person
    sent     results that it has taken so far
    """

    sink: str
    position: Position = START
    waiting: int = 0
    oldest: datetime | None = None
    parked: int = 0
    sent: int = 0
    last_try: datetime | None = None
    last_ok: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A result that a sink refused; `tries` counts how often, `reason` is that of the last time."""

    id: int
    sink: str
    result: int
    testcase: str
    outcome: str
    item: str
    reason: str
    parked_at: datetime
    tries: int
