"""Events in a store, with the results that they let expect; both stores share it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from ..domain.expectation import Awaited, Expected, StoredEvent
from ..domain.facts import Expectation
from ..domain.subject import Subject
from ..errors import ReusedKeyError
from ..query.dialect import Dialect
from .identity import from_us, to_us
from .outgoing import Ask
from .waivers import COMMIT, PUBLISH

KIND = "event"
"""Of its rows in the outbox, and the door of its commits."""

KNOWN = "select id, seq, digest from _event where source = :source and key = :key"

INSERT = """
insert into _event (seq, source, key, kind, time, received_at, subject_type, subject, product_versions, owner,
    actor, digest)
values (:seq, :source, :key, :kind, :time, :received_at, :subject_type, :subject, :product_versions, :owner,
    :actor, :digest)
returning id
"""

EXPECT = """
insert into _expectation (event, subject_type, subject, testcase, since, due, owner)
values (:event, :subject_type, :subject, :testcase, :since, cast(:due as bigint), :owner)
"""

OF_EVENT = "select testcase, since, due, owner from _expectation where event = :event order by id"


class Expectations:
    """What a store does about events.

    ask     reads with one statement
    change  runs an operation in a transaction in which no other commit takes a seq

    Raises StoreError where the store cannot take or give data now.
    """

    def __init__(self, ask: Ask, change: Callable[[Callable[[Ask], Any]], Any], dialect: Dialect) -> None:
        self._ask, self._change = ask, change
        self._of = (
            "select x.subject_type, x.subject, x.testcase, x.since, x.due, x.owner, e.kind, e.key"
            f" from {dialect.texts('subjects')} s join _expectation x on x.subject = s.value"
            " join _event e on e.id = x.event order by x.since, x.id"
        )

    def save(self, events: Sequence[Awaited]) -> list[StoredEvent]:
        """Store events; see Store.save_events."""

        def enter(ask: Ask) -> list[StoredEvent]:
            seq = 0
            stored = []
            for each in events:
                event = each.event
                known = ask(KNOWN, {"source": event.source, "key": event.key})
                if known:
                    number, its, digest = known[0]
                    if digest != event.digest:
                        raise ReusedKeyError(
                            f"event {event.key} of {event.source} is there already and says something else:"
                            " give a new event an id of its own"
                        )
                    expected = tuple(map(_expected, ask(OF_EVENT, {"event": number})))
                    stored.append(StoredEvent(id=number, seq=its, new=False, expected=expected))
                    continue
                if not seq:
                    seq = ask(COMMIT, {"now": time.time_ns() // 1000, "door": KIND})[0][0]
                    ask(PUBLISH, {"seq": seq, "kind": KIND})
                number = ask(INSERT, _row(each, seq))[0][0]
                for one in each.expected:
                    ask(EXPECT, _expected_row(each, number, one))
                stored.append(StoredEvent(id=number, seq=seq, new=True, expected=each.expected))
            return stored

        saved: list[StoredEvent] = self._change(enter)
        return saved

    def of(self, subjects: Iterable[Subject]) -> dict[tuple[Subject, str], Expectation]:
        """Return what is expected for subjects, by testcase; of several events what the newest says."""
        wanted = frozenset(subjects)
        if not wanted:
            return {}
        names = orjson.dumps(sorted({subject.identifier for subject in wanted})).decode()
        found = {}
        for kind, name, testcase, since, due, owner, what, key in self._ask(self._of, {"subjects": names}):
            subject = Subject(kind, name)
            if subject in wanted:
                late = None if due is None else from_us(due)
                found[subject, testcase] = Expectation(from_us(since), late, f"{what} {key}", owner)
        return found


def _row(each: Awaited, seq: int) -> dict[str, object]:
    event = each.event
    return {
        "seq": seq, "source": event.source, "key": event.key, "kind": event.kind,
        "time": to_us(event.time or each.received_at), "received_at": to_us(each.received_at),
        "subject_type": event.subject.type, "subject": event.subject.identifier,
        "product_versions": orjson.dumps(each.product_versions).decode(), "owner": event.owner,
        "actor": each.actor, "digest": event.digest,
    }  # fmt: skip


def _expected_row(each: Awaited, event: int, one: Expected) -> dict[str, object]:
    subject, due = each.event.subject, one.due
    return {
        "event": event, "subject_type": subject.type, "subject": subject.identifier,
        "testcase": one.testcase, "since": to_us(one.since), "due": None if due is None else to_us(due),
        "owner": one.owner,
    }  # fmt: skip


def _expected(row: Any) -> Expected:
    testcase, since, due, owner = row
    return Expected(testcase, from_us(since), None if due is None else from_us(due), owner)
