"""Recorded decisions in a store, and how far the follower is that records them; both stores share it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import orjson

from ..domain.delivery import Position
from ..domain.recorded import Behind, Followed, FollowerState, GatingPoint, News, PlanNews, RecordedDecision
from ..domain.subject import Subject
from ..errors import StaleError
from ..query.dialect import Dialect, low_high
from .identity import from_us, to_us
from .news import news_after
from .outgoing import Ask
from .waivers import COMMIT, PUBLISH

KIND = "decision"
"""Of its rows in the outbox, and the door of its commits."""

BEGIN = """
insert into _follower (one, turn, seq, result, digest) values (1, 0, :seq, :result, '') on conflict do nothing
"""
STANDS = "select turn, seq, result, digest from _follower"
END = "select seq, last_result from _commit order by seq desc limit 1"
MOVE = """
update _follower set turn = turn + 1, seq = :seq, result = :result, digest = :digest
where one = 1 and turn = :turn returning turn
"""

BEHIND = """
select count(*), min(c.received_at) from _outbox x join _commit c on c.seq = x.seq
where x.seq > :seq and x.kind in ('results', 'waiver', 'event', 'plan')
"""

COLUMNS = (
    "seq", "gate", "number", "subject_type", "subject", "product_version", "context", "verdict",
    "old_verdict", "satisfied", "summary", "at", "as_of", "cause", "digest", "answer", "proof",
)  # fmt: skip
RECORD = f"""
insert into _decision ({", ".join(COLUMNS)}) values ({", ".join(f":{name}" for name in COLUMNS)})
"""
DECISIONS = f"select d.id, {', '.join(f'd.{name}' for name in COLUMNS)} from _decision d"

BEFORE = f"{DECISIONS} where d.gate = :gate and d.number = :number"

POINTS = """
select d.id, d.subject_type, d.subject, d.product_version, d.context, d.at
from _decision d where d.id < :before order by d.id desc limit :limit
"""
LATELY = """
select n.verdict, count(*) from (select d.verdict from _decision d order by d.id desc limit :limit) n
group by n.verdict
"""
_LAST = 2**62
"""More than any id."""

FOLLOW = """
insert into _followed (gate, subject_type, subject, product_version, context, number, verdict, shape, digest,
    wake)
values (:gate, :subject_type, :subject, :product_version, :context, :number, :verdict, :shape, :digest,
    cast(:wake as bigint))
on conflict (gate) do update set number = excluded.number, verdict = excluded.verdict,
    shape = excluded.shape, digest = excluded.digest, wake = excluded.wake
