"""Readers of a SQLite file: a read-only connection for each thread, held while the log is truncated."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreError


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
        with self._gate:
            if self._closed:
                raise StoreError("the store is closed")
            self._gate.wait_for(lambda: not self._held)
            self._active += 1
        try:
            yield self._connection()
        except sqlite3.Error as err:
            raise StoreError(f"{self._path}: {err}") from err
        finally:
            with self._gate:
                self._active -= 1
                self._gate.notify_all()

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
            with self._gate:
                self._all.append(connection)
        return connection


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
