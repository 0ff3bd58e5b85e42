"""The canonical dump: every fact as a line of JSON, the same for the same facts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import orjson

from .rows import attributes

DUMP = """
select r.seq, r.id, s.name, coalesce(u.key, ''), r.key, t.name, o.word, i.name, i.type, v.scenario, v.arch,
    coalesce(r.submit_time, r.rank), r.rank, c.received_at, r.duration, r.note, coalesce(r.ref_url, ''),
    coalesce(u.ref_url, ''), coalesce(r.data, '{}'), coalesce(u.data, '{}'), p.new
from _result r
left join _commit c on c.seq = r.seq
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _testcase t on t.id = r.testcase
left join _outcome o on o.id = r.outcome
left join _item i on i.id = r.item
left join _variant v on v.id = r.variant
left join _superseded p on p.old = r.id
"""

QUARANTINED = """
select q.seq, q.id, s.name, q.door, q.kind, q.key, q.position, q.reason, hex(q.raw), q.resolution
from _quarantine q left join _source s on s.id = q.source
"""

_ORDER = "order by r.seq, r.id"
_PORTABLE = "order by 3, 4, 5, 12, 7"


def dump(connection: sqlite3.Connection, portable: bool) -> Iterator[str]:
    """Yield results, then the quarantine. See Store.dump for what `portable` leaves out."""
    for row in connection.execute(DUMP + (_PORTABLE if portable else _ORDER)):
        seq, number, source, run, key, testcase, outcome, item, item_type, scenario, arch = row[:11]
        time, rank, received, duration, note, ref_url, run_url, own, shared, new = row[11:]
        fact = {
            "fact": "result", "source": source, "run": run, "key": key, "testcase": testcase,
            "outcome": outcome, "item": item, "type": item_type, "scenario": scenario, "arch": arch,
            "submit_time": None if time == received else time, "duration": duration, "note": note,
            "ref_url": ref_url, "run_url": run_url, "data": attributes(shared, own),
            "current": new is None,
        }  # fmt: skip
        if not portable:
            fact |= {"seq": seq, "id": number, "rank": rank, "received_at": received, "superseded_by": new}
        yield _line(fact)
    for row in connection.execute(
        QUARANTINED + ("order by 3, 5, 6, 9" if portable else "order by q.seq, q.id")
    ):
        names = ("seq", "id", "source", "door", "kind", "key", "position", "reason", "raw", "resolution")
        fact = {"fact": "quarantine", **dict(zip(names, row, strict=True))}
        if portable:
            del fact["seq"], fact["id"]
        yield _line(fact)


def _line(fact: dict[str, object]) -> str:
    return orjson.dumps(fact, option=orjson.OPT_SORT_KEYS).decode()
