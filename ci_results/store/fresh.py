"""What a page brings, sorted out but not yet written: new results, who supersedes whom, the days' counts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass

from ..domain.result import Result
from ..domain.run import Run

DAY_US = 86_400_000_000

DAILY = """
insert into _daily (day, testcase, outcome, n, duration) values (?, ?, ?, ?, ?)
on conflict (day, testcase, outcome) do update set n = n + excluded.n, duration = duration + excluded.duration
"""

DAILY_SOURCE = """
insert into _daily_source (day, source, outcome, n) values (?, ?, ?, ?)
on conflict (day, source, outcome) do update set n = n + excluded.n
"""


@dataclass(slots=True)
class Seen:
    """A result that is stored, or about to be: what supersession and the roll-up need of it."""

    id: int
    digest: int
    event_time: int
    outcome: int
    testcase: int
    rank: int
    source: int
    duration: float
    superseded: bool


@dataclass(slots=True)
class Shared:
    """What the results of one run have in common while a page is written.

    base, content  where the numbers of identity and content of its results start from
    """

    run: Run | None
    base: int
    content: bytes


@dataclass(slots=True)
class New:
    """A result that the page brings; `submitted` is its claimed time in microseconds, if it claims one."""

    result: Result
    common: Shared
    identity: int
    seen: Seen
    submitted: int | None


class Fresh:
    """What a page brings: new results in order, who supersedes whom, and the days' counts."""

    def __init__(self, first_id: int) -> None:
        self.new: list[New] = []
        self.superseded: list[tuple[int, int]] = []
        self.last_id = first_id - 1
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
        days: dict[tuple[int, int, int], list[float]] = {}
        sources: dict[tuple[int, int, int], int] = defaultdict(int)
        for seen, n in self._counted:
            day = seen.rank // DAY_US
            sources[day, seen.source, seen.outcome] += n
            sums = days.setdefault((day, seen.testcase, seen.outcome), [0, 0.0])
            sums[0] += n
            sums[1] += n * seen.duration
        connection.executemany(DAILY, [(*name, *days[name]) for name in sorted(days) if days[name][0]])
        connection.executemany(DAILY_SOURCE, [(*name, n) for name, n in sources.items() if n])
