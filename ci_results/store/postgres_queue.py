"""Small pages of many clients, committed together: what waits while one commit is written is the next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import NamedTuple

from ..domain.page import Committed, Page
from ..errors import OverloadedError, StoreError
from .merging import Together, kind, merge

WAITING = 4_096
"""Pages that may wait; one more is refused."""

TOGETHER = 500
"""Pages of one commit, at most."""

Answer = Future[tuple[int, ...]]
Write = Callable[[Sequence[Page]], Sequence[Committed]]


class _Waiting(NamedTuple):
    page: Page
    answer: Answer


class PageQueue:
    """Takes pages and answers with ids, on a thread of its own that starts with the first page.

    write  stores pages in one transaction, or raises and stores none
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, page: Page) -> Answer:
        """Queue a page. Raises OverloadedError where too many wait, StoreError after `close`."""
        waiting = _Waiting(replace(page, tell_ids=True), Future())
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            try:
                self._queue.put_nowait(waiting)
            except queue.Full as err:
                raise OverloadedError(
                    f"{WAITING} submissions wait to be written: try again in a second"
                ) from err
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ci-results-pages", daemon=True)
                self._thread.start()
        return waiting.answer

    @property
    def waiting(self) -> int:
        """How many pages wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """Write what was accepted, then end."""
        with self._lock:
            self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            taken = [self._queue.get()]
            while len(taken) < TOGETHER:
                try:
                    taken.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            ended = None in taken
            # An answer nobody waits for any more is cancelled, and its page not written.
            group = [one for one in taken if one and one.answer.set_running_or_notify_cancel()]
            if group:
                self._commit(group)

    def _commit(self, group: Sequence[_Waiting]) -> None:
        kinds: dict[object, list[_Waiting]] = {}
        for one in group:
            kinds.setdefault(kind(one.page), []).append(one)
        merged = [Together(*merge([one.page for one in many])) for many in kinds.values()]
        try:
            committed = self._write([together.page for together in merged])
        except Exception as err:  # noqa: BLE001 (top of a worker: it must answer and go on)
            self._one_by_one(group, err)
            return
        for many, together, done in zip(kinds.values(), merged, committed, strict=True):
            for one, ids in zip(many, together.split(done.ids), strict=True):
                one.answer.set_result(ids)

    def _one_by_one(self, group: Sequence[_Waiting], problem: Exception) -> None:
        """Store the pages that can be stored; where it is the store that fails, all are told at once."""
        hopeless = len(group) == 1 or isinstance(problem, StoreError)
        for one in group:
            if hopeless:
                one.answer.set_exception(problem)
                continue
            try:
                (done,) = self._write([one.page])
            except Exception as err:  # noqa: BLE001 (top of a worker: it must answer and go on)
                one.answer.set_exception(err)
            else:
                one.answer.set_result(done.ids)
