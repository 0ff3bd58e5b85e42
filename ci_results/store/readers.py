"""Readers of a SQLite file: a read-only connection for each thread, held while the log is truncated."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import StoreError, TooBroadError

STEPS = 20_000
"""Steps of SQLite's virtual machine between two looks at the budget: about 1 ms."""
QUICK = 2
BUDGET = 2_000
HINT = "the question reads too much of the store: ask for an item, a testcase, a group, or a shorter time"


class _Meter:
    """What a question may still cost, in STEPS, and until when; None = without limit."""

    __slots__ = ("left", "until")

    def __init__(self) -> None:
        self.left: int | None = None
        self.until: float | None = None

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
        self._all: list[sqlite3.Connection] = []
        self._gate = threading.Condition()
        self._active = 0
        self._held = False
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection. Raises StoreError where the file cannot be read."""
        self._enter()
        try:
            yield self._connection()
        except sqlite3.Error as err:
            raise StoreError(f"{self._path}: {err}") from err
        finally:
            self._leave()

    def ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        """Return the rows of one statement. Raises TooBroadError where it takes more than its budget.

        Without `reading`, whose context costs a tenth of a quick answer.
        """
        self._enter()
        try:
            connection = self._connection()
            meter: _Meter = self._local.meter
            meter.left = QUICK if getattr(self._local, "hurried", False) else BUDGET
            try:
                return connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError as err:
                if meter.left < 0:
                    raise TooBroadError(HINT) from err
                raise
            finally:
                meter.left = None
        except sqlite3.Error as err:
            raise StoreError(f"{self._path}: {err}") from err
        finally:
            self._leave()

    @contextmanager
    def at_one_commit(self) -> Iterator[int]:
        """Let what this thread reads be of one commit; yield its seq. Within another it is of the same."""
        with self.reading() as connection:
            if self._pinned:
                yield _seq(connection)
                return
            connection.execute("begin")  # the first row that is read takes the snapshot
            self._local.pinned = True
            try:
                yield _seq(connection)
            finally:
                self._local.pinned = False
                connection.execute("rollback")

    @property
    def _pinned(self) -> bool:
        return getattr(self._local, "pinned", False)

    @contextmanager
    def guarded(
        self, authorise: Callable[..., int], limits: Mapping[int, int], timeout_s: float
    ) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection for SQL of others: `authorise` is asked about all that it reads.

        limits  of SQLite, by category; with them and the steps of a machine's question it is bounded
        """
        with self.reading() as connection:
            meter: _Meter = self._local.meter
            before = {category: connection.setlimit(category, limit) for category, limit in limits.items()}
            connection.set_authorizer(authorise)
            meter.left, meter.until = BUDGET, time.monotonic() + timeout_s
            try:
                yield connection
            finally:
                meter.left = meter.until = None
                connection.set_authorizer(None)
                for category, limit in before.items():
                    connection.setlimit(category, limit)

    def _enter(self) -> None:
        with self._gate:
            if self._closed:
                raise StoreError("the store is closed")
            if self._held and not self._pinned:  # who has begun to read is waited for, and must go on
                self._gate.wait_for(lambda: not self._held)
            self._active += 1

    def _leave(self) -> None:
        with self._gate:
            self._active -= 1
            if not self._active:
                self._gate.notify_all()

    def hurry(self) -> None:
        """Let this thread have the small budget."""
        self._local.hurried = True

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
            for connection in self._all:
                connection.close()
            self._all.clear()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect_read_only(self._path)
            self._local.connection = connection
            self._local.meter = _Meter()
            connection.set_progress_handler(self._local.meter.spend, STEPS)
            with self._gate:
                self._all.append(connection)
        return connection


def _seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select coalesce(max(seq), 0) from _commit").fetchone()[0])


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
