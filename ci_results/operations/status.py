"""Status: how sources, buses, sinks, the quarantine and decisions fare, in one value; cheap at any size."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ..domain.bus_message import SILENT, ListenerState, by_bus
from ..domain.delivery import DeliveryState
from ..domain.stored import SourceState
from ..store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How one source fares.

    state  "ok"; "bad", the last harvest failed; "new", there was none; of one that is not configured "told",
           for its results came by another door, or "removed"
    """

    name: str
    state: str
    last_ok: datetime | None
    last_error: str | None
    results: int
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BusStatus:
    """How one bus is listened to; `state` is "silent" where nobody has told anything for a minute."""

    name: str
    state: str
    listeners: int
    backlog: int | None
    lag_s: float | None
    told_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkStatus:
    """What waits for one sink, since when (`oldest`), and what it refused (`parked`)."""

    name: str
    state: str
    waiting: int
    oldest: datetime | None
    parked: int
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineStatus:
    """How many records of one source and door wait for somebody to read them."""

    source: str
    door: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionStatus:
    """What was decided.

    verdicts  of the newest 1,000 recorded decisions: {"go": 812, "wait": 188}
    waiting   commits that the follower has not looked at, and the `oldest` of them; None = never followed
    """

    verdicts: Mapping[str, int]
    waiting: int | None
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How all fares at a moment."""

    at: datetime
    results: int
    sources: tuple[SourceStatus, ...]
    buses: tuple[BusStatus, ...]
    sinks: tuple[SinkStatus, ...]
    quarantine: tuple[QuarantineStatus, ...]
    decisions: DecisionStatus


def status(
    store: Store,
    *,
    sources: Collection[str] = (),
    buses: Collection[str] = (),
    sinks: Collection[str] = (),
    now: datetime | None = None,
) -> Status:
    """Return how all fares; configured names come first, then those that only the store knows.

    Raises StoreError where the store cannot be asked.
    """
    moment = now or datetime.now(UTC)
    known = {state.name: state for state in store.sources()}
    listening = {state.name: state for state in by_bus(store.bus.listeners(), moment)}
    delivered = {state.sink: state for state in store.outbox.states()}
    delivered |= {state.sink: state for state in store.outbox.states([*sinks])} if sinks else {}
    behind = store.decisions.behind()
    return Status(
        at=moment,
        results=sum(state.results for state in known.values()),
        sources=tuple(
            _source(name, known.get(name), name in sources) for name in dict.fromkeys([*sources, *known])
        ),
        buses=tuple(_bus(name, listening.get(name), moment) for name in dict.fromkeys([*buses, *listening])),
        sinks=tuple(_sink(delivered[name]) for name in dict.fromkeys([*sinks, *delivered])),
        quarantine=tuple(
            QuarantineStatus(source=source, door=door, records=records)
            for (source, door), records in sorted(store.quarantined_by_door().items())
        ),
        decisions=DecisionStatus(
            verdicts=store.decisions.lately(),
            waiting=None if behind is None else behind.commits,
            oldest=None if behind is None else behind.oldest,
        ),
    )


def _source(name: str, known: SourceState | None, configured: bool) -> SourceStatus:
    state = known or SourceState(name=name)
    if state.last_try is None:
        word = "new" if configured else "told"
    else:
        word = "removed" if not configured else "bad" if state.last_error else "ok"
    return SourceStatus(
        name=name,
        state=word,
        last_ok=state.last_ok,
        last_error=state.last_error,
        results=state.results,
        quarantined=state.quarantined,
    )


def _bus(name: str, known: ListenerState | None, now: datetime) -> BusStatus:
    if known is None or known.told_at is None:
        return BusStatus(
            name=name, state="silent", listeners=0, backlog=None, lag_s=None, told_at=None, error=None
        )
    awake = known.state != "stopped" and now - known.told_at <= SILENT
    return BusStatus(
        name=name,
        state=known.state if awake else "silent",
        listeners=known.listeners if awake else 0,
        backlog=known.backlog,
        lag_s=known.lag_s,
        told_at=known.told_at,
        error=known.error,
    )


def _sink(state: DeliveryState) -> SinkStatus:
    return SinkStatus(
        name=state.sink,
        state="bad" if state.last_error else "ok",
        waiting=state.waiting,
        oldest=state.oldest,
        parked=state.parked,
        last_error=state.last_error,
    )
