"""Count the results of each day as they are stored, so that trends never read results."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from .bulk import insert_across, insert_rows
from .fresh import Fresh

DAY_US = 86_400_000_000

DAILY = "insert into _daily (day, testcase, outcome, n, duration)"
ADD_UP = "on conflict do update set n = n + excluded.n, duration = duration + excluded.duration"
DAILY_SOURCE = "insert into _daily_source (day, source, outcome, n)"


def roll_up(connection: sqlite3.Connection, fresh: Fresh) -> None:
    """Add what is new to the figures of its days, and take out what no longer counts."""
    day_of = {rank: rank // DAY_US for rank in set(fresh.ranks)}
    if len(day_of) == 1:
        days = list(day_of.values()) * len(fresh.ranks)
        sources = Counter({(days[0], outcome): n for outcome, n in Counter(fresh.outcomes).items()})
    else:
        days = [day_of[rank] for rank in fresh.ranks]
        sources = Counter(zip(days, fresh.outcomes, strict=True))
    sources.subtract((seen.rank // DAY_US, seen.outcome) for seen in fresh.dropped)
    insert_across(connection, DAILY, _figures(fresh, days), ADD_UP)
    insert_rows(
        connection,
        DAILY_SOURCE,
        [(day, fresh.source, outcome, n) for (day, outcome), n in sources.items()],
        "on conflict do update set n = n + excluded.n",
    )


def _figures(fresh: Fresh, days: Sequence[int]) -> list[Sequence[float]]:
    """Return the columns of _daily (day, testcase, outcome, number, seconds), in the order of its key."""
    durations = [result.duration_s or 0.0 for result in fresh.new.results]
    testcases, outcomes = fresh.testcases, fresh.outcomes
    ones = [1] * len(days)
    if not fresh.dropped and len(set(testcases)) == len(days) == days.count(days[0]):
        order = sorted(range(len(days)), key=testcases.__getitem__)
        return [days, _at(order, testcases), _at(order, outcomes), ones, _at(order, durations)]
    each = zip(days, testcases, outcomes, ones, durations, strict=True)
    dropped = (
        (seen.rank // DAY_US, seen.testcase, seen.outcome, -1, -seen.duration) for seen in fresh.dropped
    )
    counts: dict[tuple[int, int, int], int] = {}
    seconds: dict[tuple[int, int, int], float] = {}
    for day, testcase, outcome, n, took in chain(each, dropped):
        name = day, testcase, outcome
        counts[name] = counts.get(name, 0) + n
        seconds[name] = seconds.get(name, 0.0) + took
    names = sorted(counts)
    return [*zip(*names, strict=True), [counts[name] for name in names], [seconds[name] for name in names]]


def _at(places: Sequence[int], column: Sequence[float]) -> list[float]:
    return [column[place] for place in places]
