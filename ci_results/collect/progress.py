"""What a harvest tells while it runs and when it ends: values that a face draws as it likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..domain.page import Committed
from ..errors import (
    BusyError,
    CiResultsError,
    ConfigError,
    PluginError,
    SourceGarbledError,
    SourceRefusedError,
    SourceUnavailableError,
    StaleError,
    StoreError,
)

_NOTHING = Committed()


class State(StrEnum):
    """How a source fares in this harvest, in words for people."""

    HARVESTING = "harvesting"
    WAITING = "waiting"
    OK = "ok"
    STOPPED = "stopped"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    GARBLED = "garbled"
    BUSY = "busy"
    BROKEN = "broken"
    STORE = "store"


_STATES: tuple[tuple[type[CiResultsError], State], ...] = (
    (SourceUnavailableError, State.UNREACHABLE),
    (SourceRefusedError, State.REFUSED),
    (SourceGarbledError, State.GARBLED),
    (PluginError, State.BROKEN),
    (BusyError, State.BUSY),
    (StaleError, State.BUSY),
    (StoreError, State.STORE),
    (ConfigError, State.REFUSED),
)


def state_of(error: CiResultsError) -> State:
    """Return the state that a source is in after `error`."""
    return next((state for kind, state in _STATES if isinstance(error, kind)), State.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of one source: what is counted so far; `note` says what it waits for, if it does."""

    source: str
    state: State
    counts: Committed = _NOTHING
    pages: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """How the harvest of one source ended.

    counts     what the store took (in a dry run: what it would take)
    error      what went wrong, None where nothing did
    last_ok    end of the newest harvest that went well before this one, or None
    requests   requests sent to the source; received_bytes is their bodies as they came
    reasons    why records were quarantined, each with how often
    """

    source: str
    state: State
    counts: Committed = _NOTHING
    error: str | None = None
    last_ok: datetime | None = None
    pages: int = 0
    requests: int = 0
    received_bytes: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Say whether this source gave all it had."""
        return self.state is State.OK

    def told(self) -> str:
        """Return a line for logs and scripts: source=a state=ok new=38 same=0 ..."""
        counts = self.counts
        last_ok = "never" if self.last_ok is None else f"{self.last_ok:%Y-%m-%dT%H:%M:%SZ}"
        text = (
            f"source={self.source} state={self.state} new={counts.stored} same={counts.same}"
            f" superseding={counts.superseding} quarantined={counts.quarantined} requests={self.requests}"
            f" bytes={self.received_bytes} seconds={self.seconds:.1f} last_ok={last_ok}"
        )
        return text if self.error is None else f"{text} error={self.error!r}"


Tell = Callable[[Progress], None]
"""Called from each source's thread, so it must be quick and safe there."""


def untold(progress: Progress) -> None:
    """Tell nobody."""
