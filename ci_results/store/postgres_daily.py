"""The daily roll-ups on PostgreSQL: a follower adds them up after the commits, never within one.

It goes by ids, which are given in the order of seq: all results up to the id in _meta are counted.
A pair of _superseded was written by the commit of the younger of the two, so it counts with that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from ..errors import CiResultsError
from .days import DAY_US
from .postgres_connections import Connection, lock_key
from .postgres_statistics import keep_statistics

log = logging.getLogger(__name__)

STEP = 100_000
"""Ids that one transaction counts, at most."""

PAUSE_S = 1.0
"""How long the follower lets commits gather."""

_SPAN = """
select d.low, least(d.low + %s, coalesce((select max(last_result) from _commit), 0))
from (select coalesce((select value::bigint from _meta where key = 'daily_until'), 0) as low) d
"""

_COUNT = f"""
with counted as materialized (
    select r.rank / {DAY_US} as day, r.testcase, r.outcome, r.source, 1 as n,
        coalesce(r.duration, 0) as duration
    from _result r where r.id > %(low)s and r.id <= %(high)s
    union all
    select r.rank / {DAY_US}, r.testcase, r.outcome, r.source, -1, -coalesce(r.duration, 0)
    from _superseded p join _result r on r.id = p.old
    where (p.old > %(low)s and p.old <= %(high)s or p.new > %(low)s and p.new <= %(high)s)
      and greatest(p.old, p.new) <= %(high)s
), by_testcase as (
    insert into _daily as d (day, testcase, outcome, n, duration)
    select day, testcase, outcome, sum(n), sum(duration) from counted group by 1, 2, 3
    on conflict (day, testcase, outcome) do update
    set n = d.n + excluded.n, duration = d.duration + excluded.duration
), by_source as (
    insert into _daily_source as d (day, source, outcome, n)
    select day, source, outcome, sum(n) from counted group by 1, 2, 3
    on conflict (day, source, outcome) do update set n = d.n + excluded.n
)
insert into _meta (key, value) values ('daily_until', %(high)s::bigint::text)
on conflict (key) do update set value = excluded.value
"""  # noqa: S608 (a number of ours)


def count_days(connection: Connection, schema: str, *, wait: bool) -> bool:
    """Bring the roll-ups up to the newest commit; say whether they are.

    Where somebody else is at it: wait for it, or leave it to them.
    """
    ask = "select pg_advisory_xact_lock(%s) is null" if wait else "select pg_try_advisory_xact_lock(%s)"
    while True:
        with connection.transaction():
            (ours,) = connection.execute(ask, (lock_key(schema, "daily"),)).fetchone() or (False,)
            if not (ours or wait):
                return False
            low, high = connection.execute(_SPAN, (STEP,)).fetchone() or (0, 0)
            if high == low:
                return True
            connection.execute(_COUNT.encode(), {"low": low, "high": high})


class Follower:
    """Counts after commits, on a thread of its own that starts with the first one.

    writing  gives a connection in autocommit
    """

    def __init__(self, writing: Callable[[], AbstractContextManager[Connection]], schema: str) -> None:
        self._writing = writing
        self._schema = schema
        self._due = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def committed(self) -> None:
        """Say that there is something to count."""
        self._due.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="ci-results-daily", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Count what is left and end."""
        self._end.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._due.wait():
            self._due.clear()  # first, or a close() that comes now would be forgotten
            last = self._end.wait(PAUSE_S)
            try:
                with self._writing() as connection:
                    count_days(connection, self._schema, wait=False)
                    keep_statistics(connection, self._schema)
            except CiResultsError:  # counted later: by the next commit, by anybody, or by a check
                log.warning("daily roll-up waits", exc_info=True)
            if last:
                return
