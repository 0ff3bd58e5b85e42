"""Listen: take messages from buses into the store, each at least once from the bus and once in the store.

What a group of messages says is committed before it is acknowledged: a crash in between brings the group
again, and the store knows its messages.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event, Thread

from ..bus.choosing import Chosen
from ..collect.garbage import seldom_collected
from ..collect.refine import tell_stored
from ..domain.bus_message import ListenerState
from ..domain.carried import Arrival
from ..domain.page import Committed
from ..domain.stored import SourceState
from ..errors import (
    BusyError,
    CiResultsError,
    CollectError,
    InvalidError,
    ReusedKeyError,
    StaleError,
    StoreError,
)
from ..plugin.manager import Plugins
from ..plugin.transport import Inlet
from ..store.protocol import Store
from .events import EventDoor, take_events
from .ingest import Ingest, Prepared, Taking

log = logging.getLogger(__name__)

WAIT_S = 0.5
"""How long a way in waits for a message before it looks whether it is to stop."""

TELL_EVERY_S = 5.0
LONGEST_PAUSE_S = 60.0
_AWAY = (StoreError, BusyError, StaleError)
"""What a store raises that can be well again."""


@dataclass(frozen=True, kw_only=True)
class Ear:
    """One bus that is listened to."""

    bus: Chosen
    taking: Taking
    ingest: Ingest


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all buses share.

    door           where events go that let expect results
    group          messages in one commit, at most; linger_s: how long it waits for them to come together
    once           end when nothing waits any more
    stop           set = finish what is in hand, and end
    first_pause_s  after a fault; it doubles each time
    """

    store: Store
    plugins: Plugins
    door: EventDoor
    group: int = 250
    linger_s: float = 0.05
    once: bool = False
    stop: Event = field(default_factory=Event)
    tell: Callable[[ListenerState], None] = lambda state: None
    first_pause_s: float = 1.0


def listen(ears: Sequence[Ear], around: Surroundings) -> list[ListenerState]:
    """Listen to all buses at once, a thread each; return how each fared, in their order."""
    for source in {ear.taking.source for ear in ears}:
        around.store.register_source(SourceState(name=source, collector="message"))
    listeners = [_Listener(ear, around) for ear in ears]
    threads = [Thread(target=each.run, name=f"listen {each.state.name}", daemon=True) for each in listeners]
    with seldom_collected():
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # a join without time-out would keep Ctrl-C waiting
    return [each.state for each in listeners]


class _Listener:
    """One bus, on a thread of its own."""

    def __init__(self, ear: Ear, around: Surroundings) -> None:
        self._ear, self._around = ear, around
        self.state = ListenerState(
            name=ear.taking.name,
            url=ear.bus.name,
            state="connecting",
            listener=f"{socket.gethostname()}:{os.getpid()}",
        )
        self._failures = 0
        self._told_at = 0.0

    def run(self) -> None:
        """Listen until it is to stop; what goes wrong outside is waited for."""
        stop = self._around.stop
        try:
            while not stop.is_set():
                try:
                    with closing(self._ear.bus.inlet()) as inlet:
                        self._tell("listening", inlet=inlet, now=True)
                        self._read(inlet)
                    break
                except CollectError as err:
                    self._failed("away", err)
                    if self._around.once and not self.state.received:
                        return
                    stop.wait(self._pause_s())
            self._tell("stopped", now=True)
        except CiResultsError as err:  # what no waiting mends, such as a wrong configuration
            self._failed("broken", err)
        except Exception as err:
            log.exception("listening broke", extra={"bus": self.state.name})
            self._failed("broken", err)

    def _read(self, inlet: Inlet) -> None:
        """Take what comes. Raises CollectError."""
        around = self._around
        while not around.stop.is_set():
            arrivals = inlet.receive(around.group, WAIT_S, around.linger_s)
            if arrivals and self._take(inlet, arrivals):
                inlet.ack(arrivals)
                self._failures = 0
            self._tell("listening", inlet=inlet, now=around.once)
            if not arrivals and around.once:
                return

    def _take(self, inlet: Inlet, arrivals: Sequence[Arrival]) -> bool:
        """Store messages, however long the store is away; say whether they are: not when it is to stop."""
        while True:
            try:
                prepared = self._ear.ingest.prepare(arrivals)
                committed = self._commit(arrivals, prepared)
            except _AWAY as err:
                self._failed("store", err)
                until = time.monotonic() + self._pause_s()
                while (left := until - time.monotonic()) > 0:
                    if self._around.stop.is_set():
                        return False
                    inlet.idle(min(left, WAIT_S))
                continue
            self._count(arrivals, prepared, committed)
            return True

    def _commit(self, arrivals: Sequence[Arrival], prepared: Prepared) -> Committed:
        """Store what messages say; what is refused goes to the quarantine, alone. Raises one of _AWAY."""
        around = self._around
        try:
            self._announce(prepared)
            committed = around.store.commit_page(prepared.page)
        except InvalidError as err:
            if len(arrivals) == 1:
                return around.store.commit_page(self._ear.ingest.refused(arrivals[0], str(err)))
            total = Committed()
            for each in arrivals:
                total += self._commit([each], self._ear.ingest.prepare([each]))
            return total
        for fault in tell_stored(prepared.page, committed, around.plugins.hook):
            log.warning("plugin failed", extra={"fault": fault})
        return committed

    def _announce(self, prepared: Prepared) -> None:
        """Store events; one that came already by another bus is known."""
        for event in prepared.events:
            with suppress(ReusedKeyError):
                take_events(self._around.door, [event], self._ear.taking.source)

    def _count(self, arrivals: Sequence[Arrival], prepared: Prepared, committed: Committed) -> None:
        state, now = self.state, datetime.now(UTC)
        kept, newest = prepared.page.messages, prepared.newest
        brought = sum(each.results for each in kept)
        self.state = replace(
            state,
            error=None,
            received=state.received + len(arrivals),
            known=state.known + (brought - committed.stored),
            stored=state.stored + committed.stored,
            events=state.events + len(prepared.events),
            quarantined=state.quarantined + committed.quarantined,
            passed=state.passed + prepared.passed,
            lag_s=state.lag_s if newest is None else round(max(0.0, (now - newest).total_seconds()), 3),
            last_message=now,
        )

    def _failed(self, what: str, err: Exception) -> None:
        self._failures += 1
        log.warning("listening failed", extra={"bus": self.state.name, "fault": str(err)})
        self._tell(what, error=str(err), now=True)

    def _pause_s(self) -> float:
        longest = self._around.first_pause_s * float(2 ** min(self._failures - 1, 20))
        return min(LONGEST_PAUSE_S, longest) * random.uniform(0.5, 1.0)  # noqa: S311

    def _tell(
        self, state: str, *, error: str | None = None, inlet: Inlet | None = None, now: bool = False
    ) -> None:
        """Tell how it fares, now and then."""
        if not now and time.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = time.monotonic()
        backlog = self.state.backlog if inlet is None else inlet.backlog()
        self.state = replace(self.state, state=state, error=error, backlog=backlog)
        with suppress(StoreError):
            self._around.store.bus.note(self.state)
        self._around.tell(self.state)
