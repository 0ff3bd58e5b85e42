"""Events that let expect results: a build is done, so these testcases will report on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple

from ..errors import InvalidError, shown
from .subject import Subject
from .testcase import check_testcase

MAX_NAME = 255
MAX_LINE = 1_024
MAX_TESTCASES = 1_000
MAX_HOURS = 24 * 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a subject, told once.

    source, key      who tells it, and its id there: together they name it ("koji", "build-2519")
    kind             what happened: "build.complete"
    subject          whom results are expected for
    time             when it happened, aware; None = when we heard of it
    product_version  "fedora-40"; None = what the subject or `build_target` tells
    build_target     of Koji, to tell the product version by: "f40-candidate"
    owner            who answers for it: who built it, say
    testcases        expected ones; () = all that policies name for the subject
    due              when they are late; None = as configured
    """

    source: str
    key: str
    kind: str
    subject: Subject
    time: datetime | None = None
    product_version: str | None = None
    build_target: str | None = None
    owner: str | None = None
    testcases: tuple[str, ...] = ()
    due: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("source", "key", "kind"):
            _check_line(getattr(self, name), name, MAX_NAME)
        _check_line(self.subject.type, "subject_type", MAX_NAME)
        _check_line(self.subject.identifier, "subject_identifier", MAX_LINE)
        for name in ("product_version", "build_target", "owner"):
            if getattr(self, name) is not None:
                _check_line(getattr(self, name), name, MAX_NAME)
        for name in ("time", "due"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise InvalidError(f"{name} of an event has no zone: {shown(moment)}; end it with Z")
        if self.time is not None and self.due is not None and self.due < self.time:
            raise InvalidError(f"due lies before time: {shown(self.due)}; leave it out, or name a later one")
        if len(self.testcases) > MAX_TESTCASES:
            raise InvalidError(f"an event names at most {MAX_TESTCASES} testcases, not {len(self.testcases)}")
        for testcase in self.testcases:
            check_testcase(testcase)

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says: an event that comes again says the same."""
        said = [
            self.source, self.key, self.kind, *self.subject, _text(self.time), self.product_version,
            self.build_target, self.owner, list(self.testcases), _text(self.due),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """What the configuration adds to events whose kind matches a glob, where they do not say it themselves.

    testcases    to expect, instead of those that policies name; owner: who answers for them
    due_after_h  when a result is late; 0 = never, None = as for all events
    """

    kind: str
    testcases: tuple[str, ...] = ()
    owner: str | None = None
    due_after_h: float | None = None

    def __post_init__(self) -> None:
        for testcase in self.testcases:
            check_testcase(testcase)
        if self.due_after_h is not None and not 0 <= self.due_after_h <= MAX_HOURS:
            raise InvalidError(f"due_after_h must be 0 to {MAX_HOURS}, got {self.due_after_h}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """Table `events` of the configuration: `rules` are tried in order, and the first that matches holds."""

    due_after_h: float = 24.0
    rules: tuple[EventRule, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.due_after_h <= MAX_HOURS:
            raise InvalidError(f"due_after_h must be 0 to {MAX_HOURS}, got {self.due_after_h}")

    def applied(self, event: Event, received_at: datetime) -> Event:
        """Return the event with its time, and what the configuration adds to it.

        >>> from .subject import Subject
        >>> noon = datetime.fromisoformat("2026-03-01T12:00:00Z")
        >>> rules = EventRules(rules=(EventRule(kind="compose.*", owner="releng"),))
        >>> made = Event(source="pungi", key="1", kind="compose.done", subject=Subject("compose", "F-44"))
        >>> rules.applied(made, noon).owner, str(rules.applied(made, noon).due)
        ('releng', '2026-03-02 12:00:00+00:00')
        """
        rule = next((rule for rule in self.rules if fnmatchcase(event.kind, rule.kind)), _NO_RULE)
        hours = self.due_after_h if rule.due_after_h is None else rule.due_after_h
        since = event.time or received_at
        due = event.due
        if due is None and hours:
            due = since + timedelta(hours=hours)
        elif due is not None and due < since:
            due = since
        return replace(
            event,
            time=since,
            testcases=event.testcases or rule.testcases,
            owner=event.owner or rule.owner,
            due=due,
        )


_NO_RULE = EventRule(kind="*")


class Expected(NamedTuple):
    """That a testcase will report: since when that is known, when it is late (None: never), who answers."""

    testcase: str
    since: datetime
    due: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """An event with what it lets expect, as it is stored.

    product_versions  those of the subject; () = not known, then those that policies name
    actor             who sent it: "jdoe", "anonymous"
    """

    event: Event
    actor: str
    received_at: datetime
    product_versions: tuple[str, ...] = ()
    expected: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """What became of an event.

    id   its number in the store; seq: the commit that has it
    new  False: it was there already
    """

    id: int
    seq: int
    new: bool
    expected: tuple[Expected, ...]


def unique(testcases: Sequence[str]) -> tuple[str, ...]:
    """Return them in order, each once."""
    return tuple(dict.fromkeys(testcases))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _check_line(text: str, name: str, most: int) -> None:
    if not text.strip():
        raise InvalidError(f"an event needs {name}; it is empty")
    if len(text) > most:
        raise InvalidError(f"{name} of an event is longer than {most} characters: {shown(text[:80])}")
    if not text.isprintable():
        raise InvalidError(f"{name} of an event holds unprintable characters: {shown(text)}")
