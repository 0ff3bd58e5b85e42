"""Events: take what happened to subjects, and keep which results are expected since; judges nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..decide.expecting import named, versions_of
from ..decide.policy_set import PolicySet
from ..domain.expectation import Awaited, Event, EventRules, Expected, StoredEvent, unique
from ..errors import NotFoundError
from ..store.protocol import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDoor:
    """Where events come in: the store, the policies in force, what the configuration adds, the clock."""

    store: Store
    policies: PolicySet
    rules: EventRules = field(default_factory=EventRules)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an event.

    key, source  name it; subject_type, subject_identifier: what it is about
    seq          the commit that has it; new: False = it was there already
    expected     what is expected since then
    """

    key: str
    source: str
    subject_type: str
    subject_identifier: str
    seq: int
    new: bool
    expected: tuple[Expected, ...]


def take_events(door: EventDoor, events: Sequence[Event], actor: str) -> list[Taken]:
    """Store events and what they let expect, all or none; return what became of each.

    Raises ReusedKeyError where one says something else than that of the same id that is there already.
    """
    moment = door.now()
    stored = door.store.save_events([_awaited(door, event, actor, moment) for event in events])
    log.info("events stored", extra={"events": len(events), "new": sum(each.new for each in stored)})
    return [_taken(door, *pair) for pair in zip(events, stored, strict=True)]


def _awaited(door: EventDoor, event: Event, actor: str, moment: datetime) -> Awaited:
    whole = door.rules.applied(event, moment)
    testcases, plans = named(whole, door.policies)
    wanted = unique((*testcases, *_planned(door.store, plans)))
    since, due, owner = whole.time or moment, whole.due, whole.owner
    return Awaited(
        event=event,
        actor=actor,
        received_at=moment,
        product_versions=versions_of(event, door.policies),
        expected=tuple(Expected(testcase, since, due, owner) for testcase in wanted),
    )


def _planned(store: Store, plans: Sequence[str]) -> Iterator[str]:
    for name in plans:
        try:
            yield from store.plan(name).plan.testcases
        except NotFoundError:
            continue


def _taken(door: EventDoor, event: Event, stored: StoredEvent) -> Taken:
    subject = door.policies.subject_types.subject(*event.subject)
    return Taken(
        key=event.key,
        source=event.source,
        subject_type=subject.type,
        subject_identifier=subject.identifier,
        seq=stored.seq,
        new=stored.new,
        expected=stored.expected,
    )
