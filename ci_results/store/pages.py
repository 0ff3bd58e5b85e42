"""Write one page inside a transaction: intern, tell new from same, insert, roll up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..domain.outcome import UNFINISHED
from ..domain.page import Committed, Page
from ..query.dialect import SQLITE
from .bulk import insert_columns, insert_rows
from .bus_log import brings_new, enter_messages, known_messages, only_new
from .changes import enter_changes, other_reasons
from .columns import NO_VARIANT, item_rows, result_columns, signature_rows, variants_of
from .days import roll_up
from .fresh import Fresh, stored_ids
from .groups import describe, enter_groups, members
from .identity import to_us
from .interning import Names
from .restored import AGAIN
from .runrows import RunRows
from .sidenotes import Bad, bad_records, job_rows
from .sorting import Commons, as_noted, check_once, check_standing, numbered, put_in_place, sort_out
from .unguarded import unguarded

KNOWN = """
select r.key, coalesce(u.key, ''), r.digest, r.id, coalesce(r.submit_time, r.rank), r.rank, r.outcome,
    r.testcase, coalesce(r.duration, 0), p.new, null
from json_each(?1) j
cross join _result r on r.identity = j.value
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
where r.source = ?2
union all
select null, null, g.digest, g.result, g.identity, null, null, null, null, null, g.key
from json_each(?1) j
cross join _pruned g on g.identity = j.value
where g.source = ?2
"""
"""The identities in their order, each once: the index is then read from its beginning to its end."""

RESULT = "insert or fail into _result"
"""Fail, not abort: see the triggers in schema.sql; whoever calls undoes the transaction or savepoint."""

SIGNATURE = "insert into _signature (result, signature)"

COMMIT = """
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
values (?, ?, ?, ?, ?, ?, ?)
"""

OUTBOX = "insert into _outbox (seq, kind) values (?, ?)"

QUARANTINE = """
insert into _quarantine (seq, source, door, received_at, kind, key, position, reason, raw, told, digest)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (source, digest) do update set seen = _quarantine.seen + 1, reason = excluded.reason
"""

JOB = """
insert into _job (source, name, state, last_build, last_report) values (?, ?, ?, ?, ?)
on conflict (source, name) do update set state = excluded.state,
    last_build = nullif(max(coalesce(last_build, 0), coalesce(excluded.last_build, 0)), 0),
    last_report = nullif(max(coalesce(last_report, 0), coalesce(excluded.last_report, 0)), 0)
