"""Follow: notice that decisions change, and record each change once; the follower is one at a time.

It reads committed pages in their order, judges what they concern by what the store holds then, and writes
decisions, their row in the outbox and its own position in one transaction. So it may be killed at any
moment: what was not written is looked at again. It also looks again where a waiver ends or a result is
late, and where policies changed. Whoever stores a fact judges nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Event as Signal

from ..domain.recorded import FollowerState, GatingPoint
from ..errors import BusyError, StaleError, StoreError, TooBroadError
from .concerning import Cause, Concerning
from .gate import Gate
from .recording import Judged, Recording
from .waive import Desk, announce_expired

log = logging.getLogger(__name__)

PAGE = 500
"""Facts that are looked at together."""

TOGETHER = 100
"""Decisions of one transaction, at most: others who store something wait no longer than that takes."""

LEASE_PAUSE_S = 5.0
"""Before a follower that waits asks again whether it is its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a follower did.

    facts      it looked at; judged: gating points that it judged
    recorded   decisions that differed from those before
    ended      waivers whose end it announced
    postponed  gating points that could not be judged now, and are looked at again
    """

    facts: int = 0
    judged: int = 0
    recorded: int = 0
    ended: int = 0
    postponed: int = 0

    def __add__(self, other: Followed) -> Followed:
        return Followed(
            facts=self.facts + other.facts,
            judged=self.judged + other.judged,
            recorded=self.recorded + other.recorded,
            ended=self.ended + other.ended,
            postponed=self.postponed + other.postponed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What a follower needs.

    gate     gives the store and the policies that are in force; asked between pages, so it may reload them
    at_end   a store that was never followed is followed from now on, not from its start
    page     facts between two commits
    stop     set = end after the page that is being looked at
    tell     gets what each page came to
    """

    gate: Callable[[], Gate]
    at_end: bool = False
    page: int = PAGE
    stop: Signal = field(default_factory=Signal)
    tell: Callable[[Followed], None] = lambda done: None


def follow_once(around: Following) -> Followed:
    """Record all that has changed by now.

    Raises BusyError where another follower is running, StoreError where the store cannot be used.
    """
    with around.gate().store.decisions.lease():
        total = Followed()
        for done in _Follower(around).steps():
            total += done
            if done == Followed():
                break
        return total


def follow(around: Following, every_s: float) -> Followed:
    """Record changes until `around.stop` is set, looking every so many seconds when nothing comes.

    Where another follower is running it waits for its turn; an outage of the store is waited for.
    """
    total = Followed()
    while not around.stop.is_set():
        try:
            with around.gate().store.decisions.lease():
                for done in _Follower(around).steps():
                    total += done
                    if done == Followed():
                        around.stop.wait(every_s)
        except BusyError:
            around.stop.wait(LEASE_PAUSE_S)
        except (StaleError, StoreError) as err:
            log.warning("following interrupted", extra={"reason": str(err)})
            around.stop.wait(LEASE_PAUSE_S)
    return total


class _Follower:
    """A follower that holds the lease."""

    def __init__(self, around: Following) -> None:
        self._around = around
        self._together = min(around.page, TOGETHER)
        self._gate = around.gate()
        self._concerning = Concerning(self._gate)
        self._state: FollowerState = self._gate.store.decisions.begin(at_end=around.at_end)

    def steps(self) -> Iterator[Followed]:
        """Take steps of some transactions each; an empty one means that nothing is to do now."""
        while not self._around.stop.is_set():
            self._reload()
            # Each in every step: news that never end must not keep what is due from its turn.
            done = self._expiries() + self._news() + self._due() + self._outdated()
            if done != Followed():
                log.info("followed", extra={"facts": done.facts, "recorded": done.recorded})
                self._around.tell(done)
            yield done

    def _reload(self) -> None:
        gate = self._around.gate()
        if gate is not self._gate:
            self._gate, self._concerning = gate, Concerning(gate)

    def _expiries(self) -> Followed:
        """Announce what ended by itself: nothing depends on it, so that no error of it stops us."""
        desk = Desk(store=self._gate.store, now=self._gate.now)
        with suppress(StaleError, TooBroadError):
            return Followed(ended=len(announce_expired(desk, self._around.page)))
        return Followed()

    def _news(self) -> Followed:
        """Look at a page of what was stored."""
        store = self._gate.store
        news = store.decisions.news(self._state.position, self._around.page)
        if not news.facts:
            # Not written down: who starts anew finds as little there, and an idle store stays as it is.
            self._state = self._state._replace(position=news.to)
            return Followed()
        concerned = self._concerning.news(news)
        done = Followed(facts=news.facts)
        for number, part in enumerate(_parts(concerned, self._together), start=1):
            judged = Recording(self._gate).judge(part)
            last = number * self._together >= len(concerned)
            to = news.to if last else self._state.position
            self._write(replace(judged, to=to, plans=news.plans if last else ()))
            done += _counted(judged)
        if not concerned:
            self._write(Judged(to=news.to, plans=news.plans))
        return done

    def _due(self) -> Followed:
        """Look again at what may have changed because time went by."""
        store, now = self._gate.store, self._gate.now()
        waking = store.decisions.waking(now, self._together)
        if not waking:
            return Followed()
        judged = Recording(self._gate).judge(self._concerning.again(waking, "time"))
        self._write(replace(judged, to=self._state.position))
        return _counted(judged)

    def _outdated(self) -> Followed:
        """Look again at gates that are not open, where policies have changed since they were judged."""
        store, digest = self._gate.store, self._gate.policies.digest
        if self._state.digest == digest:
            return Followed()
        outdated = store.decisions.outdated(digest, self._together)
        judged = Recording(self._gate).judge(self._concerning.again(outdated, "policies"))
        all_judged = not outdated
        self._write(replace(judged, to=self._state.position), digest if all_judged else None)
        return _counted(judged)

    def _write(self, judged: Judged, digest: str | None = None) -> None:
        self._state = self._gate.store.decisions.record(
            self._state,
            self._state.position if judged.to is None else judged.to,
            self._state.digest if digest is None else digest,
            judged.decisions,
            judged.followed,
            judged.plans,
        )


def _counted(judged: Judged) -> Followed:
    return Followed(judged=len(judged.followed), recorded=len(judged.decisions), postponed=judged.postponed)


def _parts(causes: Mapping[GatingPoint, Cause], size: int) -> Iterator[dict[GatingPoint, Cause]]:
    points = list(causes)
    for start in range(0, len(points), size):
        yield {point: causes[point] for point in points[start : start + size]}
