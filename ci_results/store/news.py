"""What was stored after a position, as far as it says which decisions it may change; both stores share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ..domain.delivery import Position
from ..domain.recorded import EventNews, News, PlanNews, ResultNews, WaiverNews
from ..domain.subject import Subject
from .outgoing import Ask
from .rows import attributes

END = "select seq, last_result from _commit order by seq desc limit 1"
LAST_OF = "select last_result from _commit where seq = :seq"

RESULTS = """
select r.seq, r.id, t.name, i.type, i.name, u.data, r.data
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _run u on u.id = r.run
where r.seq >= :seq and (r.seq, r.id) > (:seq, :result) and r.seq <= :end
order by r.seq, r.id limit :limit
"""

WAIVERS = """
select e.seq, w.subject_type, w.subject, w.testcase, w.product_version
from _waiver_event e join _waiver_event w on w.id = e.waiver
where e.seq > :after and e.seq <= :end and e.refused is null
order by e.seq, e.id limit :limit
"""

EVENTS = """
select e.seq, e.subject_type, e.subject, e.product_versions from _event e
where e.seq > :after and e.seq <= :end order by e.seq, e.id limit :limit
"""

PLANS = """
select p.seq, p.item_type, p.item from _plan p
where p.seq > :after and p.seq <= :end order by p.seq, p.id limit :limit
"""

_WHOLE = 1_000_000
"""Facts of one commit that are no results: it is read whole, and no door lets in as many."""


def news_after(ask: Ask, after: Position, limit: int) -> News:
    """Return what was stored after `after`: at most `limit` results, and of other facts whole commits.

    Commits with results have nothing else, and the other way round.
    """
    end = ask(END, {})
    if not end or (end[0][0] <= after.seq and end[0][1] <= after.result):
        return News(to=after)
    to = Position(*end[0])
    read = _Reading(ask, after, limit)
    rows = read.results(to)
    if len(rows) == limit:
        to = Position(rows[-1][0], rows[-1][1])
    found = {}
    for name, sql in (("waivers", WAIVERS), ("events", EVENTS), ("plans", PLANS)):
        found[name], until = read.commits(sql, to.seq)
        if until < to.seq:
            to = Position(until, ask(LAST_OF, {"seq": until})[0][0])
    return News(
        to=to,
        results=[_result(row) for row in rows if (row[0], row[1]) <= to],
        waivers=[
            WaiverNews(Subject(row[1], row[2]), row[3], row[4])
            for row in found["waivers"]
            if row[0] <= to.seq
        ],
        events=[
            EventNews(Subject(row[1], row[2]), tuple(orjson.loads(row[3])))
            for row in found["events"]
            if row[0] <= to.seq
        ],
        plans=[PlanNews(row[1], row[2]) for row in found["plans"] if row[0] <= to.seq],
    )


class _Reading:
    def __init__(self, ask: Ask, after: Position, limit: int) -> None:
        self._ask, self._after, self._limit = ask, after, limit

    def results(self, to: Position) -> list[Any]:
        values = {"seq": self._after.seq, "result": self._after.result, "end": to.seq, "limit": self._limit}
        return self._ask(RESULTS, values)

    def commits(self, sql: str, end: int) -> tuple[Sequence[Any], int]:
        """Return about `limit` rows of whole commits up to `end`, and the commit up to which they are all."""
        values = {"after": self._after.seq, "end": end, "limit": self._limit + 1}
        rows = self._ask(sql, values)
        if len(rows) <= self._limit:
            return rows, end
        last = rows[-1][0]
        if rows[0][0] < last:
            return [row for row in rows if row[0] < last], last - 1
        return self._ask(sql, {**values, "end": last, "limit": _WHOLE}), last


def _result(row: Sequence[Any]) -> ResultNews:
    _seq, _id, testcase, item_type, item, shared, own = row
    return ResultNews(testcase, item_type, item, attributes(shared, own))
