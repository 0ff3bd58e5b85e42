"""The store of a worker on SQLite: it reads the file itself, and hands what writes to the one writer.

Reads are local `mode=ro` connections. A writer that is gone (see taking for its side) is an error of
every call, never silence: what it had accepted and not answered may or may not be stored.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from ..domain.bus_message import ListenerState
from ..domain.expectation import Awaited, StoredEvent
from ..domain.page import Committed, Page
from ..domain.plan import Plan, PlanVersion
from ..domain.stored import SourceState
from ..domain.waiver import Act, WaiverEvent
from ..errors import OverloadedError, StoreError
from ..query.dialect import SQLITE
from .bus_log import BusLog
from .lines import Line
from .outgoing import Ask
from .sqlite import SqliteStore
from .waivers import WaiverLog
from .writer import WAITING

T = TypeVar("T")
GONE = "the process that writes has ended"


class HandingStore(SqliteStore):
    """A SqliteStore without a writer of its own. `address` is the writer's Unix socket."""

    def __init__(self, path: Path, address: Path) -> None:
        self._hand = _Hand(address)
        super().__init__(path, polite=False)
        self.waivers = _HandingLog(self._readers.ask, self._change, SQLITE)
        self.waivers.hand = self._hand
        self.bus = _HandingBus(self._ask, self._change, SQLITE)
        self.bus.hand = self._hand

    def _open_writer(self) -> Any:
        return self._hand

    def commit_page(self, page: Page) -> Committed:
        """Store a page; see protocol."""
        answer: Committed = self._hand.ask("commit_page", page)
        return answer

    def submit(self, page: Page) -> Future[tuple[int, ...]]:
        """Store a small page soon; see protocol."""
        return self._hand.give("submit", page)

    def waiting(self) -> int:
        """Count submissions that wait in the writer; see protocol."""
        answer: int = self._hand.ask("waiting")
        return answer

    def preview_page(self, page: Page) -> Committed:
        """Count what commit_page would do; see protocol."""
        answer: Committed = self._hand.ask("preview_page", page)
        return answer

    def register_source(self, state: SourceState) -> None:
        """Make a source known; see protocol."""
        self._hand.ask("register_source", state)

    def forget_source(self, source: str) -> None:
        """Drop cursor and jobs; see protocol."""
        self._hand.ask("forget_source", source)

    def resolve(self, record_id: int, resolution: str) -> None:
        """Close a quarantined record; see protocol."""
        self._hand.ask("resolve", record_id, resolution)

    def save_plan(self, plan: Plan, actor: str, *, before: int) -> tuple[PlanVersion, bool]:
        """Store a version of a plan; see protocol."""
        answer: tuple[PlanVersion, bool] = self._hand.ask("_save_plan", plan, actor, before)
        return answer

    def save_events(self, events: Sequence[Awaited]) -> list[StoredEvent]:
        """Store events; see protocol."""
        answer: list[StoredEvent] = self._hand.ask("save_events", list(events))
        return answer

    def _change(self, operation: Callable[[Ask], T], *, alone: bool = False) -> T:
        raise StoreError("a worker of a server delivers nothing: run ci-results deliver")

    def _update_source(self, source: str, change: str, value: object, error: str | None = None) -> None:
        self._hand.ask("_update_source", source, change, value, error)


class _HandingLog(WaiverLog):
    """Reads events itself, and lets the writer append."""

    hand: _Hand

    def append(self, acts: Sequence[Act], seen: Mapping[int, int] | None = None) -> list[WaiverEvent]:
        """Append acts; see WaiverLog."""
        appended: list[WaiverEvent] = self.hand.ask("_append_waivers", list(acts), dict(seen or {}))
        return appended


class _HandingBus(BusLog):
    """Reads itself, and lets the writer note."""

    hand: _Hand

    def note(self, state: ListenerState) -> None:
        """Remember how a listener fares; see BusLog."""
        self.hand.ask("_note_listener", state)


class _Hand:
    """Gives operations to the writer; remembers who waits for which. Safe from many threads."""

    def __init__(self, address: Path) -> None:
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            end.connect(str(address))
        except OSError as err:
            end.close()
            raise StoreError(f"{GONE}: {err}") from err
        self._line = Line(end)
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._open: dict[int, Future[Any]] = {}
        self._gone = ""
        threading.Thread(target=self._receive, name="ci-results-hand", daemon=True).start()

    def give(self, name: str, *args: object) -> Future[Any]:
        """Let the writer do `name`. Raises OverloadedError where too much is open, StoreError without one."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._gone:
                raise StoreError(self._gone)
            if len(self._open) >= WAITING:
                raise OverloadedError(f"{WAITING} submissions wait to be written: try again in a second")
            number = next(self._numbers)
            self._open[number] = future
        self._line.put((number, name, args))
        return future

    def ask(self, name: str, *args: object) -> Any:
        """Let the writer do `name` and wait for its answer."""
        return self.give(name, *args).result()

    def close(self) -> None:
        """Let go; the writer goes on with what it has."""
        with self._lock:
            self._gone = "the store is closed"
        self._line.close()

    def _receive(self) -> None:
        for number, answer, error in self._line:
            with self._lock:
                future = self._open.pop(number)
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)
        with self._lock:
            self._gone = self._gone or GONE
            left, self._open = self._open, {}
        for future in left.values():
            future.set_exception(StoreError(self._gone))
