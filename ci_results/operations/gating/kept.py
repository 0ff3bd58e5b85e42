"""Kept: answers from outside that hold for a while; who asks for the same at once waits for one answer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Entry(NamedTuple, Generic[V]):
    value: V
    until: float
    weight: int


class Kept(Generic[K, V]):
    """Threads may share it.

    weigh   how much of `most` an answer takes; what was not asked for longest goes first
    clock   seconds, that only rise
    """

    def __init__(
        self,
        most: int,
        weigh: Callable[[V], int] = lambda _: 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._weigh, self._clock = most, weigh, clock
        self._lock = Lock()
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._flights: dict[K, Future[V]] = {}
        self._weight = 0

    def get(self, key: K, ask: Callable[[V | None], tuple[V, float]]) -> V:
        """Return what is kept, or ask: `ask` gets what is too old, and gives a value and its seconds.

        What it raises is raised to all who wait for it, and is not kept.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._clock() < entry.until:
                self._entries.move_to_end(key)
                return entry.value
            flight = self._flights.get(key)
            if flight is None:
                mine = self._flights[key] = Future()
        if flight is not None:
            return flight.result()
        try:
            value, seconds = ask(None if entry is None else entry.value)
        except BaseException as err:
            with self._lock:
                del self._flights[key]
            mine.set_exception(err)
            raise
        with self._lock:
            self._keep(key, _Entry(value, self._clock() + seconds, self._weigh(value)))
            del self._flights[key]
        mine.set_result(value)
        return value

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def _keep(self, key: K, entry: _Entry[V]) -> None:
        before = self._entries.pop(key, None)
        if before is not None:
            self._weight -= before.weight
        if entry.weight > self._most:
            return
        self._weight += entry.weight
        self._entries[key] = entry
        while self._weight > self._most:
            _, gone = self._entries.popitem(last=False)
            self._weight -= gone.weight
