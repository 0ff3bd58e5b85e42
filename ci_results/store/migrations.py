"""Bring a SQLite file to the schema of this version, in one transaction: all of it or nothing.

Never use sqlite-utils' `transform()` in a migration: it drops triggers, and with them append-only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from importlib.resources import files

from ..domain.outcome import Outcome
from ..errors import StoreError

MIGRATIONS: Sequence[str] = (
    "schema.sql", "schema2.sql", "schema3.sql", "schema4.sql", "schema5.sql", "schema6.sql",
    "schema7.sql", "schema8.sql", "schema9.sql", "schema10.sql",
)  # fmt: skip
"""SQL files in order; the version of a file is how many of them it has seen."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> bool:
    """Bring the database to VERSION with fresh views; say whether anything changed.

    Safe to interrupt, and safe to start from two processes at once. Raises StoreError for a file
    that a newer version made, or one that is not ours.
    """
    if is_current(connection):
        return False
    connection.execute("begin immediate")
    try:
        version = _version(connection)
        if version > VERSION:
            raise StoreError(
                f"the store has schema {version}, this ci-results knows up to {VERSION}: upgrade ci-results"
            )
        if version == 0 and connection.execute("select 1 from sqlite_master limit 1").fetchone():
            raise StoreError("the file is a SQLite database of something else: name another file")
        for name in MIGRATIONS[version:]:
            _run(connection, _sql(name))
        if version == 0:
            _fill(connection)
        _renew_views(connection)
        connection.execute("insert or replace into _meta (key, value) values ('schema', ?)", (str(VERSION),))
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return True


def is_current(connection: sqlite3.Connection) -> bool:
    """Say whether the database has the schema and the views of this version; reads only."""
    return _version(connection) == VERSION and _views(connection) == _sql("views.sql")


def _version(connection: sqlite3.Connection) -> int:
    if not connection.execute("select 1 from sqlite_master where name = '_meta'").fetchone():
        return 0
    row = connection.execute("select value from _meta where key = 'schema'").fetchone()
    return int(row[0]) if row else 0


def _views(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("select value from _meta where key = 'views'").fetchone()
    return str(row[0]) if row else None


def _fill(connection: sqlite3.Connection) -> None:
    """Number the outcomes that every installation knows, and the variant that is none."""
    connection.executemany(
        "insert into _outcome (id, word) values (?, ?)",
        [(n, str(word)) for n, word in enumerate(Outcome, start=1)],
    )
    connection.execute("insert into _variant (id, scenario, arch) values (0, '', '')")


def _renew_views(connection: sqlite3.Connection) -> None:
    text = _sql("views.sql")
    for name in re.findall(r"^create view (\w+)", (_views(connection) or "") + text, re.MULTILINE):
        connection.execute(f"drop view if exists {name}")
    _run(connection, text)
    connection.execute("insert or replace into _meta (key, value) values ('views', ?)", (text,))


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Run a script inside the open transaction; executescript would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _sql(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
