"""A SQLite file as one side of a copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import StoreError
from .bulk import insert_rows
from .copying import OWN, USED, one
from .pruned import COUNT_DAYS
from .readers import connect_read_only
from .sqlite import connect_for_writing

ROLL_UPS = (
    """
    insert into _daily (day, testcase, outcome, n, duration)
    select rank / 86400000000, testcase, outcome, count(*), total(duration) from _result r
    where not exists (select 1 from _superseded p where p.old = r.id) group by 1, 2, 3
    """,
    """
    insert into _daily_source (day, source, outcome, n)
    select rank / 86400000000, source, outcome, count(*) from _result r
    where not exists (select 1 from _superseded p where p.old = r.id) group by 1, 2, 3
    """,
)


class SqliteSide:
    """The store in the file at `path`, which has the schema of this version."""

    def __init__(self, path: Path) -> None:
        self.name = f"sqlite:{path}"
        self._path = path

    @contextmanager
    def reading(self) -> Iterator[SqliteReading]:
        """See one moment of the file."""
        with _opened(self._path, connect_read_only(self._path)) as connection:
            connection.execute("begin")
            yield SqliteReading(connection)

    @contextmanager
    def filling(self) -> Iterator[SqliteFilling]:
        """Fill the file in one transaction."""
        with _opened(self._path, connect_for_writing(self._path)) as connection:
            connection.execute("begin immediate")
            yield SqliteFilling(connection)
            connection.execute("commit")


class SqliteReading:
    """One moment of a file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def ask(self, sql: str) -> Iterable[Any]:
        """Give the rows of `sql`."""
        return self._connection.execute(sql)


class SqliteFilling:
    """A file that is being filled."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def empty(self) -> bool:
        """Say whether there is nothing; the open transaction keeps others from writing."""
        return not one(self._connection.execute(USED))

    def prepare(self, last_result: int) -> None:
        """Take out what a new store has of its own."""
        for table in OWN:
            self._connection.execute(f"delete from {table}")  # noqa: S608 (names of ours)

    def fill(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows."""
        insert_rows(self._connection, f"insert into {table} ({columns})", rows)

    def finish(self) -> None:
        """Count the roll-ups; ids go on by themselves."""
        for statement in ROLL_UPS:
            self._connection.execute(statement)
        for statement in COUNT_DAYS:
            self._connection.execute(statement.format(of=""))


@contextmanager
def _opened(path: Path, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except sqlite3.Error as err:
        raise StoreError(f"{path}: {err}") from err
    finally:
        connection.close()
