"""What the URL of a store says of its file; imports nothing, for every command looks at it."""

from __future__ import annotations

from pathlib import Path


def store_path(url: str) -> Path | None:
    """Return the file of a SQLite store, None where the store is no file."""
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "sqlite":
        return Path(rest)
    return None if colon and "//" in rest else Path(url)


def counted_from(url: str, folder: Path) -> str:
    """Make a relative file count from a folder.

    >>> counted_from("sqlite:results.db", Path("/etc/ci"))
    'sqlite:/etc/ci/results.db'
    """
    path = store_path(url)
    return url if path is None or path.is_absolute() or str(path) == ":memory:" else f"sqlite:{folder / path}"
