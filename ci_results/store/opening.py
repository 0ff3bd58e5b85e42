"""Open a store by its URL."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError, shown
from .sqlite import SqliteStore


def open_store(url: str, *, polite: bool | None = None) -> SqliteStore:
    """Open the store at `url`: "sqlite:results.db", "sqlite:////var/lib/ci/results.db" or a plain path.

    Raises ConfigError for a URL of another kind, StoreError where the file cannot be used.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or len(scheme) == 1:
        return SqliteStore.open(Path(url), polite=polite)
    if scheme != "sqlite":
        raise ConfigError(f"store {shown(url)}: this version keeps results in SQLite; write sqlite:FILE")
    return SqliteStore.open(Path(rest.removeprefix("//")), polite=polite)
