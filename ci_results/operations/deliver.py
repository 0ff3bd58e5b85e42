"""Deliver: send what is stored on to the sinks, each from where it stands, none held up by another."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from threading import Thread

from ..domain.delivery import Parked
from ..errors import CiResultsError, InvalidError, SinkRefusedError
from ..plugin.faults import plugin_call
from ..sinks.configured import ConfiguredSink
from ..sinks.delivering import Surroundings, deliver_to
from ..sinks.progress import SinkReport, State
from ..store.protocol import Store

log = logging.getLogger(__name__)


class Reach(IntEnum):
    """How many sinks got all that waited; the value is the exit code of `deliver`."""

    ALL = 0
    SOME = 2
    NONE = 3


def deliver(sinks: Sequence[ConfiguredSink], around: Surroundings) -> list[SinkReport]:
    """Deliver to all `sinks` at once, a thread each; return how each ended, in their order.

    Each result is handed over at least once: a sink's position moves after it has taken a batch.
    A KeyboardInterrupt leaves at once: what was sent but not yet noted is sent again next time.
    """
    reports: dict[str, SinkReport] = {}

    def work(sink: ConfiguredSink) -> None:
        try:
            reports[sink.name] = deliver_to(sink, around)
        except Exception as err:
            log.exception("delivery broke", extra={"sink": sink.name})
            said = f"{type(err).__name__}: {err}"
            reports[sink.name] = SinkReport(sink=sink.name, state=State.BROKEN, error=said)

    threads = [Thread(target=work, args=(sink,), name=f"deliver {sink.name}", daemon=True) for sink in sinks]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # a join without time-out would keep Ctrl-C waiting
    return [reports[sink.name] for sink in sinks]


def reach(reports: Sequence[SinkReport]) -> Reach:
    """Sum up: did all sinks take all that waited, some of it, or nothing?"""
    if all(report.ok and not report.parked for report in reports):
        return Reach.ALL
    some = any(report.ok or report.sent or report.state is State.STOPPED for report in reports)
    return Reach.SOME if some else Reach.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a parked result; `reason` says why it stays parked, None where it was taken."""

    id: int
    sink: str
    testcase: str
    reason: str | None = None


def retry(records: Iterable[Parked], sinks: Mapping[str, ConfiguredSink], store: Store) -> Iterator[Settled]:
    """Send parked results again, one by one; what is taken now is parked no more."""
    for record in records:
        reason = None
        try:
            sink = sinks.get(record.sink)
            if sink is None:
                raise InvalidError(f"sink {record.sink} is not configured any more")
            _again(record, sink, store)
        except CiResultsError as err:
            reason = str(err)
        yield Settled(id=record.id, sink=record.sink, testcase=record.testcase, reason=reason)


def _again(record: Parked, sink: ConfiguredSink, store: Store) -> None:
    """Send one parked result. Raises CiResultsError where it stays parked."""
    batch = store.outbox.these([record.result]).batch
    if not batch:
        raise InvalidError(f"result {record.result} is not in the store any more")
    try:
        with plugin_call(f"delivery to {sink.name}", sink.sink):
            sink.sink.deliver(sink.options, batch)
    except SinkRefusedError as err:
        store.outbox.settle(record.id, str(err))
        raise
    store.outbox.settle(record.id, None)


def all_parked(store: Store, sink: str | None = None) -> Iterator[Parked]:
    """Yield all that a sink or all sinks have refused, oldest first, a page of the store at a time."""
    after = 0
    while page := store.outbox.parked(sink, after=after, limit=500):
        yield from page
        after = page[-1].id


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkAnswer:
    """What one sink said when it was asked, a line each; `ok` = a delivery would get through."""

    sink: str
    ok: bool
    lines: tuple[str, ...]


def check_sinks(sinks: Iterable[ConfiguredSink]) -> Iterator[SinkAnswer]:
    """Ask each sink in turn, sending nothing; what it said before it failed is kept."""
    for sink in sinks:
        lines: list[str] = []
        try:
            with plugin_call(f"check of {sink.name}", sink.sink):
                lines.extend(str(line) for line in sink.sink.check(sink.options))
        except CiResultsError as err:
            yield SinkAnswer(sink=sink.name, ok=False, lines=(*lines, str(err)))
        else:
            yield SinkAnswer(sink=sink.name, ok=True, lines=tuple(lines) or ("has nothing to say",))
