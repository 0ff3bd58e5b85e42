"""WaiverLog: the chain of waiver events, and the waivers that they come to; both stores share it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import orjson

from ..domain.purpose import Purpose
from ..domain.waiver import Act, Standing, Step, Terms, Turn, Waiver, WaiverEvent
from ..errors import NotFoundError, StaleError
from ..query.dialect import Dialect
from ..query.moment import SEQ
from ..query.waivers import (
    OPENED_AND_CLOSED,
    TOGETHER,
    Stage,
    WaiverFilter,
    WaiverQuery,
    count_sql,
    found_sql,
)
from ..waive.chain import Head, link
from ..waive.folding import fold
from ..waive.standing import standing
from .identity import from_us, to_us
from .outgoing import Ask

T = TypeVar("T")
KIND = "waiver"
"""Of its rows in the outbox, and the door of its commits."""

BATCH = 1_000
"""Events read at once by who walks the whole chain."""

_COLUMNS = (
    "id", "seq", "time", "waiver", "step", "turn", "refused", "username", "proxied_by", "via", "comment",
    "subject_type", "subject", "testcase", "product_version", "scenario", "arch", "purpose", "signatures",
    "lenient", "waived", "expires_at", "hash",
)  # fmt: skip

_NUMBERS = ("waiver", "lenient", "waived", "expires_at")
"""Columns of numbers that may be null, of which PostgreSQL would believe that they are texts."""

EVENTS = f"select {', '.join(f'e.{column}' for column in _COLUMNS)} from _waiver_event e"

INSERT = f"""
insert into _waiver_event ({", ".join(_COLUMNS)})
values ({", ".join(f"cast(:{name} as bigint)" if name in _NUMBERS else f":{name}" for name in _COLUMNS)})
"""

COMMIT = """
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
select coalesce(max(seq), 0) + 1, :now, null, :door,
    coalesce((select l.last_result from _commit l order by l.seq desc limit 1), 0), 0, 0
from _commit returning seq
"""

PUBLISH = "insert into _outbox (seq, kind) values (:seq, :kind)"
TAKE_HEAD = "update _waiver_head set id = id + :more where one = 1 returning id, hash"
SET_HEAD = "update _waiver_head set hash = :hash where one = 1"
HEAD = "select id, hash from _waiver_head where one = 1"
NEWEST = "select max(time) from _waiver_event where id = (select max(id) from _waiver_event)"
SEEN = "select coalesce(max(id), 0) from _waiver_event where waiver = :waiver"

# Announced in the order in which they expired: what expired before the last announced has been looked at.
DUE = f"""
select w.id from _waiver_event w {OPENED_AND_CLOSED}
where w.waiver = w.id and w.expires_at <= :now and o.seq is not null and c.seq is null
  and w.expires_at >= coalesce((
    select a.expires_at from _waiver_event x join _waiver_event a on a.id = x.waiver
    where x.step = 'expire' order by x.id desc limit 1), 0)
  and not exists (select 1 from _waiver_event x where x.waiver = w.id and x.step = 'expire')
order by w.expires_at, w.id limit :limit
"""

EXPIRING = f"""
select w.id from _waiver_event w {OPENED_AND_CLOSED}
where w.waiver = w.id and w.expires_at > :now and w.expires_at <= :until
  and o.seq is not null and c.seq is null
