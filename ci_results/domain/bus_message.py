"""A message of a bus as a store keeps it, and how those fare who listen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

SILENT = timedelta(minutes=1)
"""Who listens to a bus tells how it fares every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusMessage:
    """A message that a page brings, with what it says.

    key        names it within its source: the same message has it whichever bus brings it
    mapping    what read it: "ci_metrics@1"
    transport  the bus that brought it: "fedora"
    results    how many of the page's results are its own; garbled: how many quarantined records. Those of
               the messages of a page follow each other, in the same order
    raw        its bytes as they came, packed by zlib; None = more than is kept
    digest     hex SHA-256 of them; size: how many they are
    told       JSON of what came beside them, so that they can be read again
    again      it is known, and brings what could not be read then
    """

    key: str
    topic: str
    mapping: str
    transport: str
    results: int
    garbled: int = 0
    raw: bytes | None = None
    digest: str = ""
    size: int = 0
    told: str = "{}"
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message that a result came by; `transports` are all that brought it."""

    id: int
    key: str
    topic: str
    mapping: str
    transports: tuple[str, ...]
    received_at: datetime
    digest: str
    size: int
    raw: bytes | None
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerState:
    """How it fares who listens to one bus. Counts begin with its start; times are aware UTC.

    received     messages that were handed over; known: results that were there before
    stored       results that were new; events: what results are expected for
    quarantined  records that could not be read; passed: messages that say nothing of a test
    backlog      messages that wait on the bus, None = unknown
    lag_s        age of the newest message when it was stored, None = it does not say when it was sent
    told_at      when it told this; it does so every few seconds
    listener     which of those it is that listen to the bus: "host.example:4711"
    listeners    how many this is about
    """

    name: str
    url: str = ""
    state: str = "listening"
    error: str | None = None
    received: int = 0
    known: int = 0
    stored: int = 0
    events: int = 0
    quarantined: int = 0
    passed: int = 0
    backlog: int | None = None
    lag_s: float | None = None
    last_message: datetime | None = None
    told_at: datetime | None = None
    listener: str = ""
    listeners: int = 1


def by_bus(states: Iterable[ListenerState], now: datetime) -> list[ListenerState]:
    """Return one state for each bus, by name: of all who told theirs before `now`, lately, else the last.

    Counts are added up, the backlog and the lag are the worst, and an error is that of whoever has one.
    """
    ordered = sorted(states, key=lambda each: each.name)
    return [_together(list(group), now) for _name, group in groupby(ordered, lambda each: each.name)]


def _together(states: list[ListenerState], now: datetime) -> ListenerState:
    never = datetime.min.replace(tzinfo=UTC)
    last = max(states, key=lambda each: each.told_at or never)
    awake = [
        each for each in states
        if each.state != "stopped" and each.told_at is not None and now - each.told_at <= SILENT
    ]  # fmt: skip
    if len(awake) < 2:
        return awake[0] if awake else last
    backlogs = [each.backlog for each in awake if each.backlog is not None]
    lags = [each.lag_s for each in awake if each.lag_s is not None]
    told = [each.last_message for each in awake if each.last_message is not None]
    faulty = next((each for each in awake if each.error is not None), None)
    return replace(
        last if faulty is None else faulty,
        state="listening" if any(each.state == "listening" for each in awake) else awake[0].state,
        received=sum(each.received for each in awake),
        known=sum(each.known for each in awake),
        stored=sum(each.stored for each in awake),
        events=sum(each.events for each in awake),
        quarantined=sum(each.quarantined for each in awake),
        passed=sum(each.passed for each in awake),
        backlog=max(backlogs, default=None),
        lag_s=max(lags, default=None),
        last_message=max(told, default=None),
        told_at=last.told_at,
        listener=", ".join(sorted(each.listener for each in awake)),
        listeners=len(awake),
    )
