"""Outbox: how far each sink has got, what waits for it, what it refused; both stores share it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from ..domain.delivery import DeliveryState, Outgoing, Parked, Position
from ..domain.happening import Happening
from ..errors import NotFoundError, StaleError
from ..query.dialect import Dialect
from .happenings import happened
from .identity import from_us
from .outgoing import Ask, facts_after, these_facts
from .sidenotes import storable

T = TypeVar("T")

BEGIN = "insert into _delivery (sink, seq, result) values (:sink, :seq, :result) on conflict do nothing"
STANDS = "select seq, result from _delivery where sink = :sink"
END = "select seq, last_result from _commit order by seq desc limit 1"

MOVE = """
update _delivery set seq = :seq, result = :result, sent = sent + :sent, last_try = :now, last_error = null,
    last_ok = case when :sent > 0 then :now else last_ok end
where sink = :sink and seq = :old_seq and result = :old_result returning sink
"""

PARK = """
insert into _parked (sink, result, reason, parked_at) values (:sink, :result, :reason, :now)
on conflict (sink, result) do update set reason = excluded.reason, tries = _parked.tries + 1
"""

REFUSED_AGAIN = "update _parked set reason = :reason, tries = tries + 1 where id = :id"
TAKE_OFF = "delete from _parked where id = :id returning sink"
ONE_MORE = "update _delivery set sent = sent + 1 where sink = :sink"

NOTE = """
insert into _delivery (sink, seq, result, last_try, last_error) values (:sink, 0, 0, :now, :error)
on conflict (sink) do update set last_try = excluded.last_try, last_error = excluded.last_error
"""

STATES = """
select d.sink, d.seq, d.result, d.sent, d.last_try, d.last_ok, d.last_error,
    (select count(*) from _parked p where p.sink = d.sink)
