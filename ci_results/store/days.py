"""Count the results of each day as they are stored, so that trends never read results."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat

from .bulk import insert_rows
from .fresh import Fresh

DAY_US = 86_400_000_000

DAILY = "insert into _daily (day, testcase, outcome, n, duration)"
ADD_UP = "on conflict do update set n = n + excluded.n, duration = duration + excluded.duration"
DAILY_SOURCE = "insert into _daily_source (day, source, outcome, n)"


def roll_up(connection: sqlite3.Connection, fresh: Fresh) -> None:
    """Add what is new to the figures of its days, and take out what no longer counts."""
    day_of = {rank: rank // DAY_US for rank in set(fresh.ranks)}
    days = [day_of[rank] for rank in fresh.ranks]
    sources = Counter(zip(days, fresh.outcomes, strict=True))
    sources.subtract((seen.rank // DAY_US, seen.outcome) for seen in fresh.dropped)
    insert_rows(connection, DAILY, _figures(fresh, days), ADD_UP)
    insert_rows(
        connection,
        DAILY_SOURCE,
        [(day, fresh.source, outcome, n) for (day, outcome), n in sources.items()],
        "on conflict do update set n = n + excluded.n",
    )


def _figures(fresh: Fresh, days: Sequence[int]) -> list[tuple[int, int, int, int, float]]:
    """Return what is added to _daily, in the order of its key: day, testcase, outcome, number, seconds."""
    durations = [result.duration_s or 0.0 for result in fresh.new.results]
    each = zip(days, fresh.testcases, fresh.outcomes, repeat(1, len(days)), durations, strict=True)
    if not fresh.dropped and len(set(fresh.testcases)) == len(days):
        return sorted(each)
    dropped = (
        (seen.rank // DAY_US, seen.testcase, seen.outcome, -1, -seen.duration) for seen in fresh.dropped
    )
    counts: dict[tuple[int, int, int], int] = {}
    seconds: dict[tuple[int, int, int], float] = {}
    for day, testcase, outcome, n, took in chain(each, dropped):
        name = day, testcase, outcome
        counts[name] = counts.get(name, 0) + n
        seconds[name] = seconds.get(name, 0.0) + took
    return [(*name, counts[name], seconds[name]) for name in sorted(counts)]
