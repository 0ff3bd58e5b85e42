"""A database on PostgreSQL as one side of a copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .copying import OWN, USED, one
from .postgres_connections import Connection, lock_key, opened, shown_url, stream
from .postgres_daily import count_days
from .postgres_migrations import current_schema
from .postgres_partitions import ensure_partitions
from .pruned import COUNT_DAYS

NUMBERED = (
    "_outcome", "_source", "_testcase", "_item", "_variant", "_group", "_pair", "_parked", "_plan",
    "_event", "_expectation", "_decision",
)  # fmt: skip
"""Tables whose ids come from a sequence."""

CONTINUE = """
select setval(pg_get_serial_sequence('{table}', 'id'), greatest(max(id), 1), coalesce(max(id), 0) > 0)
from {table}
"""


class PostgresSide:
    """The store at `url`, which has the schema of this version."""

    def __init__(self, url: str) -> None:
        self.name = shown_url(url)
        self._url = url

    @contextmanager
    def reading(self) -> Iterator[PostgresReading]:
        """See one moment of the database."""
        with opened(self._url) as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            yield PostgresReading(connection)

    @contextmanager
    def filling(self) -> Iterator[PostgresFilling]:
        """Fill the database in one transaction, then count its days."""
        with opened(self._url) as connection:
            schema = current_schema(connection)
            with connection.transaction():
                yield PostgresFilling(connection, schema)
            count_days(connection, schema, wait=True)
            connection.execute("analyze")


class PostgresReading:
    """One moment of a database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, sql: str) -> Iterable[Any]:
        """Give the rows of `sql` one by one; all of them would not fit in memory."""
        return stream(self._connection, sql)


class PostgresFilling:
    """A database that is being filled."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def empty(self) -> bool:
        """Say whether there is nothing; the lock on pages keeps others from writing."""
        self._connection.execute("select pg_advisory_xact_lock(%s)", (lock_key(self._schema, "pages"),))
        return not one(self._connection.execute(USED))

    def prepare(self, last_result: int) -> None:
        """Make partitions, and take out what a new store has of its own."""
        until = one(self._connection.execute("select value::bigint from _meta where key = 'result_until'"))
        ensure_partitions(self._connection, until, last_result)
        for table in OWN:
            self._connection.execute(f"delete from {table}".encode())  # noqa: S608 (names of ours)

    def fill(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Copy rows in."""
        with self._connection.cursor().copy(f"copy {table} ({columns}) from stdin".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self) -> None:
        """Let new ids go on from the copied ones; the days are counted after the commit."""
        for table in NUMBERED:
            self._connection.execute(CONTINUE.format(table=table).encode())
        for statement in COUNT_DAYS:
            self._connection.execute(statement.format(of="").encode())
