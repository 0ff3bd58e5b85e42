"""Leases on PostgreSQL: one harvest of a source at a time, held by a session.

The lock is the session's: it goes when the process goes, a kill -9 included, and about a minute after
its host went away. The token beside it guards the commit: a page written under a lease that went to
somebody else is refused. (A pooler in front must give sessions, not transactions.)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from ..errors import BusyError
from .postgres_connections import Connection, Connections, lock_key

_SESSION = """
set idle_session_timeout = 0; set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10;
set tcp_keepalives_count = 3
"""


@contextmanager
def held(connections: Connections, schema: str, what: str, message: str) -> Iterator[Connection]:
    """Hold the lock for `what` and yield the connection that holds it. Raises BusyError(message)."""
    with connections.alone() as connection:
        connection.execute(_SESSION.encode())
        key = lock_key(schema, what)
        (ours,) = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone() or (False,)
        if not ours:
            raise BusyError(message)
        try:
            yield connection
        finally:  # at once: a session that is closed lets go of its locks only when its server has noticed
            with suppress(psycopg.Error):
                connection.execute("select pg_advisory_unlock(%s)", (key,))


@contextmanager
def leased(connections: Connections, schema: str, source: str, number: int) -> Iterator[str]:
    """Hold the right to harvest `source`, whose row is `number`; yield the token. Raises BusyError."""
    message = f"another harvest of source {source} is running"
    with held(connections, schema, f"harvest {source}", message) as connection:
        token = uuid.uuid4().hex
        connection.execute("update _source set lease = %s where id = %s", (token, number))
        try:
            yield token
        finally:
            _give_back(connection, number, token)


def _give_back(connection: Connection, number: int, token: str) -> None:
    """Take the token back; where the session has died, the lock has gone with it and the token is void."""
    try:
        connection.execute("update _source set lease = nullif(lease, %s) where id = %s", (token, number))
    except psycopg.OperationalError:
        connection.close()
