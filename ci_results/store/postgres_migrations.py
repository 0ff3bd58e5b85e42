"""Bring a PostgreSQL database to the schema of this version, in one transaction: all of it or nothing.

Two processes that start at once take turns at an advisory lock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

from ..domain.outcome import Outcome
from ..errors import StoreError
from .postgres_connections import Connection, lock_key
from .postgres_partitions import add_partition

MIGRATIONS: Mapping[int, str] = {
    2: "postgres_schema.sql",
    3: "postgres_schema3.sql",
    4: "postgres_schema4.sql",
    5: "postgres_schema5.sql",
    6: "postgres_schema6.sql",
    7: "postgres_schema7.sql",
    8: "postgres_schema8.sql",
    9: "postgres_schema9.sql",
    10: "postgres_schema10.sql",
}
"""The schema that each SQL file reaches, in order; numbers are those of SQLite's schemas."""

VERSION = max(MIGRATIONS)

STRANGER = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relkind in ('r', 'p') limit 1
"""


def migrate(connection: Connection) -> bool:
    """Bring the database to VERSION with fresh views; say whether anything changed.

    Raises StoreError for a database that a newer version made, one that is not ours, or one of
    another encoding than UTF8.
    """
    if is_current(connection):
        return False
    schema = current_schema(connection)
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (lock_key(schema, "migrate"),))
        found = version(connection)
        _check_usable(connection, schema, found)
        for number, name in MIGRATIONS.items():
            if number > found:
                connection.execute(_sql(name).encode())
        if not found:
            _fill(connection)
        _renew_views(connection)
        _remember(connection, "schema", str(VERSION))
    return True


def is_current(connection: Connection) -> bool:
    """Say whether the database has the schema and the views of this version; reads only."""
    return version(connection) == VERSION and _views(connection) == _sql("postgres_views.sql")


def version(connection: Connection) -> int:
    """Return the schema that the database has; 0 = none of ours."""
    if not _has_meta(connection):
        return 0
    row = connection.execute("select value from _meta where key = 'schema'").fetchone()
    return int(str(row[0])) if row else 0


def current_schema(connection: Connection) -> str:
    """Return the schema that our names are looked up in. Raises StoreError where there is none."""
    row = connection.execute("select current_schema()").fetchone()
    if row is None or row[0] is None:
        raise StoreError("the search_path of the connection names no schema that is there")
    return str(row[0])


def _check_usable(connection: Connection, schema: str, found: int) -> None:
    if found > VERSION:
        raise StoreError(
            f"the store has schema {found}, this ci-results knows up to {VERSION}: upgrade ci-results"
        )
    (encoding,) = connection.execute("show server_encoding").fetchone() or ("",)
    if encoding != "UTF8":
        raise StoreError(f"the database has encoding {encoding}: create one with encoding UTF8")
    stranger = (
        "select relname from pg_class where relnamespace = to_regnamespace(%s) and relkind in ('r', 'p')"
    )
    other = None if found else connection.execute(f"{stranger} limit 1", (f'"{schema}"',)).fetchone()
    if other:
        raise StoreError(
            f"schema {schema} has tables of something else, e.g. {other[0]}: name another database"
        )


def _fill(connection: Connection) -> None:
    """Number the outcomes that every installation knows, and the variant that is none."""
    words = [(str(word),) for word in Outcome]
    connection.cursor().executemany("insert into _outcome (word) values (%s)", words)
    connection.execute("insert into _variant (id) values (0)")
    add_partition(connection, 0)


def _renew_views(connection: Connection) -> None:
    text = _sql("postgres_views.sql")
    names = re.compile(r"^create or replace view (\w+)", re.MULTILINE)
    for name in set(names.findall(_views(connection) or "")) - set(names.findall(text)):
        connection.execute(f"drop view if exists {name}".encode())
    connection.execute(text.encode())
    _remember(connection, "views", text)


def _has_meta(connection: Connection) -> bool:
    row = connection.execute("select to_regclass('_meta')").fetchone()
    return row is not None and row[0] is not None


def _views(connection: Connection) -> str | None:
    if not _has_meta(connection):
        return None
    row = connection.execute("select value from _meta where key = 'views'").fetchone()
    return str(row[0]) if row else None


def _remember(connection: Connection, key: str, value: str) -> None:
    connection.execute(
        "insert into _meta (key, value) values (%s, %s)"
        " on conflict (key) do update set value = excluded.value",
        (key, value),
    )


def _sql(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
