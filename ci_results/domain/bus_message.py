"""A message of a bus as a store keeps it, and how those fare who listen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
