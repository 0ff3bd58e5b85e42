"""The one writer of a SQLite file: a thread that commits in groups.

An operation is answered after the commit that holds it, so that an acknowledged page survives a
power cut, and clients that wait at the same time share one fsync. Each operation of a group has a
savepoint of its own: one that fails takes nothing of its neighbours with it. Small pages that wait
together are written as one; should that fail, each is tried alone. A large one goes alone, without
a savepoint: inside one, SQLite journals each statement (8 times slower, measured).
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from ..domain.page import Committed, Page
from ..errors import OverloadedError, StoreError
from .interning import Names
from .merging import Together, kind, merge

T = TypeVar("T")
GROUP = 256
"""Operations in one commit, at most."""

WAITING = 4096
"""Submitted pages that may wait; more are refused, so that memory does not grow under overload."""

Operation = Callable[[sqlite3.Connection], Any]


class RollBackError(Exception):
    """Undo the operation and answer with `answer`: a preview."""

    def __init__(self, answer: object) -> None:
        self.answer = answer


@dataclass(slots=True)
class _Job:
    operation: Operation
    future: Future[Any]
    alone: bool = False
    page: Page | None = None


class Writer:
    """Runs operations on one connection, in order, on a thread of its own.

    connect    opens the connection, on that thread
    write      writes a page within the open transaction
    names      interned names, kept in step with the transactions
    polite     after each commit rest twice the time it took: another process serves this file
    committed  called after each commit, on that thread
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        names: Names,
        write: Callable[[sqlite3.Connection, Page], Committed],
        *,
        polite: bool = False,
        committed: Callable[[sqlite3.Connection], None] = lambda connection: None,
    ) -> None:
        self._connect = connect
        self._names = names
        self._write = write
        self._polite = polite
        self._committed = committed
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._kept = False
        """Whether anything of the group is to be written: previews leave no trace, even in the log."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ci-results-writer", daemon=True)
        self._thread.start()

    def do(self, operation: Callable[[sqlite3.Connection], T], *, alone: bool = False) -> T:
        """Run `operation` inside a transaction and return its answer once that is durable.

        `alone`: it writes so much that it shall have a transaction to itself.
        Raises what the operation raises (then nothing of it is stored), and StoreError where the
        file cannot be written: locked for too long, disk full, damaged.
        """
        if self._closed.is_set():
            raise StoreError("the store is closed")
        future: Future[T] = Future()
        self._queue.put(_Job(operation, future, alone))
        return future.result()

    def submit(self, page: Page) -> Future[tuple[int, ...]]:
        """Write `page` soon, together with others; answer with its results' ids once they are durable.

        Raises OverloadedError where WAITING wait already.
        """
        if self._closed.is_set():
            raise StoreError("the store is closed")
        if self._queue.qsize() >= WAITING:
            raise OverloadedError(f"{WAITING} submissions wait to be written: try again in a second")
        future: Future[tuple[int, ...]] = Future()
        self._queue.put(_Job(lambda connection: self._write(connection, page).ids, future, page=page))
        return future

    @property
    def waiting(self) -> int:
        """How many operations wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """Finish what was accepted and end the thread."""
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        connection = self._connect()
        waiting: _Job | None = None
        try:
            while (job := waiting or self._queue.get()) is not None:
                group, waiting, ended = self._gather(job)
                began = time.monotonic()
                # What nobody waits for any more is cancelled, and not written.
                self._commit(connection, [job for job in group if job.future.set_running_or_notify_cancel()])
                if ended:
                    break
                if self._polite:
                    time.sleep(2 * (time.monotonic() - began))
        finally:
            connection.close()

    def _gather(self, first: _Job) -> tuple[list[_Job], _Job | None, bool]:
        """Take what else waits: the group, a job that must go alone after it, and whether the end came."""
        group = [first]
        while len(group) < GROUP and not first.alone:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, None, True
            if job.alone:
                return group, job, False
            group.append(job)
        return group, None, False

    def _commit(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        answers: list[tuple[_Job, Any]] = []
        self._kept = False
        try:
            connection.execute("begin immediate")
            for _kind, jobs in groupby(group, key=lambda job: job.page and kind(job.page)):
                self._each(connection, list(jobs), answers)
            connection.execute("commit" if self._kept else "rollback")
        except Exception as err:  # noqa: BLE001 (top of a worker: it must answer and go on)
            self._undo(connection)
            problem = _store_error(err)
            for job in group:
                if not job.future.done():
                    job.future.set_exception(problem)
            return
        self._names.committed()
        for job, answer in answers:
            job.future.set_result(answer)
        if self._kept:
            self._committed(connection)

    def _each(
        self, connection: sqlite3.Connection, jobs: list[_Job], answers: list[tuple[_Job, Any]]
    ) -> None:
        """Run operations that follow each other; pages of one kind as one, unless that fails."""
        pages = [job.page for job in jobs if job.page is not None]
        if len(pages) > 1:
            together = Together(*merge(pages))
            whole = _Job(lambda connection: self._write(connection, together.page).ids, Future())
            done: list[tuple[_Job, Any]] = []
            self._one(connection, whole, done)
            if done:
                answers += zip(jobs, together.split(done[0][1]), strict=True)
                return
        for job in jobs:
            self._one(connection, job, answers)

    def _one(self, connection: sqlite3.Connection, job: _Job, answers: list[tuple[_Job, Any]]) -> None:
        """Run one operation in its savepoint; errors of the file itself end the whole group."""
        if job.alone:
            self._kept = True
            answers.append((job, job.operation(connection)))
            return
        connection.execute("savepoint operation")
        self._names.mark()
        try:
            answer = job.operation(connection)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as err:
            if isinstance(err, (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)):
                self._back(connection)
                job.future.set_exception(_store_error(err))
                return
            raise
        except RollBackError as done:
            self._back(connection)
            answers.append((job, done.answer))
        except Exception as err:  # noqa: BLE001 (top of a worker: it must answer and go on)
            self._back(connection)
            job.future.set_exception(err)
        else:
            connection.execute("release operation")
            self._names.release()
            self._kept = True
            answers.append((job, answer))

    def _back(self, connection: sqlite3.Connection) -> None:
        connection.execute("rollback to operation")
        connection.execute("release operation")
        self._names.roll_back()

    def _undo(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("rollback")
        self._names.forgotten()


def _store_error(err: Exception) -> Exception:
    """Turn an error of SQLite into one that says what an operator does next."""
    if isinstance(err, sqlite3.Error):
        return StoreError(f"the store did not take the page: {err}")
    return err
