"""Readers of a SQLite file: a read-only connection for each thread, held while the log is truncated."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..domain.moment import Moment
from ..errors import StoreError, TooBroadError
from ..query.moment import GLANCE, SEQ

STEPS = 20_000
"""Steps of SQLite's virtual machine between two looks at the budget: about 1 ms."""
QUICK = 2
BUDGET = 2_000
HINT = "the question reads too much of the store: ask for an item, a testcase, a group, or a shorter time"


class _Reader:
    """What one thread reads with.

    left, until  what a question may still cost, in STEPS, and until when; None = without limit
    budget       of a machine's question
    pinned       it reads at one commit, and has entered
    """

    __slots__ = ("budget", "connection", "left", "pinned", "until")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.left: int | None = None
        self.until: float | None = None
        self.budget = BUDGET
        self.pinned = False
        connection.set_progress_handler(self.spend, STEPS)

    def spend(self) -> bool:
        """Count STEPS; say whether the budget is overdrawn."""
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0 or (self.until is not None and time.monotonic() > self.until)


class Readers:
    """Hands out `mode=ro` connections, one a thread; never `immutable`, for the file is live."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._all: list[_Reader] = []
        self._gate = threading.Condition()
        self._active = 0
        self._held = False
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection. Raises StoreError where the file cannot be read."""
        with self._entered() as reader:
            yield reader.connection

    def ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        """Return the rows of one statement. Raises TooBroadError where it takes more than its budget."""
        return self._rows(sql, values, bounded=True)

    def ask_patiently(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        """Return the rows of one statement, however long it takes."""
        return self._rows(sql, values, bounded=False)

    def _rows(self, sql: str, values: Mapping[str, object], *, bounded: bool) -> list[Any]:
        """Do so without `reading`, whose context costs a tenth of a quick answer."""
        reader = self._mine()
        inside = reader is not None and reader.pinned
        if not inside:
            self._enter()
        try:
            reader = reader or self._connect()
            if bounded:
                reader.left = reader.budget
            try:
                return reader.connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError as err:
                if bounded and reader.left is not None and reader.left < 0:
                    raise TooBroadError(HINT) from err
                raise
            finally:
                reader.left = None
        except sqlite3.Error as err:
            raise StoreError(f"{self._path}: {err}") from err
        finally:
            if not inside:
                self._leave()

    @contextmanager
    def at_one_commit(self, subject: str | None = None) -> Iterator[Moment]:
        """Let what this thread reads be of one commit. Within another it is of the same."""
        reader = self._mine()
        if reader is not None and reader.pinned:
            yield _moment(reader.connection, subject)
            return
        self._enter()
        try:
            reader = reader or self._connect()
            reader.connection.execute("begin")  # the first row that is read takes the snapshot
            reader.pinned = True
            try:
                yield _moment(reader.connection, subject)
            finally:
                reader.pinned = False
                reader.connection.execute("rollback")
        except sqlite3.Error as err:
            raise StoreError(f"{self._path}: {err}") from err
        finally:
            self._leave()

    @contextmanager
    def guarded(
        self, authorise: Callable[..., int], limits: Mapping[int, int], timeout_s: float
    ) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection for SQL of others: `authorise` is asked about all that it reads.

        limits  of SQLite, by category; with them and the steps of a machine's question it is bounded
        """
        with self._entered() as reader:
            connection = reader.connection
            before = {category: connection.setlimit(category, limit) for category, limit in limits.items()}
            connection.set_authorizer(authorise)
            reader.left, reader.until = BUDGET, time.monotonic() + timeout_s
            try:
                yield connection
            finally:
                reader.left = reader.until = None
                connection.set_authorizer(None)
                for category, limit in before.items():
                    connection.setlimit(category, limit)

    @contextmanager
    def _entered(self) -> Iterator[_Reader]:
        reader = self._mine()
        inside = reader is not None and reader.pinned
        if not inside:
            self._enter()
        try:
            yield reader or self._connect()
        except sqlite3.Error as err:
            raise StoreError(f"{self._path}: {err}") from err
        finally:
            if not inside:
                self._leave()

    def _enter(self) -> None:
        """Count this thread as one that reads, once others need not be waited for."""
        with self._gate:
            if self._closed:
                raise StoreError("the store is closed")
            if self._held:  # who has begun to read at one commit does not come here again, and goes on
                self._gate.wait_for(lambda: not self._held)
            self._active += 1

    def _leave(self) -> None:
        with self._gate:
            self._active -= 1
            if not self._active:
                self._gate.notify_all()

    def hurry(self) -> None:
        """Let this thread have the small budget."""
        self._local.budget = QUICK
        if (reader := self._mine()) is not None:
            reader.budget = QUICK

    @contextmanager
    def held(self, timeout_s: float) -> Iterator[bool]:
        """Keep new readers waiting; yield whether those who read have ended within `timeout_s`."""
        with self._gate:
            self._held = True
            free = self._gate.wait_for(lambda: not self._active, timeout_s)
        try:
            yield free
        finally:
            with self._gate:
                self._held = False
                self._gate.notify_all()

    def close(self) -> None:
        """Close every connection; those who read now finish first."""
        with self._gate:
            self._closed = True
            self._gate.wait_for(lambda: not self._active, 5)
            for reader in self._all:
                reader.connection.close()
            self._all.clear()

    def _mine(self) -> _Reader | None:
        """Return what this thread reads with, None before it first does."""
        return getattr(self._local, "reader", None)

    def _connect(self) -> _Reader:
        reader = self._local.reader = _Reader(connect_read_only(self._path))
        reader.budget = getattr(self._local, "budget", BUDGET)
        with self._gate:
            self._all.append(reader)
        return reader


def _moment(connection: sqlite3.Connection, subject: str | None) -> Moment:
    if subject is None:
        return Moment(connection.execute(SEQ).fetchone()[0])
    seq, waivers, expectations = connection.execute(GLANCE, {"subject": subject}).fetchone()
    return Moment(seq, bool(waivers), bool(expectations))


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("pragma busy_timeout = 5000")
    connection.execute("pragma mmap_size = 4294967296")
    connection.execute("pragma query_only = on")
    return connection
