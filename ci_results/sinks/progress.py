"""What a delivery tells while it runs and when it ends: values that a face draws as it likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a sink fares in this delivery, in words for people."""

    DELIVERING = "delivering"
    WAITING = "waiting"
    OK = "ok"
    STOPPED = "stopped"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    BROKEN = "broken"
    BUSY = "busy"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkReport:
    """How the delivery to one sink goes, or how it ended.

    sent     results that it took
    parked   results that it refused
    passed   results that it does not want
    waiting  results that are left, wanted or not
    error    what went wrong, None where nothing did; while it waits: why
    """

    sink: str
    state: State
    sent: int = 0
    parked: int = 0
    passed: int = 0
    waiting: int = 0
    error: str | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Say whether nothing waits for it any more."""
        return self.state is State.OK


Tell = Callable[[SinkReport], None]
"""Called from each sink's thread, so it must be quick and safe there."""


def untold(report: SinkReport) -> None:
    """Tell nobody."""
