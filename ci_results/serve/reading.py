"""Read the store for pages: connections that cannot write, and a limit on how long a question may take."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import StoreError

Row = dict[str, Any]

_CHECK_EVERY = 20_000
"""SQLite steps between two looks at the clock: about 1 ms."""


class Reader:
    """Asks a store that others write. Safe from many threads: each has its own connection.

    Connections are `mode=ro`, never `immutable`, which would miss what is being written.
    Raises StoreError where there is no store, or a question takes longer than `limit_s`.
    """

    def __init__(self, path: Path, *, limit_s: float = 2.0) -> None:
        self.path = path
        self._limit_s = limit_s
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        if not path.exists():
            raise StoreError(
                f"no store at {path}: run `ci-results harvest` or `ci-results report FILE` first"
            )
        if not self.ask("select 1 from sqlite_master where type = 'view' and name = 'latest_result'"):
            raise StoreError(f"{path} is not a store of ours: it lacks the view latest_result")

    def ask(self, sql: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Return the rows of one question as dicts, column -> value."""
        connection = self._connection()
        deadline = time.monotonic() + self._limit_s
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _CHECK_EVERY)
        try:
            return connection.execute(sql, values or {}).fetchall()
        except sqlite3.Error as err:
            if "interrupted" in str(err):
                raise StoreError(f"a question took longer than {self._limit_s:g} s and was stopped") from err
            raise StoreError(f"{self.path}: {err}") from err

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            address = f"file:{quote(str(self.path.resolve()))}?mode=ro"
            try:
                found = sqlite3.connect(address, uri=True, check_same_thread=False, cached_statements=256)
                found.execute("pragma mmap_size=4294967296")
            except sqlite3.Error as err:
                raise StoreError(f"{self.path}: {err}") from err
            found.row_factory = _as_dict
            self._local.connection = found
            with self._lock:
                self._open.append(found)
        return found


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
