"""What a page brings, sorted out but not yet written: new results, who supersedes whom, the days' counts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from ..domain.result import Result
from ..domain.run import Run
from .bulk import insert_rows

DAY_US = 86_400_000_000

DAILY = "insert into _daily (day, testcase, outcome, n, duration)"
ADD_UP = "on conflict do update set n = n + excluded.n, duration = duration + excluded.duration"
DAILY_SOURCE = "insert into _daily_source (day, source, outcome, n)"


class Seen:
    """A result that is stored, or one that the page brings: what supersession and the roll-up need of it.

    event_time  when its run ended, in microseconds, as claimed; rank  what "latest" goes by
    """

    __slots__ = ("digest", "duration", "event_time", "id", "outcome", "rank", "superseded", "testcase")

    def __init__(
        self,
        number: int,
        digest: int,
        event_time: int,
        rank: int,
        outcome: int,
        testcase: int,
        duration: float,
    ) -> None:
        self.id = number
        self.digest = digest
        self.event_time = event_time
        self.rank = rank
        self.outcome = outcome
        self.testcase = testcase
        self.duration = duration
        self.superseded = False


class Shared:
    """What the results of one run have in common while a page is written.

    base     upper half of their identities; None: no run, so each has a base of its own
    content  what their digests begin with
    known    their keys, and all results that have been seen of each
    """

    __slots__ = ("base", "content", "known", "run")

    def __init__(self, run: Run | None, base: int | None, content: bytes) -> None:
        self.run = run
        self.base = base
        self.content = content
        self.known: dict[str, list[Seen]] = {}


New = tuple[Result, Shared, int, Seen, int | None]
"""A result that the page brings, what it shares, its identity, and its claimed time if it claims one."""


class Fresh:
    """What a page brings: new results in order, who supersedes whom, and the days' counts."""

    def __init__(self, first_id: int, source: int) -> None:
        self.new: list[New] = []
        self.superseded: list[tuple[int, int]] = []
        self.last_id = first_id - 1
        self._source = source
        self._counted: list[tuple[Seen, int]] = []

    def next_id(self) -> int:
        """Give the next id."""
        self.last_id += 1
        return self.last_id

    def count(self, seen: Seen, n: int) -> None:
        """Enter `seen` into the roll-up (1), or take it out again (-1)."""
        self._counted.append((seen, n))

    def roll_up(self, connection: sqlite3.Connection) -> None:
        """Add what was counted to the days' figures."""
        counts: dict[tuple[int, int, int], int] = {}
        seconds: dict[tuple[int, int, int], float] = {}
        sources: dict[tuple[int, int, int], int] = defaultdict(int)
        for seen, n in self._counted:
            day = seen.rank // DAY_US
            name = (day, seen.testcase, seen.outcome)
            if name in counts:
                counts[name] += n
                seconds[name] += n * seen.duration
            else:
                counts[name] = n
                seconds[name] = n * seen.duration
            sources[day, self._source, seen.outcome] += n
        insert_rows(
            connection, DAILY, [(*name, counts[name], seconds[name]) for name in sorted(counts)], ADD_UP
        )
        insert_rows(
            connection,
            DAILY_SOURCE,
            [(*name, n) for name, n in sources.items()],
            "on conflict do update set n = n + excluded.n",
        )
