"""The store on PostgreSQL: many processes write and read it, each through a pool of connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ..domain.asked import SelectOf
from ..domain.expectation import Awaited, StoredEvent
from ..domain.facts import Selected
from ..domain.moment import Moment
from ..domain.page import Committed, Page
from ..domain.plan import Plan, PlanVersion
from ..domain.stored import JobState, Quarantined, SourceState, StoredResult
from ..errors import InvalidError, NotFoundError, StoreError, TooBroadError
from ..normalise.items import same_item
from ..query.dialect import POSTGRES
from ..query.moment import GLANCE
from ..query.results import ResultQuery, ids_sql
from . import rows
from .bus_log import BusLog
from .changes import close_record
from .decisions import Decisions
from .dump import dump
from .expectations import Expectations
from .outbox import Outbox
from .outgoing import Ask
from .plans import Plans
from .postgres_connections import Connection, Connections, lock_key, opened, stream
from .postgres_creating import migrate_store
from .postgres_daily import Follower, count_days
from .postgres_integrity import problems
from .postgres_leases import held, leased
from .postgres_migrations import current_schema, migrate
from .postgres_names import Names
from .postgres_pages import PageWriter
from .postgres_queue import PageQueue
from .postgres_restoring import PostgresRestoring
from .postgres_rows import asked, many
from .postgres_selecting import select
from .postgres_sql import array, to_postgres
from .pruned import absent
from .pruning import Pruning
from .restoring import Restoring
from .searcher import Searcher
from .sidenotes import storable
from .waivers import WaiverLog

T = TypeVar("T")

PRUNED_AT_ONCE = 250
"""Results that leave in one transaction: pages that wait for it wait no longer than for each other."""


class PostgresStore:
    """A Store (see protocol) in one schema of a database. Open it with `open`."""

    def __init__(self, url: str, schema: str) -> None:
        self._connections = Connections(url)
        self._schema = schema
        self._names = Names()
        self._pages = PageWriter(self._names, schema)
        self._follower = Follower(self._connections.writing, schema)
        self._queue = PageQueue(self._write)
        self._hurried = threading.local()
        searcher = Searcher(self._search, POSTGRES)
        self.search, self.latest, self.fact = searcher.search, searcher.latest, searcher.fact
        self.newest = searcher.newest
        self.of_component, self.items_of = searcher.of_component, searcher.items_of
        self.testcase, self.testcases = searcher.testcase, searcher.testcases
        self.group, self.groups = searcher.group, searcher.groups
        self._plans = Plans(self._rows, self._change_in_turn)
        self.plans, self.plans_for = self._plans.plans, self._plans.plans_for
        self.plan, self.plan_versions = self._plans.plan, self._plans.plan_versions
        self.outbox = Outbox(self._rows, self._change, self._delivering, POSTGRES)
        self.waivers = WaiverLog(self._search, self._change_in_turn, POSTGRES)
        self.expectations = Expectations(self._rows, self._change_in_turn, POSTGRES)
        self.bus = BusLog(self._rows, self._change, POSTGRES)
        self.decisions = Decisions(self._rows, self._change_in_turn, self._following, POSTGRES)
        self.restoring: Restoring = PostgresRestoring(
            self._rows, self._change_in_turn, self.commit_page, self._connections.writing, schema
        )
        self.pruning = Pruning(
            self._rows, self._change_in_turn, POSTGRES, most=PRUNED_AT_ONCE, size=_SIZE, count=self._count
        )

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> PostgresStore:
        """Open the store at "postgresql://user@host/database", making or migrating its tables first.

        Raises StoreError where the database cannot be reached or used; NotFoundError where it holds
        no store and `create` is false.
        """
        if not create:
            migrate_store(url)
        with opened(url) as connection:
            migrate(connection)
            return cls(url, current_schema(connection))

    # -- writing -----------------------------------------------------------------------------------

    def commit_page(self, page: Page) -> Committed:
        """Store a page; see protocol."""
        (committed,) = self._write([page])
        return committed

    def _write(self, pages: Sequence[Page]) -> list[Committed]:
        with self._connections.writing() as connection:
            committed = self._pages.write(connection, pages, _now())
        if any(one.stored for one in committed):
            self._follower.committed()
        return committed

    def submit(self, page: Page) -> Future[tuple[int, ...]]:
        """Store a small page with others; see protocol."""
        return self._queue.submit(page)

    def waiting(self) -> int:
        """Count submissions that wait; see protocol."""
        return self._queue.waiting

    def preview_page(self, page: Page) -> Committed:
        """Count what commit_page would do; see protocol."""
        with self._connections.snapshot() as connection:
            return self._pages.preview(connection, page, _now())

    def lease(self, source: str) -> AbstractContextManager[str]:
        """Hold the right to harvest; see protocol."""
        return leased(self._connections, self._schema, source, self._source(source))

    def register_source(self, state: SourceState) -> None:
        """Make a source known; see protocol."""
        self._update_source(
            state.name,
            "collector = %(collector)s, url = %(url)s, owner = %(owner)s, contact = %(contact)s",
            collector=state.collector, url=state.url, owner=state.owner, contact=state.contact,
        )  # fmt: skip

    def note_attempt(self, source: str, error: str | None) -> None:
        """Remember how a harvest ended; see protocol."""
        if error is None:
            change = "last_try = %(now)s, last_ok = %(now)s, last_error = null"
            self._update_source(source, change, now=_now())
        else:
            change = "last_try = %(now)s, last_error = %(error)s"
            self._update_source(source, change, now=_now(), error=storable(error))

    def forget_source(self, source: str) -> None:
        """Drop cursor and jobs; see protocol."""
        self._update_source(source, "cursor = null")
        with self._connections.writing() as connection:
            connection.execute("delete from _job where source = %s", (self._source(source),))

    def resolve(self, record_id: int, resolution: str) -> None:
        """Close a quarantined record; see protocol."""
        with self._in_turn() as connection:
            doing = partial(asked, connection), partial(many, connection)
            close_record(*doing, POSTGRES, record_id, resolution, now=_now())

    def save_plan(self, plan: Plan, actor: str, *, before: int) -> tuple[PlanVersion, bool]:
        """Store a version of a plan; see protocol."""
        return self._plans.save(plan, actor, before)

    def save_events(self, events: Sequence[Awaited]) -> list[StoredEvent]:
        """Store events; see protocol."""
        return self.expectations.save(events)

    def _change(self, operation: Callable[[Ask], T]) -> T:
        """Run an operation in a transaction."""
        with self._connections.writing() as connection, connection.transaction():
            return operation(lambda sql, values: _do(connection, sql, values))

    def _change_in_turn(self, operation: Callable[[Ask], T]) -> T:
        """Run an operation in a transaction that holds the lock on pages: its seq is commit order."""
        with self._in_turn() as connection:
            return operation(lambda sql, values: _do(connection, sql, values))

    @contextmanager
    def _in_turn(self) -> Iterator[Connection]:
        """Give a transaction that holds the lock on pages."""
        with self._connections.writing() as connection, connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (lock_key(self._schema, "pages"),))
            yield connection

    def _delivering(self, sink: str) -> AbstractContextManager[object]:
        """Hold the right to deliver; see Outbox."""
        return held(
            self._connections, self._schema, f"deliver {sink}", f"another delivery to sink {sink} is running"
        )

    def _following(self) -> AbstractContextManager[object]:
        """Hold the right to follow; see Decisions."""
        return held(self._connections, self._schema, "follow", "another follower of this store is running")

    def _count(self) -> None:
        with self._connections.writing() as connection:
            count_days(connection, self._schema, wait=True)

    def _source(self, name: str) -> int:
        with self._connections.writing() as connection:
            return self._names.sources.ids(connection, [name])[name]

    def _update_source(self, source: str, change: str, **values: object) -> None:
        """Change a source's row; `change` is one of the texts above, never a value."""
        sql = f"update _source set {change} where id = %(id)s"  # noqa: S608
        number = self._source(source)
        with self._connections.writing() as connection:
            connection.execute(sql.encode(), {**values, "id": number})

    # -- reading -----------------------------------------------------------------------------------

    @contextmanager
    def at_one_commit(self, subject: str | None = None) -> Iterator[Moment]:
        """Let this thread read as of one commit; see protocol."""
        if getattr(self._hurried, "now", False):
            raise TooBroadError("a thread that must not wait asked")
        with self._connections.pinned() as seq:
            known = [] if subject is None else self._search(GLANCE, {"subject": subject})
            yield Moment(*known[0]) if known else Moment(seq)

    def hurry(self) -> None:
        """Let this thread ask another at once, for it would wait for the database; see protocol."""
        self._hurried.now = True

    def _search(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        """Run one statement for a machine, within its budget."""
        if getattr(self._hurried, "now", False):
            raise TooBroadError("a thread that must not wait asked")
        try:
            with self._connections.careful(values) as connection:
                return _ask(connection, sql, values)
        except InvalidError:  # a NUL, a number beyond all: what cannot be stored is nowhere
            return []

    def select(self, asked: SelectOf) -> Selected:
        """Run the SELECT of a rule; see protocol."""
        with self._connections.reading() as connection:
            return select(connection, asked)

    def cursor(self, source: str) -> str | None:
        """Return a source's cursor; see protocol."""
        found = self._rows("select cursor from _source where name = :source", {"source": source})
        return found[0][0] if found else None

    def sources(self) -> list[SourceState]:
        """Return all sources; see protocol."""
        return [rows.source_state(row) for row in self._rows(rows.SOURCES)]

    def collected_by(self, collector: str) -> frozenset[str]:
        """Return names of sources; see protocol."""
        return frozenset(name for (name,) in self._rows(rows.COLLECTED, {"collector": collector}))

    def jobs(self, source: str | None = None) -> list[JobState]:
        """Return jobs; see protocol."""
        return [rows.job_state(row) for row in self._rows(rows.JOBS, {"source": source})]

    def results(self, query: ResultQuery) -> list[StoredResult]:
        """Return what a query asks; see protocol."""
        _given, nvr, arch = same_item(query.item) if query.item else (None, None, None)
        sql, values = ids_sql(query, nvr, arch)
        with self._connections.snapshot() as connection:
            ids = [row[0] for row in _ask(connection, sql, values)]
            return rows.in_order(_these(connection, ids), ids)

    def result(self, result_id: int) -> StoredResult:
        """Return one result; see protocol."""
        found = self.stored([result_id])
        if not found:
            raise absent(self._rows, result_id)
        return found[0]

    def stored(self, ids: Sequence[int]) -> list[StoredResult]:
        """Return results by id; see protocol."""
        with self._connections.reading() as connection:
            return rows.in_order(_these(connection, ids), ids)

    def quarantined(
        self, source: str | None = None, *, limit: int = 100, open_only: bool = True
    ) -> list[Quarantined]:
        """Return quarantined records; see protocol."""
        where = "where (:source is null or s.name = :source) and (not :open or q.resolved_at is null)"
        sql = f"{rows.QUARANTINE} {where} order by q.id limit :limit"
        found = self._rows(sql, {"source": source, "open": open_only, "limit": limit})
        return [rows.quarantined(row) for row in found]

    def quarantined_record(self, record_id: int) -> Quarantined:
        """Return one quarantined record; see protocol."""
        found = self._rows(f"{rows.QUARANTINE} where q.id = :id", {"id": record_id})
        if not found:
            raise NotFoundError(f"no quarantined record {record_id}")
        return rows.quarantined(found[0])

    def quarantined_by_door(self) -> Mapping[tuple[str, str], int]:
        """Count open records by source and door; see protocol."""
        return {(source, door): count for source, door, count in self._rows(rows.WAITING)}

    def counts(self) -> dict[str, int]:
        """Return figures for people; see protocol."""
        with self._connections.snapshot() as connection:
            return {name: int(_ask(connection, sql)[0][0]) for name, sql in rows.COUNTS.items()}

    def dump(self, *, portable: bool = False) -> Iterator[str]:
        """Yield the canonical dump; see protocol."""
        with self._connections.snapshot() as connection:
            yield from dump(lambda sql: stream(connection, sql), portable)

    def _rows(self, sql: str, values: Mapping[str, object] | None = None) -> list[Any]:
        """Run one statement for a person, who may wait."""
        with self._connections.snapshot() as connection:
            return _ask(connection, sql, values)

    # -- care --------------------------------------------------------------------------------------

    def check(self) -> Sequence[str]:
        """Return what is wrong; see protocol."""
        with self._connections.writing() as connection:
            count_days(connection, self._schema, wait=True)
        with self._connections.snapshot() as connection:
            return problems(connection)

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Say what makes a backup; see protocol."""
        raise StoreError(f"{self._connections.name} is backed up with pg_dump, not into a file of ours")

    def vacuum(self) -> tuple[int, int]:
        """Vacuum and analyse our tables; see protocol."""
        with self._connections.writing() as connection:
            before = int(_ask(connection, _SIZE)[0][0])
            for (name,) in _ask(connection, _TABLES):
                connection.execute(f"vacuum (analyze) {name}".encode())
            return before, int(_ask(connection, _SIZE)[0][0])

    def close(self) -> None:
        """Finish what was accepted, then let go; see protocol."""
        self._queue.close()
        self._follower.close()
        self._connections.close()

    def __enter__(self) -> PostgresStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


_SIZE = """
select sum(pg_table_size(oid) + pg_indexes_size(oid)) from pg_class
where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname like '\\_%'
"""
_TABLES = """
select oid::regclass::text from pg_class
where relkind in ('r', 'p') and not relispartition
  and relnamespace = current_schema()::regnamespace and relname like '\\_%'
"""


def _ask(connection: Connection, sql: str, values: Mapping[str, object] | None = None) -> list[Any]:
    """Return the rows of SQL that both stores have in common."""
    return connection.execute(to_postgres(sql, values), values or None).fetchall()


def _do(connection: Connection, sql: str, values: Mapping[str, object]) -> list[Any]:
    """Run SQL that may write; return its rows, where it has any."""
    cursor = connection.execute(to_postgres(sql, values), values)
    return cursor.fetchall() if cursor.description else []


def _these(connection: Connection, ids: Sequence[int]) -> list[Any]:
    sql = rows.RESULTS + "where r.id = any(%s::bigint[])"
    return connection.execute(sql.encode(), (array(ids),)).fetchall()


def _now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
