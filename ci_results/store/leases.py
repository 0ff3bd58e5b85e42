"""Leases: one harvest of a source at a time, held by a lock of the operating system.

A kill -9 releases it. The token beside it guards the commit: a page written under a lease that
went to somebody else is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import BusyError


def lock_path(store: Path, name: str) -> Path:
    """Return the lock file for `name` beside the store: "results.db.lock-1f3a..."."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return store.with_name(f"{store.name}.lock-{digest}")


@contextmanager
def locked(store: Path, name: str, message: str) -> Iterator[None]:
    """Hold the lock for `name`. Raises BusyError(message) where another process or thread has it."""
    lock = FileLock(lock_path(store, name), timeout=0, is_singleton=False)
    try:
        lock.acquire()
    except Timeout as err:
        raise BusyError(message) from err
    try:
        yield
    finally:
        lock.release()


def is_locked(store: Path, name: str) -> bool:
    """Say whether somebody holds the lock for `name` now."""
    path = lock_path(store, name)
    if not path.exists():
        return False
    try:
        with locked(store, name, ""):
            return False
    except BusyError:
        return True
