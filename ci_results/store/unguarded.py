"""Insert a large page of results without asking the trigger that refuses INSERT OR REPLACE, row by row.

While a table has an insert trigger, SQLite first writes all rows of a statement into a temporary
table: with the trigger's two look-ups that is a third of what inserting costs (measured). So a
large page takes the trigger away and puts it back, both within the transaction that writes the
page: nobody else can write meanwhile, nobody else ever sees the store without it, and what ends the
transaction early, kill -9 too, brings it back. Our own statement needs it not: it never replaces.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

LARGE = 2_000
"""Rows from which on it pays: other connections read the schema anew after it, a millisecond or two."""

_GUARD = "select sql from sqlite_master where type = 'trigger' and name = '_result_no_replace'"


@contextmanager
def unguarded(connection: sqlite3.Connection, rows: int) -> Iterator[None]:
    """Insert `rows` results inside, by statements that say neither OR REPLACE nor OR IGNORE.

    There must be an open transaction, or a savepoint, which the caller undoes where this raises: only
    that brings the trigger back then.
    """
    guard = connection.execute(_GUARD).fetchone() if rows >= LARGE else None
    if guard is None:
        yield
        return
    connection.execute("drop trigger _result_no_replace")
    yield
    connection.execute(guard[0])
