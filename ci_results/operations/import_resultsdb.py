"""Import: copy what a remote ResultsDB has, page by page, from where the last import ended.

Results are walked from the oldest on by `since`, so that each page is one index range at the remote,
whatever comes in between, and a page and the place it reaches are one transaction here.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from ..collect.progress import SourceReport, State, state_of
from ..collect.refine import tell_stored
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.stored import SourceState
from ..errors import (
    CiResultsError,
    CollectError,
    ConfigError,
    SourceGarbledError,
    SourceUnavailableError,
    shown,
)
from ..plugin.manager import Plugins
from ..store.protocol import Store
from ..wire.resultsdb_client import to_time
from ..wire.resultsdb_served import ServedResults, served_group, served_testcase
from .imported import KIND, imported, read_each, times
from .reached import Reached

if TYPE_CHECKING:
    from ..plugin.http import SourceSession

log = logging.getLogger(__name__)

T = TypeVar("T")

DOOR = "import"
"""The door of all that is imported, and what the source's collector is called."""

PAGE_ROWS = 500
MOST_ROWS = 16_000
"""A page grows up to this while all its results are of one moment."""

OVERLAP = timedelta(minutes=15)
"""How far the next import goes back: what was being written at the remote may appear late."""

FIRST_PAUSE_S = 5.0
RETRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How far an import is: what it copies now, how many results it has read, the time it has reached."""

    what: str
    read: int = 0
    counts: Committed = field(default_factory=Committed)
    reached: datetime | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Importing:
    """What an import needs.

    url       of the remote's API: "https://resultsdb.example/api/v2.0"
    source    what the results are stored under, with their ids as keys
    outcomes  words that this installation adds
    since     ask again from this time on, and for all groups; None = for what is new
    stop      set = end after the page
    """

    url: str
    source: str
    store: Store
    http: SourceSession
    plugins: Plugins
    outcomes: Sequence[str] = ()
    since: datetime | None = None
    stop: Event = field(default_factory=Event)
    tell: Callable[[Copied], None] = lambda copied: None
    first_pause_s: float = FIRST_PAUSE_S


def import_resultsdb(given: Importing) -> SourceReport:
    """Copy testcases, groups and results; say how it ended. Raises ConfigError for a source that is taken.

    What is here already is stored once; what cannot be stored goes to the quarantine.
    """
    _check_source(given)
    return _Import(given).run()


def _check_source(given: Importing) -> None:
    """Refuse a source of another kind, or of another remote: its ids would be taken for those of this one."""
    known = next((state for state in given.store.sources() if state.name == given.source), None)
    if known is None:
        return
    if known.collector != DOOR:
        kind = known.collector or "api"
        raise ConfigError(f"source {given.source} holds results of {kind}: give another name with --source")
    if known.url != given.url:
        raise ConfigError(
            f"source {given.source} was imported from {known.url}: give another name with --source"
        )


class _Import:
    """One import, with what it has counted so far."""

    def __init__(self, given: Importing) -> None:
        self.given, self.store, self.http = given, given.store, given.http
        self.served = ServedResults(given.outcomes)
        self.reached = Reached()
        self.cursor: str | None = None
        self.lease: str | None = None
        self.counts = Committed()
        self.reasons: Counter[str] = Counter()
        self.pages = self.read = 0
        self.testcases_done = False
        self.begun = time.monotonic()

    def run(self) -> SourceReport:
        given, error = self.given, None
        try:
            self.store.register_source(SourceState(name=given.source, collector=DOOR, url=given.url))
            with self.store.lease(given.source) as self.lease:
                self.cursor = self.store.cursor(given.source)
                kept = Reached.from_text(self.cursor)
                self.reached = kept if given.since is None else Reached(since=given.since)
                state = self._with_retries()
        except CiResultsError as err:
            error, state = str(err), state_of(err)
        if state not in (State.BUSY, State.STOPPED, State.STORE):
            self.store.note_attempt(given.source, error)
        log.info("import ended", extra={"source": given.source, "state": str(state)})
        return SourceReport(
            source=given.source, state=state, counts=self.counts, error=error, pages=self.pages,
            requests=self.http.requests_sent, received_bytes=self.http.bytes_received,
            seconds=time.monotonic() - self.begun, reasons=dict(self.reasons.most_common(20)),
        )  # fmt: skip

    def _with_retries(self) -> State:
        """Go on from what is reached where the remote went away in between, waiting longer each time."""
        failures = 0
        while True:
            before = self.reached
            try:
                return State.OK if self._copy() else State.STOPPED
            except CollectError as err:
                failures = failures + 1 if self.reached == before else 1
                away = isinstance(err, SourceUnavailableError) or (err.status or 0) >= 500
                if not away or failures > RETRIES:
                    raise
                wait_s = self.given.first_pause_s * 2 ** (failures - 1)
                self._tell("waiting", f"{err}; again in {wait_s:.0f} s")
                if self.given.stop.wait(wait_s):
                    return State.STOPPED

    def _copy(self) -> bool:
        """Copy what is left; say whether that was all (else somebody asked to stop)."""
        return self._testcases() and self._groups() and self._results()

    def _testcases(self) -> bool:
        """Copy all testcases, a few requests each time."""
        page, more = 0, not self.testcases_done
        while more:
            rows, more = self._page("testcases", limit=PAGE_ROWS, page=page)
            found, bad = read_each(rows, served_testcase, "name")
            described = {name: url for name, url in found if url is not None}
            self._commit(
                "testcases", ref_urls=described, quarantine=bad,
                testcases=[name for name, url in found if url is None],
            )  # fmt: skip
            page += 1
            if self.given.stop.is_set():
                return False
        self.testcases_done = True
        return True

    def _groups(self) -> bool:
        """Copy groups, the newest first, to the one that was the newest when all of them were here."""
        while not self.reached.groups_done:
            rows, more = self._page("groups", limit=PAGE_ROWS, page=self.reached.page)
            found, bad = read_each(rows, served_group, "uuid")
            self.reached = self.reached.after_groups([uuid for uuid, _said in found], more=more)
            self._commit("groups", groups=dict(found), quarantine=bad)
            if self.given.stop.is_set():
                return False
        return True

    def _results(self) -> bool:
        """Copy results, the oldest first, from the time that is reached, less the overlap."""
        since = self.reached.since and self.reached.since - OVERLAP
        page, limit, more = 0, PAGE_ROWS, True
        while more:
            now, asked = datetime.now(UTC), since and to_time(since)
            rows, more = self._page("results", since=asked, _sort="asc:submit_time", limit=limit, page=page)
            results, bad = read_each(rows, self._result, "id", KIND)
            # A claim of the future moves nothing: what is of now would be passed over with it.
            latest = max((time for time in times(rows) if time <= now), default=None)
            self.read += len(rows)
            self.reached = self.reached.after_results(latest)
            self._commit("results", results=results, quarantine=bad)
            if self.given.stop.is_set():
                return not more
            if latest is not None and (since is None or latest > since):
                since, page, limit = latest, 0, PAGE_ROWS
            elif page == 0 and len(rows) == limit and limit < MOST_ROWS:
                limit *= 2  # all of one moment: pages of equal times may not be told apart, so ask for more
            else:
                page += 1
        return True

    def _result(self, element: Any) -> Result:
        return imported(element, self.given.source, self.served)

    def _page(self, collection: str, **params: Any) -> tuple[list[Any], bool]:
        """Return the rows of a page, and whether more follow. Raises CollectError."""
        url = f"{self.given.url}/{collection}"
        found = self.http.get_json(url, **params)
        rows = found.get("data") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise SourceGarbledError(f"{url}: no page of ResultsDB's: {shown(found)}")
        return rows, bool(rows) and found.get("next") is not None

    def _commit(self, what: str, **fields: Any) -> None:
        """Store a page, with the place that it reaches."""
        cursor = self.reached.to_text()
        page = Page(
            source=self.given.source,
            door=DOOR,
            read_from=self.cursor,
            cursor=cursor,
            lease=self.lease,
            **fields,
        )
        committed = self.store.commit_page(page)
        self.cursor = cursor
        self.counts += committed
        self.pages += 1
        self.reasons.update(bad.reason for bad in page.quarantine)
        for fault in tell_stored(page, committed, self.given.plugins.hook) if page.results else ():
            log.warning("a plugin's results_stored failed", extra={"fault": fault})
        self._tell(what)

    def _tell(self, what: str, note: str = "") -> None:
        reached = self.reached.since if what == "results" else None
        self.given.tell(Copied(what=what, read=self.read, counts=self.counts, reached=reached, note=note))
