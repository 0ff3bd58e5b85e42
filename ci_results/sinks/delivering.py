"""Deliver to one sink: from where it stands to the last result, a batch a step."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event

from ..domain.batch import Batch
from ..domain.delivery import START, Outgoing, Position
from ..domain.happening import Happening
from ..errors import (
    BusyError,
    CiResultsError,
    DeliveryError,
    PluginError,
    SinkRefusedError,
    SinkUnavailableError,
    StaleError,
    StoreError,
)
from ..plugin.faults import distribution_of, plugin_call
from ..store.protocol import Store
from .configured import ConfiguredSink
from .progress import SinkReport, State, Tell, untold

log = logging.getLogger(__name__)

READ_ROWS = 1_000
"""Results that are read from the store at once."""

READ_COMMITS = 50
"""Commits of other things than results that are looked at together with those."""

POLL_S = 1.0
LONGEST_PAUSE_S = 300.0
REFUSALS = 100
"""A sink that refuses so many in a row is asked no further now: it may be the wrong server."""

_STATES: tuple[tuple[type[CiResultsError], State], ...] = (
    (SinkUnavailableError, State.UNREACHABLE),
    (SinkRefusedError, State.REFUSED),
    (BusyError, State.BUSY),
    (StaleError, State.BUSY),
    (StoreError, State.STORE),
)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all sinks of a delivery share.

    stop           set = end between two batches
    follow         go on when nothing waits, and however long a sink is away, until `stop`
    first_pause_s  before a sink that was away is tried again; it doubles each time
    """

    store: Store
    stop: Event = field(default_factory=Event)
    tell: Tell = untold
    follow: bool = False
    first_pause_s: float = 1.0


def deliver_to(sink: ConfiguredSink, around: Surroundings) -> SinkReport:
    """Deliver all that waits for `sink` and say how it ended; raises nothing that a sink can cause."""
    return _Delivery(sink, around).run()


