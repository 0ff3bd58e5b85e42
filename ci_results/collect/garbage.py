"""How often Python looks for cyclic garbage while rows pass through in bulk."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

ROWS_THRESHOLDS = (200_000, 20, 100)
"""Python's own are (700, 10, 10): with them an import spends a fifth of its time in the search."""

_lock = Lock()
_before: list[tuple[int, int, int]] = []
"""What to go back to, once for each who asked: the thresholds are of the whole process."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Search more seldom: observations, results and rows are made and dropped without a cycle."""
    with _lock:
        _before.append(_before[0] if _before else gc.get_threshold())
        gc.set_threshold(*ROWS_THRESHOLDS)
    try:
        yield
    finally:
        with _lock:
            ours = _before.pop()
            if not _before:
                gc.set_threshold(*ours)
