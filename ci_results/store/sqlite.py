"""The store on one SQLite file: writes through one thread, reads on connections of their own."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

from ..domain.bus_message import ListenerState
from ..domain.expectation import Awaited, StoredEvent
from ..domain.page import Committed, Page
from ..domain.plan import Plan, PlanVersion
from ..domain.stored import JobState, Quarantined, SourceState, StoredResult
from ..domain.waiver import Act, WaiverEvent
from ..errors import NotFoundError, StoreError
from ..normalise.items import same_item
from ..query.dialect import SQLITE
from ..query.results import ResultQuery, ids_sql
from . import rows
from .bus_log import BusLog
from .changes import close_record
from .decisions import Decisions
from .dump import dump
from .expectations import Expectations
from .integrity import problems
from .interning import Names
from .leases import is_locked, locked
from .leaving import STEP
from .migrations import is_current, migrate
from .outbox import Outbox
from .outgoing import Ask
from .pages import PageWriter
from .plans import Plans
from .pruned import absent
from .pruning import Pruning
from .readers import Readers
from .restoring import Restoring
from .searcher import Searcher
from .selecting import select
from .waivers import WaiverLog
from .writer import RollBackError, Writer

T = TypeVar("T")

POLITE_ROWS = 250
"""Rows in one commit where another process serves the file: its POSTs wait no longer than that."""

WAL_BYTES = 64 * 1024 * 1024
LOOK_EVERY = 16
"""Commits between two looks at the length of the log."""

_THESE = "where r.id in (select value from json_each(?))"
_SIZE = """
select (page_count - freelist_count) * page_size
from pragma_page_count, pragma_freelist_count, pragma_page_size
"""
SERVING = "serve"
"""Name of the lock that a server holds on its store."""


class SqliteStore:
    """A Store (see protocol) in one file. Open it with `open`."""

    def __init__(self, path: Path, polite: bool) -> None:
        self.path = path
        self._polite = polite
        self._commits = 0
        self._log = f"{path}-wal"
        self._names = Names()
        self._pages: PageWriter | None = None
        self._readers = Readers(path)
        self.at_one_commit = self._readers.at_one_commit
        self.select = partial(select, self._readers)
        self._writer = self._open_writer()
        searcher = Searcher(self._readers.ask, SQLITE)
        self.search, self.latest, self.fact = searcher.search, searcher.latest, searcher.fact
        self.newest = searcher.newest
        self.of_component, self.items_of = searcher.of_component, searcher.items_of
        self.testcase, self.testcases = searcher.testcase, searcher.testcases
        self.group, self.groups = searcher.group, searcher.groups
        self._plans = Plans(self._ask, self._change)
        self.plans, self.plans_for = self._plans.plans, self._plans.plans_for
        self.plan, self.plan_versions = self._plans.plan, self._plans.plan_versions
        self.outbox = Outbox(self._ask, self._change, self._delivering, SQLITE)
        self.waivers = WaiverLog(self._readers.ask, self._change, SQLITE)
        self.expectations = Expectations(self._ask, self._change, SQLITE)
        self.bus = BusLog(self._ask, self._change, SQLITE)
        self.decisions = Decisions(self._ask, self._change, self._following, SQLITE)
        self.restoring = Restoring(self._ask, self._change, self.commit_page, SQLITE)
        most = POLITE_ROWS if polite else STEP
        alone = partial(self._change, alone=True)
        self.pruning = Pruning(self._ask, alone, SQLITE, most=most, size=_SIZE)

    @classmethod
    def open(cls, path: Path, *, polite: bool | None = None) -> SqliteStore:
        """Open the file, making or migrating it first.

        `polite`: small commits with pauses, for a process beside a server; None finds out whether
        a server has the file. Raises StoreError where the file cannot be used.
        """
        migrate_file(path)
        return cls(path, is_locked(path, SERVING) if polite is None else polite)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Tell other processes that a server has this file, so that they write politely."""
        with locked(self.path, SERVING, f"another server has {self.path}"):
            yield

    # -- writing -----------------------------------------------------------------------------------

    def _open_writer(self) -> Writer:
        return Writer(
            self._connect,
            self._names,
            self._write_page,
            polite=self._polite,
            committed=self._shorten_log,
        )

    def commit_page(self, page: Page) -> Committed:
        """Store a page; see protocol."""
        large = len(page.results) > POLITE_ROWS
        if (
            page.messages or page.noted or not (self._polite and large)
        ):  # a message is stored whole or not at all
            return self._write(page, alone=large)
        total = Committed()
        for part in _split(page):
            total += self._write(part, alone=False)
        return total

    def _write(self, page: Page, *, alone: bool) -> Committed:
        return self._writer.do(lambda connection: self._write_page(connection, page), alone=alone)

    def _change(self, operation: Callable[[Ask], T], *, alone: bool = False) -> T:
        """Run an operation in a transaction; `alone`: it writes so much that it has one to itself."""
        return self._writer.do(
            lambda connection: operation(lambda sql, values: connection.execute(sql, values).fetchall()),
            alone=alone,
        )

    def _delivering(self, sink: str) -> AbstractContextManager[object]:
        """Hold the right to deliver; see Outbox."""
        return locked(self.path, f"deliver {sink}", f"another delivery to sink {sink} is running")

    def _following(self) -> AbstractContextManager[object]:
        """Hold the right to follow; see Decisions."""
        return locked(self.path, "follow", "another follower of this store is running")

    def _write_page(self, connection: sqlite3.Connection, page: Page) -> Committed:
        return self._page_writer(connection).write(page, _now())

    def submit(self, page: Page) -> Future[tuple[int, ...]]:
        """Store a small page soon; see protocol."""
        return self._writer.submit(page if page.tell_ids else replace(page, tell_ids=True))

    def waiting(self) -> int:
        """Count submissions that wait; see protocol."""
        return self._writer.waiting

    def preview_page(self, page: Page) -> Committed:
        """Count what commit_page would do; see protocol."""

        def preview(connection: sqlite3.Connection) -> Committed:
            raise RollBackError(self._page_writer(connection).write(page, _now(), preview=True))

        return self._writer.do(preview)

    @contextmanager
    def lease(self, source: str) -> Iterator[str]:
        """Hold the right to harvest; see protocol."""
        with locked(self.path, f"harvest {source}", f"another harvest of source {source} is running"):
            token = uuid.uuid4().hex
            self._update_source(source, "lease = :value", token)
            try:
                yield token
            finally:
                self._update_source(source, "lease = nullif(lease, :value)", token)

    def register_source(self, state: SourceState) -> None:
        """Make a source known; see protocol."""

        def register(connection: sqlite3.Connection) -> None:
            known = self._names.sources.ids(connection, [state.name])[state.name]
            connection.execute(
                "update _source set collector = ?, url = ?, owner = ?, contact = ? where id = ?",
                (state.collector, state.url, state.owner, state.contact, known),
            )

        self._writer.do(register)

    def note_attempt(self, source: str, error: str | None) -> None:
        """Remember how a harvest ended; see protocol."""
        if error is None:
            self._update_source(source, "last_try = :value, last_ok = :value, last_error = null", _now())
        else:
            self._update_source(source, "last_try = :value, last_error = :error", _now(), error)

    def forget_source(self, source: str) -> None:
        """Drop cursor and jobs; see protocol."""
        self._update_source(source, "cursor = :value", None)
        self._writer.do(
            lambda connection: connection.execute(
                "delete from _job where source = (select id from _source where name = ?)", (source,)
            )
        )

    def resolve(self, record_id: int, resolution: str) -> None:
        """Close a quarantined record; see protocol."""

        def close(connection: sqlite3.Connection) -> None:
            def ask(sql: str, values: Mapping[str, object]) -> list[Any]:
                return connection.execute(sql, values).fetchall()

            def many(sql: str, values: Sequence[Mapping[str, Any]]) -> None:
                connection.executemany(sql, values)

            close_record(ask, many, SQLITE, record_id, resolution, now=_now())

        self._writer.do(close)

    def save_plan(self, plan: Plan, actor: str, *, before: int) -> tuple[PlanVersion, bool]:
        """Store a version of a plan; see protocol."""
        return self._save_plan(plan, actor, before)

    def _save_plan(self, plan: Plan, actor: str, before: int) -> tuple[PlanVersion, bool]:
        return self._plans.save(plan, actor, before)

    def save_events(self, events: Sequence[Awaited]) -> list[StoredEvent]:
        """Store events; see protocol."""
        return self.expectations.save(events)

    def _append_waivers(self, acts: list[Act], seen: dict[int, int]) -> list[WaiverEvent]:
        return self.waivers.append(acts, seen)

    def _note_listener(self, state: ListenerState) -> None:
        self.bus.note(state)

    def _update_source(self, source: str, change: str, value: object, error: str | None = None) -> None:
        """Change a source's row; `change` is one of the texts above, never a value."""

        def update(connection: sqlite3.Connection) -> None:
            self._names.sources.ids(connection, [source])
            connection.execute(
                f"update _source set {change} where name = :source",  # noqa: S608
                {"source": source, "value": value, "error": error},
            )

        self._writer.do(update)

    def _page_writer(self, connection: sqlite3.Connection) -> PageWriter:
        if self._pages is None:
            self._pages = PageWriter(connection, self._names)
        return self._pages

    def _connect(self) -> sqlite3.Connection:
        return connect_for_writing(self.path)

    def _shorten_log(self, connection: sqlite3.Connection) -> None:
        """Keep the write-ahead log short: hold our readers for a moment where it has grown.

        It is looked at now and then: each look costs a twentieth of a commit.
        """
        self._commits += 1
        if self._commits % LOOK_EVERY:
            return
        if os.path.exists(self._log) and os.path.getsize(self._log) > WAL_BYTES:
            with self._readers.held(timeout_s=2):
                connection.execute("pragma wal_checkpoint(truncate)").fetchall()

    # -- reading -----------------------------------------------------------------------------------

    def hurry(self) -> None:
        """Let this thread give up early; see protocol."""
        self._readers.hurry()

    def _ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        """Run one statement for a person, who may wait."""
        return self._readers.ask_patiently(sql, values)

    def cursor(self, source: str) -> str | None:
        """Return a source's cursor; see protocol."""
        with self._readers.reading() as connection:
            row = connection.execute("select cursor from _source where name = ?", (source,)).fetchone()
        return row[0] if row else None

    def sources(self) -> list[SourceState]:
        """Return all sources; see protocol."""
        with self._readers.reading() as connection:
            return [rows.source_state(row) for row in connection.execute(rows.SOURCES)]

    def collected_by(self, collector: str) -> frozenset[str]:
        """Return names of sources; see protocol."""
        return frozenset(name for (name,) in self._ask(rows.COLLECTED, {"collector": collector}))

    def jobs(self, source: str | None = None) -> list[JobState]:
        """Return jobs; see protocol."""
        with self._readers.reading() as connection:
            return [rows.job_state(row) for row in connection.execute(rows.JOBS, {"source": source})]

    def results(self, query: ResultQuery) -> list[StoredResult]:
        """Return what a query asks; see protocol."""
        _given, nvr, arch = same_item(query.item) if query.item else (None, None, None)
        sql, values = ids_sql(query, nvr, arch)
        with self._readers.reading() as connection:
            ids = [row[0] for row in connection.execute(sql, values)]
            found = connection.execute(rows.RESULTS + _THESE, (json.dumps(ids),)).fetchall()
        return rows.in_order(found, ids)

    def result(self, result_id: int) -> StoredResult:
        """Return one result; see protocol."""
        found = self.stored([result_id])
        if not found:
            raise absent(self._ask, result_id)
        return found[0]

    def stored(self, ids: Sequence[int]) -> list[StoredResult]:
        """Return results by id; see protocol."""
        with self._readers.reading() as connection:
            found = connection.execute(rows.RESULTS + _THESE, (json.dumps(list(ids)),)).fetchall()
        return rows.in_order(found, ids)

    def quarantined(
        self, source: str | None = None, *, limit: int = 100, open_only: bool = True
    ) -> list[Quarantined]:
        """Return quarantined records; see protocol."""
        where = "where (:source is null or s.name = :source) and (not :open or q.resolved_at is null)"
        with self._readers.reading() as connection:
            found = connection.execute(
                f"{rows.QUARANTINE} {where} order by q.id limit :limit",
                {"source": source, "open": open_only, "limit": limit},
            )
            return [rows.quarantined(row) for row in found]

    def quarantined_record(self, record_id: int) -> Quarantined:
        """Return one quarantined record; see protocol."""
        with self._readers.reading() as connection:
            row = connection.execute(f"{rows.QUARANTINE} where q.id = ?", (record_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"no quarantined record {record_id}")
        return rows.quarantined(row)

    def quarantined_by_door(self) -> Mapping[tuple[str, str], int]:
        """Count open records by source and door; see protocol."""
        with self._readers.reading() as connection:
            return {(source, door): count for source, door, count in connection.execute(rows.WAITING)}

    def counts(self) -> dict[str, int]:
        """Return figures for people; see protocol."""
        with self._readers.reading() as connection:
            return {name: int(connection.execute(sql).fetchone()[0]) for name, sql in rows.COUNTS.items()}

    def dump(self, *, portable: bool = False) -> Iterator[str]:
        """Yield the canonical dump; see protocol."""
        with self._readers.reading() as connection:
            yield from dump(connection.execute, portable)

    # -- care --------------------------------------------------------------------------------------

    def check(self) -> Sequence[str]:
        """Return what is wrong; see protocol."""
        with self._readers.reading() as connection:
            return problems(connection)

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy the live store; see protocol."""
        if target.exists():
            raise StoreError(f"{target} exists: name a new file")
        try:
            copy = sqlite3.connect(target, isolation_level=None)
            with self._readers.reading() as connection:
                connection.backup(
                    copy,
                    pages=4096,
                    progress=(lambda _s, left, all_: progress(left, all_)) if progress else None,
                )
            copy.close()
        except sqlite3.Error as err:
            raise StoreError(f"{target}: {err}") from err

    def vacuum(self) -> tuple[int, int]:
        """Give unused space back; see protocol."""
        before = self.path.stat().st_size
        connection = connect_for_writing(self.path)
        try:
            with self._readers.held(timeout_s=10):
                connection.execute("vacuum")
                connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        except sqlite3.Error as err:
            raise StoreError(f"{self.path}: {err}") from err
        finally:
            connection.close()
        return before, self.path.stat().st_size

    def close(self) -> None:
        """Finish what was accepted, then let go; see protocol."""
        self._writer.close()
        self._readers.close()

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def migrate_file(path: Path) -> bool:
    """Make the file, or bring it to the schema of this version; say whether anything changed.

    Raises StoreError where the file cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect_for_writing(path)
    except (OSError, sqlite3.Error) as err:
        raise StoreError(f"{path}: {err}") from err
    try:
        return migrate(connection)
    except sqlite3.Error as err:
        raise StoreError(f"{path}: {err}") from err
    finally:
        connection.close()


def is_current_file(path: Path) -> bool:
    """Say whether a file has the schema of this version. Raises StoreError where it is none of ours."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return is_current(connection)
    except sqlite3.Error as err:
        raise StoreError(f"{path}: {err}") from err


def connect_for_writing(path: Path) -> sqlite3.Connection:
    """Open a connection that writes, with the settings that made an acknowledged page durable."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in (
        "busy_timeout = 10000", "page_size = 8192", "journal_mode = wal", "synchronous = full",
        "wal_autocheckpoint = 4000", "cache_size = -65536", "temp_store = memory", "foreign_keys = off",
    ):  # fmt: skip
        connection.execute(f"pragma {pragma}").fetchall()
    connection.create_function("_digest", 1, _digest, deterministic=True)
    return sqlite_utils.Database(connection, recursive_triggers=True).conn


def _digest(text: str) -> bytes:
    """Do what PostgreSQL's function of that name does."""
    return sha256(text.encode()).digest()


def _split(page: Page) -> Iterator[Page]:
    """Cut a page into small ones; the last has the cursor, the quarantine and the jobs."""
    results = page.results
    last = (len(results) - 1) // POLITE_ROWS * POLITE_ROWS
    for start in range(0, last, POLITE_ROWS):
        yield replace(page, results=results[start : start + POLITE_ROWS], quarantine=(), jobs=(), cursor=None)
    yield replace(page, results=results[last:])


def _now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
