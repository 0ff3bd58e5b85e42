"""Open a store by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConfigError, NotFoundError, shown
from .protocol import Store
from .sqlite import SqliteStore, is_current_file, migrate_file

POSTGRES_SCHEMES = ("postgresql", "postgres")


def open_store(url: str, *, polite: bool | None = None, create: bool = True) -> Store:
    """Open the store at `url`, making or migrating it first.

    url     "sqlite:results.db", "sqlite:////var/lib/ci/results.db" or a plain path;
            "postgresql://user@host/database", as libpq reads it
    polite  SQLite: whether another process serves the file; None finds out
    create  PostgreSQL: make the tables where there are none, instead of raising NotFoundError

    Raises ConfigError for a URL of another kind, StoreError where the store cannot be used.
    """
    if not is_postgres(url):
        return open_sqlite(url, polite=polite)
    with _psycopg_wanted():
        from .postgres import PostgresStore
    return PostgresStore.open(url, create=create)


def open_sqlite(url: str, *, polite: bool | None = None) -> SqliteStore:
    """Open a store in a file. Raises ConfigError for a URL of another kind."""
    return SqliteStore.open(sqlite_path(url), polite=polite)


def create_store(url: str) -> bool:
    """Make the file, or the database and its tables, where they are not there; say whether they were not.

    Raises ConfigError, StoreError.
    """
    if is_postgres(url):
        with _psycopg_wanted():
            from .postgres_creating import create_store as create
        return create(url)
    path = sqlite_path(url)
    absent = not path.exists()
    migrate_file(path)
    return absent


def migrate_store(url: str) -> bool:
    """Bring the store to the schema of this version; say whether it had another.

    Raises NotFoundError where there is none, ConfigError, StoreError.
    """
    if is_postgres(url):
        with _psycopg_wanted():
            from .postgres_creating import migrate_store as migrate
        return migrate(url)
    path = sqlite_path(url)
    if not path.exists():
        raise NotFoundError(f"no store {path} yet; make it with: ci-results db create")
    return migrate_file(path)


def would_migrate(url: str) -> bool:
    """Say whether `open_store` would bring a store that is there to another schema; changes nothing.

    Raises ConfigError, StoreError.
    """
    if is_postgres(url):
        with _psycopg_wanted():
            from .postgres_creating import is_current_store
        return not is_current_store(url)
    path = sqlite_path(url)
    return path.is_file() and path.stat().st_size > 0 and not is_current_file(path)


def shown_store(url: str) -> str:
    """Return the URL for a message, without a password."""
    if is_postgres(url):
        with _psycopg_wanted():
            from .postgres_connections import shown_url
        return shown_url(url)
    return str(sqlite_path(url))


@contextmanager
def _psycopg_wanted() -> Iterator[None]:
    try:
        yield
    except ImportError as err:
        raise ConfigError("a store on PostgreSQL needs: pip install 'ci-results[postgres]'") from err


def is_postgres(url: str) -> bool:
    """Say whether `url` names a database on PostgreSQL."""
    return url.partition("://")[0] in POSTGRES_SCHEMES


def sqlite_path(url: str) -> Path:
    """Return the file that `url` names. Raises ConfigError for a URL of another kind."""
    scheme, colon, rest = url.partition(":")
    if not colon or len(scheme) == 1:
        return Path(url)
    if scheme != "sqlite":
        raise ConfigError(f"store {shown(url)}: write sqlite:FILE or postgresql://USER@HOST/DATABASE")
    return Path(rest.removeprefix("//"))
