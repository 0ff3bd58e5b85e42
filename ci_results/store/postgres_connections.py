"""Connections to PostgreSQL: a pool that writes, a pool that cannot, and errors that say what to do.

This module and its neighbours (`postgres*.py`) are imported when a postgresql:// URL is opened, for
psycopg is an extra: `pip install ci-results[postgres]`.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ..errors import InvalidError, StoreError, TooBroadError
from ..query.moment import SEQ
from .readers import HINT

Connection = psycopg.Connection[tuple[Any, ...]]

WRITERS = 4
"""Pages are prepared side by side, and stored one after the other."""

READERS = 8
CONNECT_TIMEOUT_S = 10
WAIT_S = 10.0
"""How long to wait for a free connection."""

LOCK_S = 30
"""How long a page waits for others, e.g. for a copy that fills the store; a writer that stands still with
an open transaction is ended after twice as long, so that its locks go."""

BUDGET_S = 2
"""How long a question of a machine may take; people and dumps may wait longer."""

_BY_INDEX = "set jit = off; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
"""Pages and questions of machines look rows up by index, whatever the planner believes of a table. A plan
made while tables were small, and kept, read them whole when they had grown (75 ms a page instead of
one); and the newest of each testcase was joined to all results at once."""

_WRITING = (
    f"{_BY_INDEX}; set join_collapse_limit = 1; set lock_timeout = '{LOCK_S}s';"
    f" set idle_in_transaction_session_timeout = '{2 * LOCK_S}s'"
)
_READING = f"{_BY_INDEX}; set default_transaction_read_only = on; set statement_timeout = '{BUDGET_S}s'"

_AT_LARGE = """
set transaction isolation level repeatable read; set local statement_timeout = 0;
set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on
"""


# What a decision asks is written in the order in which it is joined best; to find that took 15 ms each.
PIN: LiteralString = f"begin isolation level repeatable read; set local join_collapse_limit = 1; {SEQ}"


class Connections:
    """Hands out connections to one database, each for one piece of work."""

    def __init__(self, url: str) -> None:
        self.name = shown_url(url)
        self._url = _conninfo(url)
        self._held = threading.local()
        self._writers = self._pool(_WRITING, WRITERS)
        self._readers = self._pool(_READING, READERS)

    def _pool(self, settings: str, size: int) -> ConnectionPool[Connection]:
        def configure(connection: Connection) -> None:
            connection.execute(settings.encode())

        return ConnectionPool(
            self._url, kwargs={"autocommit": True}, min_size=0, max_size=size, timeout=WAIT_S, open=True,
            configure=configure, check=_check, num_workers=1, reconnect_timeout=CONNECT_TIMEOUT_S,
        )  # fmt: skip

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection that writes, in autocommit. Raises StoreError, InvalidError."""
        with _translated(self.name), self._writers.connection() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that only reads and stops at a time limit. Raises StoreError, TooBroadError."""
        held: Connection | None = getattr(self._held, "connection", None)
        if held is not None:
            with _translated(self.name):
                yield held
            return
        with _translated(self.name), self._readers.connection() as connection:
            yield connection

    @contextmanager
    def careful(self, values: Mapping[str, object]) -> Iterator[Connection]:
        """Yield what `reading` does; a pinned one can go on where the server refuses one of `values`.

        A NUL in a JSON list of texts is found by the server only, and its refusal ends a transaction.
        """
        with self.reading() as connection:
            if connection is getattr(self._held, "connection", None) and any(
                isinstance(value, str) and "\\u0000" in value for value in values.values()
            ):
                with connection.transaction():
                    yield connection
            else:
                yield connection

    @contextmanager
    def pinned(self) -> Iterator[int]:
        """Let what this thread reads be of one commit; yield its seq. Within another it is of the same."""
        if getattr(self._held, "connection", None) is not None:
            with self.reading() as connection:
                yield _seq(connection.execute(SEQ))
            return
        with self.reading() as connection:
            found = connection.execute(PIN)
            while found.nextset():
                pass
            self._held.connection = connection
            try:
                yield _seq(found)
            finally:
                self._held.connection = None
                connection.execute("rollback")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment of the store, for as long as it takes.

        Within `pinned` that moment and its time limit hold.
        """
        held: Connection | None = getattr(self._held, "connection", None)
        if held is not None:
            with _translated(self.name):
                yield held
            return
        with self.reading() as connection, connection.transaction():
            connection.execute(_AT_LARGE.encode())
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Yield a connection of its own, in autocommit, that ends with the block: for session locks."""
        with _translated(self.name), connect(self._url) as connection:
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self._writers.close()
        self._readers.close()


def _seq(found: psycopg.Cursor[tuple[Any, ...]]) -> int:
    row = found.fetchone()
    return int(row[0]) if row else 0


def connect(url: str) -> Connection:
    """Open one connection in autocommit. Raises psycopg.Error."""
    return psycopg.connect(_conninfo(url), autocommit=True)


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """Yield a connection of its own. Raises StoreError where the database cannot be reached or used."""
    with _translated(shown_url(url)), connect(url) as connection:
        yield connection


def stream(connection: Connection, sql: str) -> Iterator[Any]:
    """Yield rows as they are read; all of them would not fit in memory."""
    with connection.cursor(name="stream") as cursor:
        cursor.itersize = 2_000
        yield from cursor.execute(sql.encode())


def shown_url(url: str) -> str:
    """Return the URL for a message, without its password: "postgresql://ci@db.example:5432/results"."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "postgresql://..."
    user = f"{given['user']}@" if given.get("user") else ""
    port = f":{given['port']}" if given.get("port") else ""
    return f"postgresql://{user}{given.get('host', '')}{port}/{given.get('dbname', '')}"


def lock_key(schema: str, what: str) -> int:
    """Return the number of an advisory lock; a database has them in common, so the schema is in it."""
    said = f"ci-results\x1f{schema}\x1f{what}".encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little", signed=True)


def _conninfo(url: str) -> str:
    """Return what libpq connects to; what the URL leaves open is set."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as err:
        raise StoreError(f"{shown_url(url)}: {_first_line(err)}") from err
    given.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    given.setdefault("application_name", "ci-results")
    return make_conninfo("", **(given | {"client_encoding": "utf8"}))


def _check(connection: Connection) -> None:
    """Find a connection that the server has closed without asking it: then there is something to read."""
    if select.select([connection], [], [], 0)[0]:
        ConnectionPool.check_connection(connection)


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turn what psycopg raises into what an operator, or the sender, does next."""
    try:
        yield
    except PoolClosed as err:
        raise StoreError("the store is closed") from err
    except PoolTimeout as err:
        raise StoreError(f"{where}: no connection within {WAIT_S:.0f} s") from err
    except psycopg.errors.QueryCanceled as err:
        raise TooBroadError(HINT) from err
    except (psycopg.DataError, UnicodeEncodeError) as err:
        raise InvalidError(f"text that cannot be stored: {_first_line(err)}") from err
    except psycopg.Error as err:
        raise StoreError(f"{where}: {_first_line(err)}") from err


def _first_line(err: Exception) -> str:
    return str(err).strip().partition("\n")[0]
