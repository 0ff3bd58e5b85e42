"""The thread that counts days ends, whenever it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ci_results.errors import StoreError
from ci_results.store.postgres_daily import Follower


@contextmanager
def away() -> Iterator[Any]:
    raise StoreError("away")
    yield


class ClosedJustThen(threading.Event):
    """The end, told at the moment when nobody waits for it any more."""

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self._follower = follower

    def wait(self, timeout: float | None = None) -> bool:
        came = self.is_set()
        self.set()
        self._follower._due.set()
        return came


def test_an_end_that_comes_as_the_pause_is_over_is_not_forgotten() -> None:
    follower = Follower(away, "public")
    follower._end = ClosedJustThen(follower)
    follower.committed()
    thread = follower._thread
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
