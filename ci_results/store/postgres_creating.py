"""Create a store on PostgreSQL where there is none, and bring one to the schema of this version."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ..errors import NotFoundError
from .postgres_connections import connect, opened, shown_url
from .postgres_migrations import is_current, migrate, version

MAINTENANCE = "postgres"
"""The database that every server has; from here others are created."""

_SEARCH_PATH = "select trim(both ' \"' from split_part(current_setting('search_path'), ',', 1))"


def create_store(url: str) -> bool:
    """Create the database that `url` names, the schema that its options name, and our tables.

    Say whether there was no store. The user must be allowed to (createdb). Raises StoreError.
    """
    if not _there(url):
        _create_database(url)
    with opened(url) as connection:
        row = connection.execute("select current_schema() is null").fetchone()
        if row is not None and row[0]:
            (name,) = connection.execute(_SEARCH_PATH).fetchone() or ("",)
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(str(name))))
        absent = not version(connection)
        migrate(connection)
    return absent


def migrate_store(url: str) -> bool:
    """Bring the store to the schema of this version; say whether it had another. Raises NotFoundError."""
    with opened(url) as connection:
        if not version(connection):
            raise NotFoundError(f"no store in {shown_url(url)} yet; make it with: ci-results db create")
        return migrate(connection)


def is_current_store(url: str) -> bool:
    """Say whether the store has the schema of this version, or is not there yet; changes nothing."""
    with opened(url) as connection:
        return not version(connection) or is_current(connection)


def _there(url: str) -> bool:
    """Say whether the database can be reached; if not, why is told by whoever goes on."""
    try:
        connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(url: str) -> None:
    given = conninfo_to_dict(url)
    name = str(given.get("dbname") or "")
    with opened(make_conninfo("", **(given | {"dbname": MAINTENANCE, "options": None}))) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            command = "create database {} encoding 'UTF8' template template0"
            connection.execute(sql.SQL(command).format(sql.Identifier(name)))