class _Delivery:
    """One delivery to one sink, with what it has counted so far.

    done      how many results of those read last are through
    refusals  how many of the last ones were refused in a row
    """

    def __init__(self, sink: ConfiguredSink, around: Surroundings) -> None:
        self.sink, self.around = sink, around
        self.opened = sink.sink
        self.outbox = around.store.outbox
        self.position = START
        self.sent = self.parked = self.passed = self.waiting = 0
        self.done = self.refusals = 0
        self.begun = time.monotonic()

    def run(self) -> SinkReport:
        name, error = self.sink.name, None
        try:
            with self.outbox.lease(name):
                self.position = self.outbox.begin(name, at_end=self.sink.keys.begin == "now")
                state = self._with_retries()
        except CiResultsError as err:
            error = str(err)
            state = next((state for kind, state in _STATES if isinstance(err, kind)), State.BROKEN)
        report = self._tell(state, error)
        log.info("delivery ended", extra={"sink": name, "state": str(state), "sent": self.sent})
        return report

    def _with_retries(self) -> State:
        """Go on from where it stands after an outage, waiting longer each time that nothing went through."""
        failures = 0
        while True:
            before = self.position
            try:
                return self._pass()
            except (DeliveryError, PluginError, StoreError) as err:
                failures = failures + 1 if self.position == before else 1
                away = isinstance(err, SinkUnavailableError)
                if not isinstance(err, StoreError):
                    self.outbox.note_failure(self.sink.name, str(err))
                if not (self.around.follow or (away and failures <= self.sink.keys.retries)):
                    raise
                pause_s = self.around.first_pause_s * 2 ** min(failures - 1, 20)
                if self._pause(min(pause_s, LONGEST_PAUSE_S) if away else LONGEST_PAUSE_S, str(err)):
                    return State.STOPPED

    def _pause(self, seconds: float, why: str) -> bool:
        """Wait about so long; say whether it is time to stop."""
        self._tell(State.WAITING, f"{why}; again in {seconds:.0f} s")
        return self.around.stop.wait(seconds * random.uniform(0.8, 1.2))  # noqa: S311

    def _pass(self) -> State:
        """Hand over all that waits. Raises DeliveryError, PluginError, StoreError."""
        with ExitStack() as held:
            with plugin_call(f"opening {self.sink.name}", self.sink.sink):
                self.opened = held.enter_context(self.sink.sink.opened(self.sink.options))
            return self._all()

    def _all(self) -> State:
        """Hand over all that waits to the sink that is open."""
        while not self.around.stop.is_set():
            self.waiting = self.outbox.states([self.sink.name])[0].waiting
            self._tell(State.DELIVERING)
            before = self.position
            self._step()
            if self.position != before:
                continue
            if self.around.follow:
                self.around.stop.wait(POLL_S)
            else:
                return State.OK
        return State.STOPPED

    def _step(self) -> None:
        """Hand over some of what waits, in the order of commits."""
        if not self.sink.takes:
            self._hand_over(self.outbox.after(self.position, READ_ROWS))
            return
        end = self.outbox.end()  # before what is read: results that come after it are for the next step
        out = self.outbox.after(self.position, READ_ROWS)
        until = out.positions[-1] if out.positions else end
        happened = self.outbox.happened(self.position, until, self.sink.takes, READ_COMMITS)
        for seq, happenings in happened.items():
            self._hand_over(_part(out, self.position, seq))
            if self.around.stop.is_set():
                return
            self._announce(happenings, Position(seq, self.position.result))
        if len(happened) < READ_COMMITS:
            self._hand_over(_part(out, self.position, None))

    def _announce(self, happenings: Sequence[Happening], to: Position) -> None:
        """Tell what happened in one commit. What is refused is passed by: results behind it wait for it."""
        if happenings:
            try:
                with plugin_call(f"delivery to {self.sink.name}", self.sink.sink):
                    self.opened.announce(self.sink.options, happenings)
            except SinkRefusedError as err:
                log.warning("event refused", extra={"sink": self.sink.name, "id": happenings[0].id})
                self.outbox.note_failure(self.sink.name, f"refused event {happenings[0].id}: {err}")
        self.outbox.move(self.sink.name, self.position, to, sent=0)
        self.position = to

    def _hand_over(self, out: Outgoing) -> None:
        """Send what the sink wants of `out` in batches, and pass the rest."""
        self.done = 0
        wanted = [number for number, result in enumerate(out.batch) if self.sink.wants(result)]
        for start in range(0, len(wanted), self.sink.keys.batch):
            if self.around.stop.is_set():
                return
            self._send(out, wanted[start : start + self.sink.keys.batch])
        if self.done < len(out.positions):
            self._move(out, len(out.positions) - 1)

    def _send(self, out: Outgoing, wanted: Sequence[int]) -> None:
        """Send these results of `out`; those that are refused are parked. Raises SinkUnavailableError."""
        while wanted:
            try:
                self._deliver(out, wanted)
            except SinkUnavailableError as err:
                if err.delivered:
                    self._move(out, wanted[err.delivered - 1], sent=err.delivered)
                raise
            except SinkRefusedError as err:
                if err.delivered is None and len(wanted) > 1:  # which of them it is, the sink cannot tell
                    middle = len(wanted) // 2
                    self._send(out, wanted[:middle])
                    wanted = wanted[middle:]
                    continue
                done = err.delivered or 0
                self._move(out, wanted[done], sent=done, parked=str(err))
                wanted = wanted[done + 1 :]
            else:
                self._move(out, wanted[-1], sent=len(wanted))
                return

    def _deliver(self, out: Outgoing, wanted: Sequence[int]) -> None:
        """Call the sink, and hold it to what it says of how far it got."""
        whole, sink = out.batch, self.sink
        batch = Batch(
            [whole[n] for n in wanted],
            ref_urls=whole.ref_urls,
            groups=whole.groups,
            receipts=[whole.receipts[n] for n in wanted],
        )
        try:
            with plugin_call(f"delivery to {sink.name}", sink.sink):
                self.opened.deliver(sink.options, batch)
        except DeliveryError as err:
            if err.delivered is not None and not 0 <= err.delivered < len(batch):
                who, said = distribution_of(sink.sink), f"{err.delivered} of {len(batch)} delivered"
                raise PluginError(f"{who}: delivery to {sink.name}: {said}, and yet: {err}") from err
            raise

    def _move(self, out: Outgoing, number: int, *, sent: int = 0, parked: str | None = None) -> None:
        """Remember that `out` is through up to `number`; `parked` is why that one was refused."""
        to = out.positions[number]
        refused = [] if parked is None else [(to.result, parked)]
        self.outbox.move(self.sink.name, self.position, to, sent=sent, parked=refused)
        through = number + 1 - self.done
        self.position, self.done = to, number + 1
        self.waiting = max(0, self.waiting - through)
        self.sent += sent
        self.parked += len(refused)
        self.passed += through - sent - len(refused)
        self.refusals = len(refused) + (0 if sent else self.refusals)
        self._tell(State.DELIVERING)
        if self.refusals >= REFUSALS:
            self.refusals = 0
            raise SinkRefusedError(f"refused {REFUSALS} results in a row; the last: {parked}")

    def _tell(self, state: State, error: str | None = None) -> SinkReport:
        report = SinkReport(
            sink=self.sink.name,
            state=state,
            sent=self.sent,
            parked=self.parked,
            passed=self.passed,
            waiting=self.waiting,
            error=error,
            seconds=time.monotonic() - self.begun,
        )
        self.around.tell(report)
        return report


def _part(out: Outgoing, after: Position, before: int | None) -> Outgoing:
    """Return the results after a position, up to the commit `before` it; None = all of them."""
    start = sum(position <= after for position in out.positions)
    stop = sum(before is None or position.seq < before for position in out.positions)
    return Outgoing(positions=out.positions[start:stop], batch=out.batch[start:stop])
