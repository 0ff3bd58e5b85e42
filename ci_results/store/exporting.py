"""Results by the month, for files that other engines read: SQL that both stores share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from ..query.dialect import Dialect
from ..query.moment import SEQ
from .copying import Reading, one
from .rows import attributes

MONTHS = "select distinct substr(r.time, 1, 7) from _result r order by 1"

MONTHS_SINCE = """
select distinct substr(r.time, 1, 7) from _result r where r.seq > {seq}
union select distinct substr(o.time, 1, 7)
from _result n join _superseded p on p.new = n.id join _result o on o.id = p.old where n.seq > {seq}
order by 1
"""
"""A month changes when something comes, and when something in it is superseded."""

ROWS = """
select {namespace}, r.id, r.seq, r.rank, coalesce(r.submit_time, r.rank), c.received_at, t.name, o.word,
    i.name, i.type, i.component, i.nvr, v.scenario, coalesce(nullif(v.arch, ''), i.arch, ''), r.duration,
    r.note, coalesce(r.ref_url, u.ref_url), s.name, u.key, r.key, u.data, r.data, p.new, g.signature
from _result r
left join _commit c on c.seq = r.seq
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
left join _signature g on g.result = r.id
where r.time >= '{begin}' and r.time < '{end}'
order by 1, r.time, r.id
"""


class Exported(NamedTuple):
    """One result; times are microseconds since 1970, `data` is JSON: {"arch": ["x86_64"]}."""

    namespace: str
    id: int
    seq: int
    time: int
    submit_time: int
    received_at: int
    testcase: str
    outcome: str
    item: str
    item_type: str
    component: str | None
    nvr: str | None
    scenario: str
    arch: str
    duration_s: float | None
    note: str | None
    ref_url: str | None
    source: str
    run: str | None
    key: str
    data: str
    superseded_by: int | None
    signature: str | None


def newest(reading: Reading) -> int:
    """Return the number of the last commit."""
    return int(one(reading.ask(SEQ)))


def months(reading: Reading, since: int) -> list[str]:
    """Return the months ("2026-03") in which something changed after the commit `since`; 0 = all."""
    return [row[0] for row in reading.ask(MONTHS_SINCE.format(seq=since) if since else MONTHS)]


def of_month(reading: Reading, month: str, dialect: Dialect) -> Iterator[Exported]:
    """Yield the results of a month, those of a namespace together, by time."""
    year, number = int(month[:4]), int(month[5:])
    end = f"{year:04}-{number + 1:02}"
    sql = ROWS.format(namespace=dialect.first_word("t.name"), begin=f"{year:04}-{number:02}", end=end)
    return map(_exported, reading.ask(sql))


def _exported(row: Iterable[Any]) -> Exported:
    *before, shared, own, new, signature = row
    data = orjson.dumps(attributes(shared, own)).decode() if shared else own or "{}"
    return Exported._make((*before, data, new, signature))
