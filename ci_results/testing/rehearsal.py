"""Rehearsal: one harvest of a collector against a recording, with everything that it said and asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..domain.checkpoint import Checkpoint
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..errors import CollectError
from ..plugin.contract import Collector
from ..plugin.http import SourceSession
from .exchange import Exchange
from .guard import closed_doors
from .replay import Alter, Replay

MOST_SEEN = 200_000
Key = tuple[str, str]


class EndlessHarvestError(AssertionError):
    """The collector goes on asking far beyond what the recording holds."""


@dataclass(slots=True)
class Told:
    """What one harvest said and asked.

    seen      what it yielded, in order
    requests  what it asked, in order; `answered` are the exchanges that it got
    at_first  how many requests it had asked when it first yielded anything; None = it never did
    before    how many it had asked before anybody took anything from it
    error     what it ended with, None = it came to its end
    unknown   requests that are not in the recording
    outside   attempts to reach a network past `http`
    """

    seen: list[object] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    answered: list[Exchange] = field(default_factory=list)
    at_first: int | None = None
    before: int = 0
    error: Exception | None = None
    unknown: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def observations(self) -> list[Observation]:
        """The observations among what was yielded."""
        return [each for each in self.seen if isinstance(each, Observation)]

    @property
    def garbled(self) -> list[Garbled]:
        """The garbled records among what was yielded."""
        return [each for each in self.seen if isinstance(each, Garbled)]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints among what was yielded."""
        return [each for each in self.seen if isinstance(each, Checkpoint)]

    @property
    def keys(self) -> list[Key]:
        """The identity of each observation, (run's key or "", key)."""
        return [key_of(each) for each in self.observations]

    @property
    def said_so(self) -> bool:
        """Whether it ended with a CollectError, as a harvest should that met one."""
        return isinstance(self.error, CollectError)


def key_of(seen: Observation) -> Key:
    """Return what identifies `seen` within its source."""
    return (seen.run.key if seen.run else "", seen.key)


def new_session(replay: Replay) -> SourceSession:
    """Return a session as collectors get it, that asks `replay`, tries once and never waits."""
    session = SourceSession(parallel=1, attempts=1, sleep=lambda seconds: None)
    replay.mount(session)
    return session


def rehearse(
    collector: Collector[Any],
    options: Any,
    exchanges: Sequence[Exchange],
    cursor: str | None = None,
    pages: int | None = None,
    alter: Alter | None = None,
) -> Told:
    """Harvest once from `cursor` and tell everything; raises nothing that the collector does.

    Ends after `pages` checkpoints where that is given, as the recording did.
    """
    told = Told()
    replay = Replay(exchanges, _bounded(len(exchanges), alter))
    session = new_session(replay)
    with closed_doors() as told.outside:
        try:
            _take(collector, options, cursor, session, replay, told, pages)
        except Exception as err:  # noqa: BLE001 a plugin call: whatever it raises is told
            told.error = err
        finally:
            session.close()
    told.requests, told.answered, told.unknown = replay.requests, replay.answered, replay.unknown
    return told


def resume_points(checkpoints: Sequence[Checkpoint]) -> list[int]:
    """Return the indices of the checkpoints to go on from: first, middle, last. Recordings hold these."""
    last = len(checkpoints) - 1
    return sorted({0, last // 2, last}) if checkpoints else []


def pages_after(index: int, pages: int | None) -> int | None:
    """Return how many pages a harvest from checkpoint `index` takes, of a recording of `pages` in all."""
    return None if pages is None else max(1, pages - index - 1)


def _take(
    collector: Collector[Any],
    options: Any,
    cursor: str | None,
    session: SourceSession,
    replay: Replay,
    told: Told,
    pages: int | None,
) -> None:
    things: Iterator[object] = iter(collector.harvest(options, cursor, session))
    told.before = len(replay.requests)
    taken = 0
    try:
        for thing in things:
            if told.at_first is None:
                told.at_first = len(replay.requests)
            told.seen.append(thing)
            taken += isinstance(thing, Checkpoint)
            if taken and taken == pages:
                return
            if len(told.seen) > MOST_SEEN:
                raise EndlessHarvestError(f"the harvest yielded more than {MOST_SEEN} things and did not end")
    finally:
        close = getattr(things, "close", None)
        if close is not None:
            close()


def _bounded(recorded: int, alter: Alter | None) -> Alter:
    most = 5 * recorded + 20

    def answer(number: int, exchange: Exchange) -> Exchange | Exception:
        if number > most:
            return EndlessHarvestError(
                f"the harvest asked {number} requests of a recording of {recorded} and did not end"
            )
        return exchange if alter is None else alter(number, exchange)

    return answer