"""


class PageWriter:
    """Writes pages through one connection. Not thread-safe: the writer thread owns it."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        outcomes = names.outcomes.ids(connection, sorted(UNFINISHED))
        self._unfinished = frozenset(outcomes.values())

    def write(self, page: Page, now: int, *, preview: bool = False) -> Committed:
        """Write `page` as of `now` (microseconds) inside the open transaction.

        Raises StaleError or BusyError before anything is written.
        """
        noted = page.noted
        if noted is not None and noted.received_at is not None:
            now = to_us(noted.received_at)
        source = self._names.sources.ids(self._connection, [page.source])[page.source]
        whole, known = page, {}
        if page.messages:
            known = known_messages(self._ask, SQLITE, source, [each.key for each in page.messages])
            page = only_new(page, known)
        if not preview:
            self._check_standing(page, source)
        fresh, same, superseding = self._sort_out(page, source, now)
        check_once(page, fresh)
        bad = bad_records(page)
        quarantined = len(bad) - self._known_bad(bad, source)
        if preview:
            return Committed(
                stored=len(fresh), same=same, superseding=superseding, quarantined=quarantined,
                ids=stored_ids(fresh) if page.tell_ids else (),
            )  # fmt: skip
        seq = 0
        reasons = other_reasons(self._ask, SQLITE, source, bad)
        if len(fresh) or page.quarantine or brings_new(page, known):
            seq = self._commit_row(page, source, now, fresh, quarantined)
            self._insert(fresh, seq)
            if bad:
                self._connection.execute(OUTBOX, (seq, "quarantine"))
            self._connection.executemany(
                QUARANTINE, [(seq, source, page.door, now, *record) for record in bad]
            )
        if whole.messages:
            if seq and page.messages:
                self._connection.execute(OUTBOX, (seq, "message"))
            enter_messages(
                self._ask, self._many, whole.messages, page, known,
                source=source, seq=seq, now=now, results=fresh.told,
            )  # fmt: skip
        self._move_on(page, source)
        said = reasons | describe(self._connection, self._names, page)
        enter_changes(self._ask, self._many, SQLITE, said, now=now, door=page.door)
        return Committed(
            seq=seq, stored=len(fresh), same=same, superseding=superseding,
            quarantined=quarantined, ids=tuple(fresh.told) if page.tell_ids else (),
        )  # fmt: skip

    def _ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _many(self, sql: str, values: Sequence[Mapping[str, object]]) -> None:
        self._connection.executemany(sql, values)

    def _check_standing(self, page: Page, source: int) -> None:
        if page.lease is None and page.cursor is None:
            return
        cursor, lease = self._connection.execute(
            "select cursor, lease from _source where id = ?", (source,)
        ).fetchone()
        check_standing(page, cursor, lease)

    def _sort_out(self, page: Page, source: int, now: int) -> tuple[Fresh, int, int]:
        """Tell new results from repeats, and say which of two of one identity is current."""
        noted, results = page.noted, page.results
        placed = noted is not None and noted.seq > 0
        fresh = Fresh(noted.first_id if noted is not None and placed else self._next_result(), source)
        fresh.replaced = page.replaces
        if noted is not None:
            fresh.signatures = noted.signatures
        if not results:
            return fresh, 0, 0
        connection, names = self._connection, self._names
        testcases = names.testcases.ids(connection, [result.testcase for result in results])
        outcomes = names.outcomes.ids(connection, {result.outcome for result in results})
        commons = Commons()
        found = as_noted(numbered(results, commons), page)
        self._recall(found.identities, source, commons)
        names_of = testcases, outcomes, self._unfinished
        if noted is not None and placed:
            same, superseding = put_in_place(found, fresh, noted, *names_of)
        else:
            same, superseding = sort_out(found, fresh, now, *names_of)
        return fresh, same, superseding

    def _recall(self, identities: Sequence[int], source: int, commons: Commons) -> None:
        """Enter what the store has of these identities."""
        asked = orjson.dumps(sorted(set(identities))).decode()
        commons.recall(self._connection.execute(KNOWN, (asked, source)))

    def _next_result(self) -> int:
        last = self._connection.execute(
            "select last_result from _commit order by seq desc limit 1"
        ).fetchone()
        return (last[0] if last else 0) + 1

    def _commit_row(self, page: Page, source: int, now: int, fresh: Fresh, quarantined: int) -> int:
        connection = self._connection
        placed = page.noted is not None and page.noted.seq > 0
        if page.noted is not None and placed:
            seq = page.noted.seq
        else:
            seq = (connection.execute("select max(seq) from _commit").fetchone()[0] or 0) + 1
        connection.execute(
            COMMIT + (AGAIN if placed else ""),
            (seq, now, source, page.door, fresh.last_id, len(fresh), quarantined),
        )
        if len(fresh):
            connection.execute(OUTBOX + (" on conflict do nothing" if placed else ""), (seq, "results"))
        return int(seq)

    def _insert(self, fresh: Fresh, seq: int) -> None:
        connection, names = self._connection, self._names
        if not len(fresh):
            return
        items = names.items.rows(connection, item_rows(fresh.kinds))
        variants = {NO_VARIANT: 0, **names.variants.ids(connection, variants_of(fresh.kinds) - {NO_VARIANT})}
        places = RunRows(connection, names, seq).place(fresh)
        columns = result_columns(fresh, places, items, variants, seq)
        with unguarded(connection, len(fresh)):
            insert_columns(connection, RESULT, columns)
        insert_rows(connection, SIGNATURE, signature_rows(fresh))
        enter_groups(connection, names, members(fresh))
        if fresh.superseded:
            connection.executemany("insert into _superseded (old, new) values (?, ?)", fresh.superseded)
        roll_up(connection, fresh)

    def _known_bad(self, bad: Sequence[Bad], source: int) -> int:
        if not bad:
            return 0
        digests = {record[-1] for record in bad}
        known = self._connection.execute(
            "select count(*) from _quarantine where source = ?"
            " and digest in (select value from json_each(?))",
            (source, json.dumps(sorted(digests))),
        ).fetchone()[0]
        return int(known) + len(bad) - len(digests)

    def _move_on(self, page: Page, source: int) -> None:
        if page.cursor is not None and page.cursor != page.read_from:
            self._connection.execute("update _source set cursor = ? where id = ?", (page.cursor, source))
        self._connection.executemany(JOB, job_rows(page, source))