order by w.expires_at, w.id limit :limit
"""


class WaiverLog:
    """Keeps waiver events for good, in a chain of hashes; see docs/waivers.md.

    ask     reads with one statement, within the budget of a machine's question
    change  runs an operation in a transaction that is ordered among all commits, giving it what asks
            and writes there

    Raises StoreError where the store cannot take or give data now, TooBroadError where that takes too long.
    """

    def __init__(
        self,
        ask: Ask,
        change: Callable[[Callable[[Ask], Any]], Any],
        dialect: Dialect,
    ) -> None:
        self._ask, self._change = ask, change
        self._these = (
            f"{EVENTS} where e.waiver in (select j.value from {dialect.numbers('ids')} j)"
            " order by e.waiver desc, e.id"
        )
        self._of_subjects = f"""
            {EVENTS} where e.waiver in (
                select w.id from {dialect.texts("subjects")} s
                join _waiver_event w on w.subject = s.value and w.waiver = w.id)
            order by e.waiver desc, e.id
        """
        self._active = f"""
            {EVENTS} where e.waiver in (
                select w.id from {dialect.texts("subjects")} s
                join _waiver_event w on w.subject = s.value and w.waiver = w.id
                {OPENED_AND_CLOSED}
                where +o.seq <= :seq and (c.seq is null or c.seq > :seq)
                  and (w.expires_at is null or w.expires_at > :now)
                  and (:every or w.testcase in (select t.value from {dialect.texts("testcases")} t)))
            order by e.waiver desc, e.id
        """

    # -- writing -----------------------------------------------------------------------------------

    def append(self, acts: Sequence[Act], seen: Mapping[int, int] | None = None) -> list[WaiverEvent]:
        """Append acts in one transaction, with their row in the outbox; durable when this returns.

        seen  for each waiver that a step is taken on, the id of its newest event that is known

        Raises StaleError where a waiver has moved on since: read it again, and decide anew.
        """
        if not acts:
            return []
        appended: list[WaiverEvent] = self._change(lambda ask: self._append(ask, acts, seen or {}))
        return appended

    def _append(self, ask: Ask, acts: Sequence[Act], seen: Mapping[int, int]) -> list[WaiverEvent]:
        # The head first: until this transaction ends nobody else appends, so nothing below can be overtaken.
        (end, before) = ask(TAKE_HEAD, {"more": len(acts)})[0]
        for waiver, last in seen.items():
            newest = ask(SEEN, {"waiver": waiver})[0][0]
            if newest != last:
                raise StaleError(f"W-{waiver} has moved on since event {last}: read it again")
        now = _now()
        newest_time = ask(NEWEST, {})[0][0]
        seq = ask(COMMIT, {"now": now, "door": KIND})[0][0]
        moment = from_us(max(now, newest_time or 0))
        appended = []
        for number, act in enumerate(acts, start=end - len(acts) + 1):
            begins = act.waiver is None and act.refused is None
            event = WaiverEvent(
                id=number, seq=seq, time=moment, act=replace(act, waiver=number) if begins else act, hash=""
            )
            before = link(before, event)
            event = replace(event, hash=before)
            ask(INSERT, row_of(event))
            appended.append(event)
        ask(SET_HEAD, {"hash": before})
        ask(PUBLISH, {"seq": seq, "kind": KIND})
        return appended

    # -- reading -----------------------------------------------------------------------------------

    def seq(self) -> int:
        """Return the number of the newest commit, of whatever kind."""
        return int(self._ask(SEQ, {})[0][0])

    def waiver(self, number: int) -> Waiver:
        """Return one waiver. Raises NotFoundError."""
        found = self.these([number])
        if not found:
            raise NotFoundError(f"no waiver W-{number}; see: ci-results waiver list")
        return found[0]

    def these(self, numbers: Sequence[int]) -> list[Waiver]:
        """Return the waivers with these ids, the newest first; ids that are not there are left out."""
        if not numbers:
            return []
        return fold(map(event_of, self._ask(self._these, {"ids": orjson.dumps(list(numbers)).decode()})))

    def of_subjects(self, subjects: Sequence[str]) -> list[Waiver]:
        """Return all waivers of these subjects, in whatever state, the newest first: one statement."""
        values = {"subjects": orjson.dumps(list(subjects)).decode()}
        return fold(map(event_of, self._ask(self._of_subjects, values)))

    def active(
        self, subjects: Sequence[str], testcases: Sequence[str] | None, seq: int, now: datetime
    ) -> list[Waiver]:
        """Return the waivers of these subjects that count after commit `seq` at `now`, the newest first.

        testcases  only of these; None = of all

        One statement, whatever is asked for; it reads nothing of other subjects.
        """
        values = {
            "subjects": orjson.dumps(list(subjects)).decode(), "every": testcases is None,
            "testcases": orjson.dumps(list(testcases or ())).decode(), "seq": seq, "now": to_us(now),
        }  # fmt: skip
        found = fold(map(event_of, self._ask(self._active, values)))
        return [waiver for waiver in found if standing(waiver, seq, now) is Standing.ACTIVE]

    def find(self, query: WaiverQuery) -> list[Waiver]:
        """Return what `query` asks, the newest first."""
        ids: list[int] = []
        for part in _parts(query):
            sql, values = found_sql(part)
            ids += [row[0] for row in self._ask(sql, values)]
        return self.these(list(dict.fromkeys(ids)))

    def count(self, query: WaiverQuery) -> int:
        """Count what `query` asks, without its limit. It has no more filters than one statement takes."""
        sql, values = count_sql(query)
        return int(self._ask(sql, values)[0][0])

    def pending(self, seq: int, now: datetime, limit: int) -> list[Waiver]:
        """Return requests that wait for approval, the newest first."""
        return self.find(WaiverQuery(stage=Stage.PENDING, seq=seq, now=to_us(now), limit=limit))

    def expiring(self, now: datetime, until: datetime, limit: int) -> list[Waiver]:
        """Return waivers that count and end after `now`, up to `until`, the next to end first."""
        return self._in_order(EXPIRING, {"now": to_us(now), "until": to_us(until), "limit": limit})

    def due(self, now: datetime, limit: int) -> list[Waiver]:
        """Return waivers that have expired by `now` and whose end is not announced, the oldest end first."""
        return self._in_order(DUE, {"now": to_us(now), "limit": limit})

    def _in_order(self, sql: str, values: Mapping[str, object]) -> list[Waiver]:
        ids = [row[0] for row in self._ask(sql, values)]
        found = {waiver.id: waiver for waiver in self.these(ids)}
        return [found[number] for number in ids]

    # -- the chain ---------------------------------------------------------------------------------

    def head(self) -> Head:
        """Return the end of the chain, as the store remembers it."""
        return Head(*self._ask(HEAD, {})[0])

    def events(self, after: int = 0) -> Iterator[WaiverEvent]:
        """Yield all events after number `after`, in order, a batch at a time."""
        sql = f"{EVENTS} where e.id > :after order by e.id limit :limit"
        while rows := self._ask(sql, {"after": after, "limit": BATCH}):
            yield from map(event_of, rows)
            after = rows[-1][0]

    def of_commit(self, seq: int) -> list[WaiverEvent]:
        """Return the events of one commit, in order: what its row in the outbox stands for."""
        return [
            event_of(row) for row in self._ask(f"{EVENTS} where e.seq = :seq order by e.id", {"seq": seq})
        ]

    def of_waiver(self, number: int) -> list[WaiverEvent]:
        """Return all events of one waiver, attempts that were refused among them."""
        sql = f"{EVENTS} where e.waiver = :waiver order by e.id"
        return [event_of(row) for row in self._ask(sql, {"waiver": number})]

    def silent(self) -> int:
        """Count the commits of waiver events in the outbox that have no event any more: cut off, if any."""
        sql = (
            "select count(*) from _outbox x where x.kind = :kind"
            " and not exists (select 1 from _waiver_event e where e.seq = x.seq)"
        )
        return int(self._ask(sql, {"kind": KIND})[0][0])


def _parts(query: WaiverQuery) -> Iterator[WaiverQuery]:
    """Cut a query with more filters than one statement takes; one that has a limit stays whole."""
    filters = [each for each in query.filters if each != WaiverFilter()]
    if len(filters) <= TOGETHER or query.limit is not None:
        yield query
        return
    for start in range(0, len(filters), TOGETHER):
        yield replace(query, filters=filters[start : start + TOGETHER])


def row_of(event: WaiverEvent) -> dict[str, object]:
    """Return the columns of an event."""
    act, terms = event.act, event.act.terms
    row: dict[str, object] = dict.fromkeys(_COLUMNS)
    row |= {
        "id": event.id, "seq": event.seq, "time": to_us(event.time), "waiver": act.waiver,
        "step": str(act.step), "turn": None if act.turn is None else str(act.turn), "refused": act.refused,
        "username": act.username, "proxied_by": act.proxied_by, "via": act.via, "comment": act.comment,
        "hash": event.hash,
    }  # fmt: skip
    if terms is not None:
        row |= {
            "subject_type": terms.subject_type, "subject": terms.subject, "testcase": terms.testcase,
            "product_version": terms.product_version, "scenario": terms.scenario, "arch": terms.arch,
            "purpose": None if terms.purpose is None else str(terms.purpose),
            "signatures": orjson.dumps(terms.signatures).decode() if terms.signatures else None,
            "lenient": int(terms.lenient), "waived": int(terms.waived),
            "expires_at": None if terms.expires_at is None else to_us(terms.expires_at),
        }  # fmt: skip
    return row


def event_of(row: Sequence[Any]) -> WaiverEvent:
    """Return one row of EVENTS as a value."""
    said = dict(zip(_COLUMNS, row, strict=True))
    terms = None
    if said["subject"] is not None:
        expires_at = said["expires_at"]
        terms = Terms(
            subject_type=said["subject_type"], subject=said["subject"], testcase=said["testcase"],
            product_version=said["product_version"], scenario=said["scenario"], arch=said["arch"],
            purpose=None if said["purpose"] is None else Purpose(*said["purpose"].split(":", 1)),
            signatures=tuple(orjson.loads(said["signatures"])) if said["signatures"] else (),
            lenient=bool(said["lenient"]), waived=bool(said["waived"]),
            expires_at=None if expires_at is None else from_us(expires_at),
        )  # fmt: skip
    act = Act(
        step=Step(said["step"]), username=said["username"], comment=said["comment"],
        proxied_by=said["proxied_by"], via=said["via"], waiver=said["waiver"],
        turn=None if said["turn"] is None else Turn(said["turn"]), refused=said["refused"], terms=terms,
    )  # fmt: skip
    return WaiverEvent(id=said["id"], seq=said["seq"], time=from_us(said["time"]), act=act, hash=said["hash"])


def _now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
