"""Remembered: answers of others that hold for a short while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MOST = 4096


class Remembered(Generic[K, V]):
    """At most `most` answers; beyond, the one that came first is forgotten."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._answers: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Return the answer, None where there is none that still holds."""
        found = self._answers.get(key)
        if found is None:
            return None
        if self._clock() < found[0]:
            return found[1]
        del self._answers[key]
        return None

    def put(self, key: K, answer: V, for_s: float) -> None:
        """Let `answer` hold for so long."""
        self._answers.pop(key, None)
        while len(self._answers) >= self._most:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = (self._clock() + for_s, answer)