from _delivery d order by d.sink
"""

OLDEST = """
select c.received_at from _commit c where c.seq >= :seq and c.results > 0 and c.last_result > :result
order by c.seq limit 1
"""

PARKED = """
select p.id, p.sink, p.result, t.name, o.word, i.name, p.reason, p.parked_at, p.tries
from _parked p
left join _result r on r.id = p.result
left join _testcase t on t.id = r.testcase
left join _outcome o on o.id = r.outcome
left join _item i on i.id = r.item
"""


class Outbox:
    """What a store remembers for its sinks; bodies are rendered from facts when they are sent.

    Results leave in the order of (seq, id), which is that of their commits. Every commit with results
    has its row in the table `_outbox`, written in the same transaction; a position is a place in it.

    ask      reads with one statement
    change   runs an operation in a transaction, giving it what asks and writes there
    lease    (sink) holds the right to deliver, across processes; see `lease`

    Raises StoreError where the store cannot take or give data now.
    """

    def __init__(
        self,
        ask: Ask,
        change: Callable[[Callable[[Ask], Any]], Any],
        lease: Callable[[str], AbstractContextManager[object]],
        dialect: Dialect,
    ) -> None:
        self._ask, self._change, self._lease, self._dialect = ask, change, lease, dialect

    # -- delivering --------------------------------------------------------------------------------

    def lease(self, sink: str) -> AbstractContextManager[object]:
        """Hold the right to deliver to `sink`. Raises BusyError where it is held."""
        return self._lease(sink)

    def begin(self, sink: str, *, at_end: bool = False) -> Position:
        """Return where `sink` stands; a new one begins at the start, or behind what is there now."""

        def enter(ask: Ask) -> Position:
            start = _end(ask) if at_end else Position()
            ask(BEGIN, {"sink": sink, "seq": start.seq, "result": start.result})
            return Position(*ask(STANDS, {"sink": sink})[0])

        found: Position = self._change(enter)
        return found

    def after(self, position: Position, limit: int) -> Outgoing:
        """Return at most `limit` results after `position`, of all sources, in order."""
        return facts_after(self._ask, self._dialect, position, limit)

    def end(self) -> Position:
        """Return where a sink stands that has everything by now."""
        return _end(self._ask)

    def happened(
        self, after: Position, until: Position | None, kinds: Collection[str], limit: int
    ) -> dict[int, list[Happening]]:
        """Return what happened beside results after a position, up to another (None: by now), by commit.

        Who asks for results first and then for this asks for `end` before both: what comes in between
        would be passed by. At most `limit` commits are looked at; what is not of `kinds` is an empty list.
        """
        end = _end(self._ask) if until is None else until
        return happened(self._ask, self._dialect, after.seq, end.seq, kinds, limit)

    def these(self, results: Sequence[int]) -> Outgoing:
        """Return the results with these ids, in order; ids that are not there are left out."""
        return these_facts(self._ask, self._dialect, results)

    def move(
        self, sink: str, before: Position, to: Position, *, sent: int, parked: Sequence[tuple[int, str]] = ()
    ) -> None:
        """Remember, in one transaction, that all up to `to` is through.

        sent    how many of these the sink took
        parked  id and reason of those that it refused

        Raises StaleError where the sink does not stand at `before`.
        """
        now = _now()
        values = {
            "sink": sink, "seq": to.seq, "result": to.result, "sent": sent, "now": now,
            "old_seq": before.seq, "old_result": before.result,
        }  # fmt: skip

        def step(ask: Ask) -> None:
            if not ask(MOVE, values):
                raise StaleError(f"sink {sink} has moved on from {tuple(before)}: another delivery is at it")
            for result, reason in parked:
                ask(PARK, {"sink": sink, "result": result, "reason": storable(reason), "now": now})

        self._change(step)

    def note_failure(self, sink: str, error: str) -> None:
        """Remember that `sink` took nothing now, and why."""
        values = {"sink": sink, "now": _now(), "error": storable(error)}
        self._change(lambda ask: ask(NOTE, values))

    # -- how it fares ------------------------------------------------------------------------------

    def states(self, sinks: Sequence[str] = ()) -> list[DeliveryState]:
        """Return how these sinks fare, or all known ones; costs the same however much waits."""
        end = _end(self._ask)
        known = {row[0]: self._state(row, end) for row in self._ask(STATES, {})}
        return [
            known.get(name) or self._state((name, 0, 0, 0, None, None, None, 0), end)
            for name in sinks or known
        ]

    def _state(self, row: Sequence[Any], end: Position) -> DeliveryState:
        sink, seq, result, sent, last_try, last_ok, last_error, parked = row
        waiting = max(0, end.result - result)  # ids are given in the order of seq, without gaps
        oldest = self._ask(OLDEST, {"seq": seq, "result": result}) if waiting else []
        return DeliveryState(
            sink=sink, position=Position(seq, result), waiting=waiting,
            oldest=_time(oldest[0][0]) if oldest else None, parked=parked, sent=sent,
            last_try=_time(last_try), last_ok=_time(last_ok), last_error=last_error,
        )  # fmt: skip

    # -- parked ------------------------------------------------------------------------------------

    def parked(self, sink: str | None = None, *, after: int = 0, limit: int = 100) -> list[Parked]:
        """Return what `sink` or all refused, oldest first, past the record `after`."""
        where = "where (:sink is null or p.sink = :sink) and p.id > :after order by p.id limit :limit"
        found = self._ask(f"{PARKED} {where}", {"sink": sink, "after": after, "limit": limit})
        return [_parked(row) for row in found]

    def parked_record(self, record_id: int) -> Parked:
        """Return one refused result. Raises NotFoundError."""
        found = self._ask(f"{PARKED} where p.id = :id", {"id": record_id})
        if not found:
            raise NotFoundError(f"no parked result {record_id}")
        return _parked(found[0])

    def settle(self, record_id: int, reason: str | None) -> None:
        """Take a refused result off the list: the sink took it (None), or refused it again, and why."""

        def close(ask: Ask) -> None:
            if reason is not None:
                ask(REFUSED_AGAIN, {"id": record_id, "reason": storable(reason)})
                return
            for row in ask(TAKE_OFF, {"id": record_id}):
                ask(ONE_MORE, {"sink": row[0]})

        self._change(close)


def _end(ask: Ask) -> Position:
    found = ask(END, {})
    return Position(*found[0]) if found else Position()


def _parked(row: Sequence[Any]) -> Parked:
    number, sink, result, testcase, outcome, item, reason, parked_at, tries = row
    return Parked(
        id=number, sink=sink, result=result, testcase=testcase, outcome=outcome, item=item, reason=reason,
        parked_at=from_us(parked_at), tries=tries,
    )  # fmt: skip


def _time(number: int | None) -> datetime | None:
    return None if number is None else from_us(number)


def _now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
