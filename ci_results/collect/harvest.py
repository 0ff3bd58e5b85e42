"""Harvest one source: from its cursor to its last Checkpoint, a page a transaction."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from ..domain.garbled import Garbled
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.stored import SourceState
from ..errors import CiResultsError, SourceUnavailableError
from ..plugin.faults import guarded, plugin_call
from ..store.protocol import Store
from .pages import Draft, cut
from .progress import Progress, SourceReport, State, Tell, state_of
from .refine import Normalise, refine, tell_stored
from .source import Source

if TYPE_CHECKING:
    from ..plugin.http import SourceSession

log = logging.getLogger(__name__)

HARVEST_ROWS = 1_000
"""Rows of a page between Checkpoints: smaller than a file's, for many sources hold one at once."""

CHECKPOINT_ROWS = 250
CHECKPOINT_S = 1.0
"""A Checkpoint is committed where so many rows wait, or the last commit is so long ago."""

FIRST_PAUSE_S = 5.0
"""The first pause before a source that went away is asked again."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What every source of a harvest shares.

    connect    opens the session of a source
    normaliser gives the `normalise` of a source
    hook       relay of the plugins' hooks
    stop       set = end at the next Checkpoint
    dry_run    count only, write nothing
    """

    store: Store
    connect: Callable[[Source], SourceSession]
    normaliser: Callable[[Source], Normalise]
    hook: Any
    stop: Event = field(default_factory=Event)
    tell: Tell
    dry_run: bool = False


def harvest_source(source: Source, around: Surroundings) -> SourceReport:
    """Harvest `source` as far as it goes and say how it ended; raises nothing that a source can cause."""
    return _Harvest(source, around).run()


class _Harvest:
    """One harvest of one source, with what it has counted so far."""

    def __init__(self, source: Source, around: Surroundings) -> None:
        self.source = source
        self.around = around
        self.counts = Committed()
        self.pages = 0
        self.reasons: Counter[str] = Counter()
        self.cursor: str | None = None
        self.lease: str | None = None
        self.session: SourceSession | None = None
        self.committed_at = time.monotonic()

    def run(self) -> SourceReport:
        begin = time.monotonic()
        error: CiResultsError | None = None
        last_ok = _last_ok(self.around.store, self.source.name)
        state = State.OK
        try:
            state = self._under_lease()
        except CiResultsError as err:
            error = err
            state = state_of(err)
        report = SourceReport(
            source=self.source.name,
            state=state,
            counts=self.counts,
            error=None if error is None else str(error),
            last_ok=last_ok,
            pages=self.pages,
            requests=getattr(self.session, "requests_sent", 0),
            received_bytes=getattr(self.session, "bytes_received", 0),
            seconds=time.monotonic() - begin,
            reasons=dict(self.reasons.most_common(20)),
        )
        self._note(report)
        return report

    def _under_lease(self) -> State:
        around, source = self.around, self.source
        with ExitStack() as held:
            self.session = around.connect(source)
            held.callback(self.session.close)
            if not around.dry_run:
                around.store.register_source(
                    SourceState(
                        name=source.name,
                        collector=source.collector.name,
                        url=source.url,
                        owner=source.owner,
                        contact=source.contact,
                    )
                )
                self.lease = held.enter_context(around.store.lease(source.name))
            self.cursor = around.store.cursor(source.name)
            return self._with_retries(self.session)

    def _with_retries(self, session: SourceSession) -> State:
        """Go on from the last Checkpoint where the source went away in between, waiting longer each time.

        A source that gives nothing at all is left alone: the session has tried it often enough.
        """
        wait_s = FIRST_PAUSE_S
        for _ in range(self.source.retries):
            pages = self.pages
            try:
                return self._once(session)
            except SourceUnavailableError as err:
                if self.pages == pages:
                    raise
                self._tell(State.WAITING, f"{err}; again in {wait_s:.0f} s")
                if self.around.stop.wait(wait_s):
                    return State.STOPPED
                wait_s *= 2
        return self._once(session)

    def _once(self, session: SourceSession) -> State:
        source, around = self.source, self.around
        what = f"harvest of {source.name}"
        with plugin_call(what, source.collector):
            seen = source.collector.harvest(source.options, self.cursor, session)
        normalise = around.normaliser(source)
        self._tell(State.HARVESTING)
        with _closing(guarded(seen, what, source.collector)) as things, _Aside(source.name) as aside:
            for draft in cut(things, HARVEST_ROWS, enough=self._enough):
                results, refused = refine(draft.seen, normalise, around.hook)
                aside.wait()
                aside.begin(self._commit, draft, results, [*draft.garbled, *refused])
                if around.stop.is_set() and draft.cursor is not None:
                    break
        return State.STOPPED if around.stop.is_set() else State.OK

    def _enough(self, rows: int) -> bool:
        """Say whether to commit at a Checkpoint: each waits for the disk, so not for every small job."""
        waited_s = time.monotonic() - self.committed_at
        return rows >= CHECKPOINT_ROWS or waited_s >= CHECKPOINT_S or self.around.stop.is_set()

    def _commit(self, draft: Draft, results: list[Result], quarantine: list[Garbled]) -> None:
        page = Page(
            source=self.source.name,
            results=results,
            quarantine=quarantine,
            read_from=self.cursor,
            cursor=draft.cursor,
            lease=self.lease,
            jobs=draft.jobs,
        )
        store = self.around.store
        committed = store.preview_page(page) if self.around.dry_run else store.commit_page(page)
        if draft.cursor is not None:
            self.cursor = draft.cursor
        self.counts += committed
        self.pages += 1
        self.committed_at = time.monotonic()
        self._count_reasons(quarantine)
        if not self.around.dry_run:
            for fault in tell_stored(page, committed, self.around.hook):
                log.warning(
                    "a plugin's results_stored failed", extra={"source": self.source.name, "fault": fault}
                )
        self._tell(State.HARVESTING)

    def _count_reasons(self, quarantine: list[Garbled]) -> None:
        self.reasons.update(each.reason for each in quarantine)

    def _tell(self, state: State, note: str = "") -> None:
        self.around.tell(
            Progress(source=self.source.name, state=state, counts=self.counts, pages=self.pages, note=note)
        )

    def _note(self, report: SourceReport) -> None:
        self._tell(report.state, report.error or "")
        log.info(
            "harvest ended",
            extra={"source": report.source, "state": str(report.state), "stored": report.counts.stored},
        )
        if self.around.dry_run or report.state in (State.BUSY, State.STOPPED, State.STORE):
            return
        self.around.store.note_attempt(report.source, report.error)


class _Aside:
    """Does one thing at a time on a thread of its own: a page waits for the disk while the next is read."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"commit {name}")
        self._begun: Future[None] | None = None

    def begin(self, work: Callable[..., None], *arguments: object) -> None:
        """Begin with `work`; what was begun before has been waited for."""
        self._begun = self._pool.submit(work, *arguments)

    def wait(self) -> None:
        """Wait until it is done. Raises what it raised."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.result()

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            self._pool.shutdown()


@contextmanager
def _closing(things: Iterator[object]) -> Iterator[Iterator[object]]:
    try:
        yield things
    finally:
        things.close()  # type: ignore[attr-defined]


def _last_ok(store: Store, name: str) -> Any:
    return next((state.last_ok for state in store.sources() if state.name == name), None)
