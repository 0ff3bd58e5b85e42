"""Several processes on one socket: workers that answer, and on SQLite one that writes for them all.

The parent answers nothing. It starts a worker anew where one dies, and ends all where the writer does,
for then nobody knows what is stored: whoever runs us (systemd) starts us again.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from ..config import Serving
from ..errors import CiResultsError, StoreError
from ..store.handing import HandingStore
from ..store.opening import is_postgres, open_sqlite, open_store, sqlite_path
from ..store.taking import take_from_all
from .auth.access import Access
from .surroundings import Arranged

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP)
DEATHS, WITHIN_S = 5, 60.0
"""So many workers may die in such a time; one more, and something is wrong with all of them."""

END_WITHIN_S = 20
"""For one process to finish what it accepted."""

ERROR = 3
"""Exit code of a worker that cannot begin."""


def work_together(
    url: str,
    settings: Serving,
    arranged: Arranged,
    access: Access,
    listening: socket.socket,
) -> None:
    """Serve with `settings.workers` processes until SIGTERM or Ctrl-C.

    Raises StoreError where the writer or too many workers died; all others have ended then.
    """
    with TemporaryDirectory(prefix="ci-results-") as folder, _signals_held():
        # prometheus_client looks here at its import for the folder in which workers share figures.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from .answering import answer

        door = Path(folder) / "writer"

        def work() -> None:
            store = open_store(url) if is_postgres(url) else HandingStore(sqlite_path(url), door)
            with closing(store):
                answer(store, settings, arranged, access, listening, parent=os.getppid())

        crew = Crew(work, arranged.policies.reload)
        try:
            if not is_postgres(url):
                crew.begin_writer(url, door)
            crew.begin(settings.workers)
            crew.wait()
        finally:
            listening.close()  # before the workers do, or new clients would wait for us
            crew.end()


class Crew:
    """The processes of one server. `work` is what a worker does until SIGTERM.

    refresh  reads anew what workers are given at their start; at SIGHUP, and before one is replaced
    """

    def __init__(self, work: Callable[[], None], refresh: Callable[[], object] = lambda: None) -> None:
        self._work, self._refresh = work, refresh
        self._fork = multiprocessing.get_context("fork")
        self._workers: list[BaseProcess] = []
        self._writer: BaseProcess | None = None
        self._lifeline: int | None = None
        self._deaths: deque[float] = deque(maxlen=DEATHS + 1)

    def begin_writer(self, url: str, address: Path) -> None:
        """Start the process that writes; workers may knock at `address` when this returns."""
        reading, self._lifeline = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.bind(str(address))
            door.listen()
            self._writer = self._start(signal.SIG_IGN, lambda: _write(url, door, reading))
        os.close(reading)

    def begin(self, count: int) -> None:
        """Start the workers."""
        self._workers += [self._start(signal.SIG_DFL, self._work) for _ in range(count)]

    def wait(self) -> None:
        """Start workers anew that die, until a signal says to end. Raises StoreError where that is no use."""
        while (told := signal.sigwait(SIGNALS)) in (signal.SIGCHLD, signal.SIGHUP):
            if told == signal.SIGHUP:
                self._hang_up()
                continue
            if self._writer is not None and not self._writer.is_alive():
                code = self._writer.exitcode
                raise StoreError(f"the process that writes died (exit code {code}): all workers were ended")
            for worker in [each for each in self._workers if not each.is_alive()]:
                log.warning("a worker died", extra={"pid": worker.pid, "code": worker.exitcode})
                self._workers.remove(worker)
                self._count_death()
                self._refresh()
                self.begin(1)

    def end(self) -> None:
        """Let the workers answer what they accepted, then the writer store it."""
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            _join(worker)
        if self._lifeline is not None:
            os.close(self._lifeline)
        if self._writer is not None:
            _join(self._writer)

    def _hang_up(self) -> None:
        """Let every worker read anew what may be, and be ready for those that come after them."""
        for worker in self._workers:
            if worker.pid is not None and worker.is_alive():
                os.kill(worker.pid, signal.SIGHUP)
        self._refresh()

    def _start(self, when_told: signal.Handlers, target: Callable[[], None]) -> BaseProcess:
        process = self._fork.Process(target=self._child, args=(when_told, target))
        process.start()
        return process

    def _child(self, when_told: signal.Handlers, target: Callable[[], None]) -> None:
        """Run in the new process."""
        if self._lifeline is not None:
            os.close(self._lifeline)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent got it too
        signal.signal(signal.SIGTERM, when_told)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if when_told == signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # SIGHUP waits until the worker's server listens for it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, set(SIGNALS) - {signal.SIGHUP})
        try:
            target()
        except CiResultsError as err:
            log.error("a process of the server cannot go on", extra={"reason": str(err)})
            sys.exit(ERROR)

    def _count_death(self) -> None:
        self._deaths.append(time.monotonic())
        if len(self._deaths) > DEATHS and self._deaths[-1] - self._deaths[0] < WITHIN_S:
            raise StoreError(f"{len(self._deaths)} workers died within {WITHIN_S:g} s: see the log")


def _write(url: str, door: socket.socket, lifeline: int) -> None:
    with closing(open_sqlite(url, polite=False)) as store:
        take_from_all(store, door, lifeline, END_WITHIN_S)


def _join(process: BaseProcess) -> None:
    process.join(END_WITHIN_S)
    if process.is_alive():
        log.error("a process of the server does not end", extra={"pid": process.pid})
        process.kill()
        process.join()


@contextmanager
def _signals_held() -> Iterator[None]:
    """Keep our signals for `sigwait`; children let them through again."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        while signal.sigtimedwait(SIGNALS, 0):
            pass  # a second Ctrl-C is no news
        signal.signal(signal.SIGCHLD, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
