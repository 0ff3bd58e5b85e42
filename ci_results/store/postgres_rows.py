"""Put a drafted page into the tables of PostgreSQL, inside the transaction that holds the lock on pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from ..domain.bus_message import BusMessage
from ..domain.page import Page
from .columns import Column, signature_rows
from .fresh import Fresh
from .groups import member_rows, members
from .postgres_connections import Connection
from .postgres_sql import to_postgres
from .restored import AGAIN
from .runrows import Entry, Places, RunRow, own_entries
from .sidenotes import Bad, job_rows

FIRST = -(1 << 62)
"""Ids count from here until the lock is held; those of stored results are positive."""

COMMIT = """
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
values (%s, %s, %s, %s, %s, %s, %s)
"""

QUARANTINE = """
insert into _quarantine (id, seq, source, door, received_at, kind, key, position, reason, raw, told, digest)
values ((select coalesce(max(id), 0) + 1 from _quarantine), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (source, digest) do update set seen = _quarantine.seen + 1, reason = excluded.reason
"""

JOB = """
insert into _job (source, name, state, last_build, last_report) values (%s, %s, %s, %s, %s)
on conflict (source, _digest(name)) do update set state = excluded.state,
    last_build = greatest(_job.last_build, excluded.last_build),
    last_report = greatest(_job.last_report, excluded.last_report)
"""

DESCRIBE = {
    "description": "update _group set description = %s where id = %s",
    "ref_url": "update _group set ref_url = %s where id = %s",
}


class Sorted(NamedTuple):
    """What is new in a page, how many of its results are the same, and how many supersede."""

    fresh: Fresh
    same: int
    superseding: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A page as far as it can be written without the lock.

    seen     the newest seq when it was held against what is stored
    runs     rows of _run, but for their numbers
    places   where each result belongs; its run is named by its place in `runs`
    columns  of _result by name; ids count from FIRST, runs from 0, seq is open
    messages all that the page brought, those too that are known
    names    ids of the names it uses, so that none is looked up under the lock
    """

    page: Page
    source: int
    seen: int
    sorted: Sorted
    runs: Sequence[RunRow]
    places: Places
    columns: Mapping[str, Column]
    bad: Sequence[Bad]
    pairs: Mapping[tuple[str, str], int]
    groups: Mapping[str, int]
    testcases: Mapping[str, int]
    messages: Sequence[BusMessage] = ()

    @property
    def fresh(self) -> Fresh:
        """What is new."""
        return self.sorted.fresh

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        page = self.page
        return bool(
            len(self.fresh) or self.bad or page.jobs or page.groups or page.ref_urls or page.testcases
            or page.lease or page.cursor is not None or self.messages
        )  # fmt: skip


def enter(
    connection: Connection, draft: Draft, seq: int, now: int, ids: tuple[int, int], quarantined: int
) -> None:
    """Write the commit, its results, outbox row and quarantine; `ids`: the last result and run so far."""
    fresh, page, source = draft.fresh, draft.page, draft.source
    last_id, last_run = ids
    count = (seq, now, source, page.door, last_id + len(fresh), len(fresh), quarantined)
    placed = page.noted is not None and page.noted.seq > 0
    connection.execute((COMMIT + (AGAIN if placed else "")).encode(), count)
    if len(fresh):
        outbox = "insert into _outbox (seq, kind) values (%s, 'results')"
        connection.execute((outbox + (" on conflict do nothing" if placed else "")).encode(), (seq,))
        _put_results(connection, draft, seq, last_id + 1 - FIRST, last_run + 1)
    if draft.bad:
        connection.execute("insert into _outbox (seq, kind) values (%s, 'quarantine')", (seq,))
    _many(connection, QUARANTINE, [(seq, source, page.door, now, *record) for record in draft.bad])


def _put_results(connection: Connection, draft: Draft, seq: int, shift: int, first_run: int) -> None:
    """Insert runs, results, and who has which attributes; the ids of results move by `shift`."""
    source, fresh, runs, pairs = draft.source, draft.fresh, draft.runs, draft.pairs
    _put(connection, "_run", "id, seq, source, key, rank, ref_url, data", (
        (first_run + n, seq, source, run.key, rank, run.ref_url, orjson.dumps(data).decode())
        for n, (run, rank, data) in enumerate(runs)
    ))  # fmt: skip
    columns = dict(draft.columns)
    columns["id"] = [number + shift for number in fresh.ids]
    columns["seq"] = [seq] * len(fresh)
    columns["run"] = [None if run is None else first_run + run for run in draft.places.runs]
    _put(connection, "_result", ", ".join(columns), zip(*columns.values(), strict=True))
    of_runs = [(rank, first_run + n, data.items()) for n, (_run, rank, data) in enumerate(runs)]
    _put(connection, "_run_pair", "pair, rank, run", _pair_rows(of_runs, pairs, 0))
    of_results = own_entries(fresh, draft.places.own)
    _put(connection, "_result_pair", "pair, rank, result", _pair_rows(of_results, pairs, shift))
    superseded = [(moved(old, shift), moved(kept, shift)) for old, kept in fresh.superseded]
    _put(connection, "_superseded", "old, new", superseded)
    signatures = [(number + shift, text) for number, text in signature_rows(fresh)]
    _put(connection, "_signature", "result, signature", signatures)
    in_groups, counts = member_rows(draft.groups, members(fresh))
    _put(connection, "_result_group", "grp, rank, result", (
        (group, rank, number + shift) for group, rank, number in in_groups
    ))  # fmt: skip
    _many(connection, "update _group set results = results + %s where id = %s", counts)


def _pair_rows(
    entries: Iterable[Entry], pairs: Mapping[tuple[str, str], int], shift: int
) -> list[tuple[int, int, int]]:
    """Return the rows of an index of pairs in its order; an attribute may say a value twice."""
    return sorted({
        (pairs[key, value], rank, row + shift)
        for rank, row, data in entries
        for key, values in data
        for value in values
    })  # fmt: skip


def move_on(connection: Connection, draft: Draft) -> None:
    """Set the cursor, and write what the page says of jobs, groups and testcases."""
    page = draft.page
    if page.cursor is not None and page.cursor != page.read_from:
        connection.execute("update _source set cursor = %s where id = %s", (page.cursor, draft.source))
    _many(connection, JOB, job_rows(page, draft.source))
    for column, statement in DESCRIBE.items():
        said = [(it[column], draft.groups[uuid]) for uuid, it in page.groups.items() if column in it]
        _many(connection, statement, said)
    urls = [(url, draft.testcases[name]) for name, url in page.ref_urls.items()]
    _many(connection, "update _testcase set ref_url = %s where id = %s", urls)


def asked(connection: Connection, sql: str, values: Mapping[str, object]) -> list[Any]:
    """Return the rows of a statement that both stores share."""
    return connection.execute(to_postgres(sql, values), values).fetchall()


def many(connection: Connection, sql: str, values: Sequence[Mapping[str, object]]) -> None:
    """Run a statement that both stores share for each of these values."""
    connection.cursor().executemany(to_postgres(sql), values)


def moved(number: int, shift: int) -> int:
    """Return the id of a result: that of a new one moves by `shift`."""
    return number if number > 0 else number + shift


def _put(connection: Connection, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows into a table of ours, if there are any.

    COPY is the fastest for many, but has to be waited for. In a pipeline, where a page is small, the
    rows are one parameter of a statement that is sent along with the others.
    """
    waiting = list(rows)
    if not waiting:
        return
    if not connection.pgconn.pipeline_status:
        with connection.cursor().copy(f"copy {table} ({columns}) from stdin".encode()) as copy:
            for row in waiting:
                copy.write_row(row)
        return
    names = columns.split(", ")
    text = orjson.dumps([dict(zip(names, row, strict=True)) for row in waiting]).decode()
    sql = f"insert into {table} ({columns}) select {columns} from json_populate_recordset(null::{table}, %s)"  # noqa: S608
    connection.execute(sql.encode(), (text,))


def _many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        connection.cursor().executemany(statement.encode(), rows)