"""
FOLLOWED = """
select f.subject_type, f.subject, f.product_version, f.context, f.number, f.verdict, f.shape, f.digest, f.wake
from _followed f
"""
WAKING = f"{FOLLOWED} where f.wake <= :now order by f.wake, f.gate limit :limit"
OUTDATED = f"{FOLLOWED} where f.verdict <> 'go' and f.digest <> :digest limit :limit"
NEXT_WAKE = "select min(wake) from _followed where wake is not null"
WAKE = """
update _followed set wake = :now
where subject_type = :item_type and verdict <> 'go' and subject >= :low and subject < :high
"""
"""A plan for many items is a reason to look again at those that are open, when their turn comes."""


class Decisions:
    """What a store keeps of decisions.

    ask     reads with one statement
    change  runs an operation in a transaction in which no other commit takes a seq
    lease   holds the right to follow, across processes

    Raises StoreError where the store cannot take or give data now.
    """

    def __init__(
        self,
        ask: Ask,
        change: Callable[[Callable[[Ask], Any]], Any],
        lease: Callable[[], AbstractContextManager[object]],
        dialect: Dialect,
    ) -> None:
        self._ask, self._change, self._lease = ask, change, lease
        self._of_subjects = (
            f"{FOLLOWED} join {dialect.texts('subjects')} s on f.subject = s.value"
            " order by f.product_version, f.context"
        )

    # -- following ---------------------------------------------------------------------------------

    def lease(self) -> AbstractContextManager[object]:
        """Hold the right to follow. Raises BusyError where another process has it."""
        return self._lease()

    def begin(self, *, at_end: bool = False) -> FollowerState:
        """Return how far the follower is; a new one begins at the start, or behind what is there now."""

        def enter(ask: Ask) -> FollowerState:
            end = ask(END, {}) if at_end else []
            seq, result = end[0] if end else (0, 0)
            ask(BEGIN, {"seq": seq, "result": result})
            return _state(ask(STANDS, {})[0])

        found = self._ask(STANDS, {})
        return _state(found[0]) if found else self._change(enter)

    def behind(self) -> Behind | None:
        """Return what the follower has not yet looked at, None where this store was never followed."""
        found = self._ask(STANDS, {})
        if not found:
            return None
        commits, oldest = self._ask(BEHIND, {"seq": _state(found[0]).position.seq})[0]
        return Behind(commits, None if oldest is None else from_us(oldest))

    def news(self, after: Position, limit: int) -> News:
        """Return what was stored after a position, about `limit` facts of a kind."""
        return news_after(self._ask, after, limit)

    def followed(self, subjects: Iterable[str]) -> list[Followed]:
        """Return the gating points of subjects with these identifiers."""
        names = orjson.dumps(sorted(set(subjects))).decode()
        return list(map(_followed, self._ask(self._of_subjects, {"subjects": names})))

    def waking(self, now: datetime, limit: int) -> list[Followed]:
        """Return gating points that are to be looked at again by now, the longest due first."""
        return list(map(_followed, self._ask(WAKING, {"now": to_us(now), "limit": limit})))

    def outdated(self, digest: str, limit: int) -> list[Followed]:
        """Return gating points that are not open and were judged by other policies than these."""
        return list(map(_followed, self._ask(OUTDATED, {"digest": digest, "limit": limit})))

    def next_wake(self) -> datetime | None:
        """Return when the next gating point is to be looked at again."""
        found = self._ask(NEXT_WAKE, {})[0][0]
        return None if found is None else from_us(found)

    def record(
        self,
        state: FollowerState,
        to: Position,
        digest: str,
        decisions: Sequence[RecordedDecision] = (),
        followed: Sequence[Followed] = (),
        plans: Sequence[PlanNews] = (),
    ) -> FollowerState:
        """Store decisions with their row in the outbox, and how far the follower is: one transaction.

        to, digest  as in FollowerState
        followed    how these gating points stand from now on
        plans       changed: open gating points of such items are looked at again soon

        Raises StaleError where another follower has moved on since `state`: then nothing is stored.
        """

        def enter(ask: Ask) -> FollowerState:
            where = {"seq": to.seq, "result": to.result, "digest": digest, "turn": state.turn}
            moved = ask(MOVE, where)
            if not moved:
                raise StaleError("another follower has moved on: this one begins anew")
            now = time.time_ns() // 1000
            if decisions:
                seq = ask(COMMIT, {"now": now, "door": KIND})[0][0]
                for each in decisions:
                    ask(RECORD, row_of(each, seq))
                ask(PUBLISH, {"seq": seq, "kind": KIND})
            for one in followed:
                ask(FOLLOW, followed_row(one))
            for plan in plans:
                low, high = low_high(plan.item)  # some more than it is for: they are looked at in vain
                ask(WAKE, {"now": now, "item_type": plan.item_type, "low": low, "high": high})
            return FollowerState(moved[0][0], to, digest)

        entered: FollowerState = self._change(enter)
        return entered

    # -- what was recorded -------------------------------------------------------------------------

    def of_commit(self, seq: int) -> list[RecordedDecision]:
        """Return the decisions of one commit, in order: what its row in the outbox stands for."""
        found = self._ask(f"{DECISIONS} where d.seq = :seq order by d.id", {"seq": seq})
        return list(map(recorded, found))

    def history(self, point: GatingPoint, *, limit: int = 100) -> list[RecordedDecision]:
        """Return what was decided at a gating point, the newest first."""
        sql = f"{DECISIONS} where d.gate = :gate order by d.number desc limit :limit"
        return list(map(recorded, self._ask(sql, {"gate": point.key, "limit": limit})))

    def points(
        self, before: int | None = None, *, limit: int = 1_000
    ) -> list[tuple[int, GatingPoint, datetime]]:
        """Return id, gating point and moment of decisions before id `before`, the newest first."""
        found = self._ask(POINTS, {"before": _LAST if before is None else before, "limit": limit})
        return [
            (row[0], GatingPoint(Subject(row[1], row[2]), row[3], row[4]), from_us(row[5])) for row in found
        ]

    def lately(self, limit: int = 1_000) -> dict[str, int]:
        """Return how often each verdict is among the newest decisions: {"go": 812, "wait": 188}."""
        return {str(verdict): int(count) for verdict, count in self._ask(LATELY, {"limit": limit})}

    def before(self, one: RecordedDecision) -> RecordedDecision | None:
        """Return the decision that this one changed, None for the first."""
        found = self._ask(BEFORE, {"gate": one.point.key, "number": one.number - 1})
        return recorded(found[0]) if found else None


def _state(row: Sequence[Any]) -> FollowerState:
    turn, seq, result, digest = row
    return FollowerState(turn, Position(seq, result), digest)


def _followed(row: Sequence[Any]) -> Followed:
    kind, subject, version, context, number, verdict, shape, digest, wake = row
    point = GatingPoint(Subject(kind, subject), version, context)
    return Followed(point, number, verdict, shape, digest, None if wake is None else from_us(wake))


def followed_row(one: Followed) -> dict[str, object]:
    """Return the parameters of FOLLOW."""
    subject, version, context = one.point
    return {
        "gate": one.point.key, "subject_type": subject.type, "subject": subject.identifier,
        "product_version": version, "context": context, "number": one.number, "verdict": one.verdict,
        "shape": one.shape, "digest": one.digest, "wake": None if one.wake is None else to_us(one.wake),
    }  # fmt: skip


def row_of(one: RecordedDecision, seq: int) -> dict[str, object]:
    """Return the columns of a decision but its id."""
    subject, version, context = one.point
    return {
        "seq": seq, "gate": one.point.key, "number": one.number, "subject_type": subject.type,
        "subject": subject.identifier, "product_version": version, "context": context,
        "verdict": one.verdict, "old_verdict": one.old_verdict, "satisfied": int(one.satisfied),
        "summary": one.summary, "at": to_us(one.at), "as_of": one.as_of, "digest": one.digest,
        "cause": orjson.dumps(one.cause).decode(), "answer": orjson.dumps(one.answer).decode(),
        "proof": orjson.dumps(one.proof).decode(),
    }  # fmt: skip


def recorded(row: Sequence[Any]) -> RecordedDecision:
    """Return one row of DECISIONS as a value."""
    said = dict(zip(("id", *COLUMNS), row, strict=True))
    subject = Subject(said["subject_type"], said["subject"])
    return RecordedDecision(
        point=GatingPoint(subject, said["product_version"], said["context"]), number=said["number"],
        verdict=said["verdict"], old_verdict=said["old_verdict"], satisfied=bool(said["satisfied"]),
        summary=said["summary"], at=from_us(said["at"]), as_of=said["as_of"],
        cause=orjson.loads(said["cause"]), digest=said["digest"], answer=orjson.loads(said["answer"]),
        proof=orjson.loads(said["proof"]), id=said["id"], seq=said["seq"],
    )  # fmt: skip
