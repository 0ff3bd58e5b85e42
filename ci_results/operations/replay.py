"""Replay: make a store anew of feeds, each fact as it was; or merge what others' feeds say into a store.

A store that is empty, or was made of feeds alone, gets the very ids, seqs and times of the feed, so that
its canonical dump is that of the store which wrote it. It may be killed at any moment: the next replay
finds what is there, and goes on. A store that holds something else gets the results alone, by identity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby, zip_longest
from threading import Event

from ..domain.page import Page
from ..errors import ConflictError, InvalidError, shown
from ..store.protocol import Store
from ..store.restoring import Damaged, Fact
from ..wire.feed_reading import RESULT
from .feeds import Feed, FeedLine, read_feeds
from .replay_pages import Said, page_of, pages_of

BATCH = 2_000
"""Lines that are put back together."""

KEPT_BYTES = 64 * 1024
"""Of a damaged line, in the quarantine."""

KEPT_LINES = 1_000
"""Damaged lines that go to the quarantine; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaying:
    """How feeds are replayed.

    merge  take results by identity where the store holds something else, instead of raising
    stop   set = end after the lines in hand
    tell   gets how many bytes of the feeds are through, and how many there are (0 = unknown)
    """

    store: Store
    feeds: Sequence[Feed]
    merge: bool = False
    stop: Event = field(default_factory=Event)
    tell: Callable[[int, int], None] = lambda done, total: None


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What became of the lines of feeds, counted by kind.

    new       put back; same = there already; left_out = not for a store that holds something else
    damaged   could not be read: in the quarantine with their places; `first` is one of them
    whole     all lines were read: it was not stopped
    """

    new: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    first: str | None = None
    merged: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """Of a canonical dump: how many facts, and 32 hexadecimal digits that are the same for the same facts."""

    facts: int
    digest: str


def replay(around: Replaying) -> Replayed:
    """Put back what the feeds say, in the order of commits.

    Raises ConflictError for a store that holds something else and `merge` is not set, StoreError where the
    store cannot be used, or somebody else stores something meanwhile.
    """
    kept = around.store.restoring.begin()
    if not kept and not around.merge:
        raise ConflictError(
            "the store holds something else than what was replayed: replay into a new one"
            " (ci-results --store sqlite:NEW.db replay FEED), or take the results in with --merge"
        )
    return (_Back(around) if kept else _Merge(around)).run()


def digest_of(store: Store) -> Digest:
    """Return the digest of the canonical dump."""
    digest, facts = blake2b(digest_size=16), 0
    for facts, line in enumerate(store.dump(), start=1):  # noqa: B007 (the last number is the count)
        digest.update(f"{line}\n".encode())
    return Digest(facts, digest.hexdigest())


def difference(one: Store, other: Store) -> str | None:
    """Return the first fact in which two canonical dumps differ, None where they are equal."""
    for number, (line, its) in enumerate(zip_longest(one.dump(), other.dump()), start=1):
        if line != its:
            return f"fact {number}: {shown(line)} is {shown(its)} after the replay"
    return None


class _Replay:
    """A replay, with what it has counted so far."""

    def __init__(self, around: Replaying) -> None:
        self.around, self.store = around, around.store.restoring
        self.done = Replayed()
        self.bad: list[Damaged] = []

    def run(self) -> Replayed:
        total = sum(feed.size for feed in self.around.feeds)
        batch: list[FeedLine] = []
        for line in read_feeds(self.around.feeds, lambda done: self.around.tell(done, total)):
            if line.line is None:
                self.refuse(line, line.reason)
                continue
            if len(batch) >= BATCH:
                self.put(batch)
                batch = []
                if self.around.stop.is_set():
                    break
            batch.append(line)
        else:
            self.done.whole = True
        self.put(batch)
        self.store.finish()
        self.store.damaged(self.bad)
        self.around.tell(total, total)
        return self.done

    def refuse(self, line: FeedLine, reason: str) -> None:
        """Count a damaged line, and keep it for the quarantine."""
        self.done.damaged += 1
        self.done.first = self.done.first or f"{line.position}: {reason}"
        if len(self.bad) < KEPT_LINES:
            self.bad.append(Damaged(line.position, reason, line.raw[:KEPT_BYTES]))

    def put(self, lines: Sequence[FeedLine]) -> None:
        """Put lines back, in order."""
        raise NotImplementedError

    def results(self, page: Page, lines: Sequence[FeedLine]) -> None:
        """Store a page that these lines say; what the store refuses is found by halves."""
        try:
            committed = self.store.results(page)
        except InvalidError as err:
            if len(lines) == 1:
                self.refuse(lines[0], str(err))
                return
            for half in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):
                self.results(page_of(half, kept=page.noted is not None and page.noted.seq > 0), half)
        else:
            self.done.new[RESULT] += committed.stored
            self.done.same[RESULT] += committed.same


class _Back(_Replay):
    """Makes a store anew: all is put back as it was."""

    def put(self, lines: Sequence[FeedLine]) -> None:
        if not lines:
            return
        self.store.reserve(max(line.seq for line in lines))
        for is_result, part in groupby(lines, key=_is_result):
            if is_result:
                self._results(list(part))
            else:
                self._facts(list(part))

    def _results(self, lines: Sequence[FeedLine]) -> None:
        known = set(self.store.known([_said(line)["id"] for line in lines]))
        new = []
        for line in lines:
            number = _said(line)["id"]
            if number in known:
                self.done.same[RESULT] += 1
            else:
                known.add(number)
                new.append(line)
        for page in pages_of(new):
            self.results(page_of(page, kept=True), page)

    def _facts(self, lines: Sequence[FeedLine]) -> None:
        facts = [Fact(line.line.event, line.line.said, line.line.told) for line in lines if line.line]
        for line, answer in zip(lines, self.store.facts(facts), strict=True):
            if isinstance(answer, str):
                self.refuse(line, answer)
            else:
                (self.done.new if answer else self.done.same)[_event(line)] += 1


class _Merge(_Replay):
    """Takes results into a store that holds something else; waivers and decisions are of their own store."""

    def __init__(self, around: Replaying) -> None:
        super().__init__(around)
        self.done.merged = True

    def put(self, lines: Sequence[FeedLine]) -> None:
        for is_result, part in groupby(lines, key=_is_result):
            if not is_result:
                self.done.left_out.update(map(_event, part))
                continue
            for _source, its in groupby(part, key=lambda line: _said(line)["source"]):
                of_source = list(its)
                self.results(page_of(of_source, kept=False), of_source)


def _is_result(line: FeedLine) -> bool:
    return _event(line) == RESULT


def _event(line: FeedLine) -> str:
    return "" if line.line is None else line.line.event


def _said(line: FeedLine) -> Said:
    return {} if line.line is None else line.line.said
