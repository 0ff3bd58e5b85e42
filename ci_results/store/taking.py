"""The writer of several workers on SQLite: it does what they hand over (see handing), and answers them."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ..errors import CiResultsError, StoreError
from .lines import Line
from .sqlite import SqliteStore

HANDED = frozenset(
    {
        "_append_waivers", "_note_listener", "_save_plan", "_update_source", "commit_page", "forget_source",
        "preview_page",
        "register_source", "resolve", "save_events", "submit", "waiting",
    }
)  # fmt: skip
"""The operations that the writer does for others."""

AT_ONCE = 4
"""Operations but `submit` that the writer does at once, for one worker."""


def take_from_all(store: SqliteStore, door: socket.socket, lifeline: int, end_within_s: float) -> None:
    """Take from each worker that knocks at `door`, a Unix socket that listens.

    Returns once the other end of the pipe `lifeline` is closed and the workers are gone, which have
    `end_within_s` for it.
    """
    takers: list[threading.Thread] = []
    with selectors.DefaultSelector() as events:
        events.register(door, selectors.EVENT_READ)
        events.register(lifeline, selectors.EVENT_READ)
        while all(key.fileobj is door for key, _ in events.select()):
            end, _ = door.accept()
            taker = threading.Thread(target=take, args=(store, end), name="ci-results-taker", daemon=True)
            taker.start()
            takers = [taker, *(each for each in takers if each.is_alive())]
    deadline = time.monotonic() + end_within_s
    for taker in takers:
        taker.join(max(0, deadline - time.monotonic()))


def take(store: SqliteStore, end: socket.socket) -> None:
    """Do on `store` what the worker at the other end hands over, until it is gone."""
    line = Line(end)
    with ThreadPoolExecutor(AT_ONCE, "ci-results-take") as pool:
        for number, name, args in line:
            _Taken(store, line, number).begin(pool, name, args)
    line.close()


class _Taken:
    """One operation that a worker gave."""

    def __init__(self, store: SqliteStore, line: Line, number: int) -> None:
        self._store = store
        self._line = line
        self._number = number

    def begin(self, pool: ThreadPoolExecutor, name: str, args: tuple[Any, ...]) -> None:
        """Start it; its answer goes out when it is done."""
        if name not in HANDED:
            self._answer(None, StoreError(f"no operation {name}"))
        elif name == "submit":
            try:
                self._store.submit(*args).add_done_callback(self._done)
            except CiResultsError as err:
                self._answer(None, err)
        else:
            pool.submit(getattr(self._store, name), *args).add_done_callback(self._done)

    def _done(self, future: Future[Any]) -> None:
        error = future.exception()
        if error is None:
            self._answer(future.result(), None)
        else:
            self._answer(None, error if isinstance(error, CiResultsError) else StoreError(repr(error)))

    def _answer(self, answer: object, error: BaseException | None) -> None:
        self._line.put((self._number, answer, error))
