"""What a page brings, sorted out but not yet written: new results, who supersedes whom, the days' counts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass

from ..domain.result import Result
from ..domain.run import Run

DAY_US = 86_400_000_000

DAILY = """
insert into _daily (testcase, day, outcome, n, duration) values (?, ?, ?, ?, ?)
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
        self._counts: dict[tuple[int, int, int], int] = defaultdict(int)
        self._seconds: dict[tuple[int, int, int], float] = defaultdict(float)
        self._sources: dict[tuple[int, int, int], int] = defaultdict(int)

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def count(self, seen: Seen, n: int) -> None:
        day = seen.rank // DAY_US
        name = (seen.testcase, day, seen.outcome)
        self._counts[name] += n
        self._seconds[name] += n * seen.duration
        self._sources[day, seen.source, seen.outcome] += n

    def roll_up(self, connection: sqlite3.Connection) -> None:
        connection.executemany(
            DAILY, [(*name, n, self._seconds[name]) for name, n in sorted(self._counts.items(), key=_by_day) if n]
        )
        connection.executemany(DAILY_SOURCE, [(*name, n) for name, n in self._sources.items() if n])


def _by_day(count: tuple[tuple[int, int, int], int]) -> tuple[int, int, int]:
    (testcase, day, outcome), _ = count
    return day, testcase, outcome
