"""Store: what every store can do. `ci_results.testing.StoreContract` holds one to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ..domain.asked import SelectOf
from ..domain.expectation import Awaited, StoredEvent
from ..domain.facts import Evidence, Selected
from ..domain.group import Group
from ..domain.moment import Moment
from ..domain.page import Committed, Page
from ..domain.plan import Plan, PlanVersion
from ..domain.search import Attribute, ComponentQuery, NameQuery, Search
from ..domain.stored import Fact, JobState, Quarantined, SourceState, StoredResult
from ..domain.testcase import Testcase
from ..query.results import ResultQuery
from .bus_log import BusLog
from .decisions import Decisions
from .expectations import Expectations
from .outbox import Outbox
from .pruning import Pruning
from .restoring import Restoring
from .waivers import WaiverLog


class Store(Protocol):
    """Keeps results for good. Safe to use from many threads; open one a process.

    outbox   what its sinks have and have not yet got
    waivers  what is waived, by whom, and why
    expectations  which results are on their way
    decisions     what was decided, and how far the follower is that records it
    bus           by which messages results came, and how those fare who listen
    restoring     takes back what a feed says
    pruning       lets old results go

    Raises StoreError where the store cannot take or give data now.
    """

    outbox: Outbox
    waivers: WaiverLog
    expectations: Expectations
    decisions: Decisions
    bus: BusLog
    restoring: Restoring
    pruning: Pruning

    def commit_page(self, page: Page) -> Committed:
        """Store results, quarantine and cursor in one transaction; durable when this returns.

        A repeat (same identity, same content) stores nothing. Raises StaleError where the cursor
        is no longer `page.read_from`, BusyError where the lease is lost, InvalidError for text
        that cannot be stored (NUL, lone surrogates).
        """

    def submit(self, page: Page) -> Future[tuple[int, ...]]:
        """Store a small page soon, in one commit with others that wait; answer with its results' ids.

        The future is done when the page is durable. The page has neither cursor, lease, quarantine
        nor jobs. Raises OverloadedError where too much waits already.
        """

    def waiting(self) -> int:
        """Return how many submissions wait to be written."""

    def preview_page(self, page: Page) -> Committed:
        """Count what commit_page would do, and do nothing."""

    def lease(self, source: str) -> AbstractContextManager[str]:
        """Hold the right to harvest `source`; yields its token. Raises BusyError where it is held."""

    def cursor(self, source: str) -> str | None:
        """Return where the next harvest of `source` begins, None = at the start."""

    def register_source(self, state: SourceState) -> None:
        """Make `state.name` known, or update its collector, url, owner and contact."""

    def note_attempt(self, source: str, error: str | None) -> None:
        """Remember that a harvest of `source` ended now: well (None), or with this message."""

    def forget_source(self, source: str) -> None:
        """Drop the cursor and the jobs of `source`; its results stay."""

    def sources(self) -> list[SourceState]:
        """Return all sources by name."""

    def jobs(self, source: str | None = None) -> list[JobState]:
        """Return the jobs of one source or all, by source and name."""

    def collected_by(self, collector: str) -> frozenset[str]:
        """Return the names of the sources of a kind: collected_by("jenkins")."""

    def results(self, query: ResultQuery) -> list[StoredResult]:
        """Return what `query` asks, newest first."""

    def result(self, result_id: int) -> StoredResult:
        """Return one result. Raises NotFoundError."""

    def stored(self, ids: Sequence[int]) -> list[StoredResult]:
        """Return results by id, in that order; an id that nothing has is passed over."""

    def at_one_commit(self, subject: str | None = None) -> AbstractContextManager[Moment]:
        """Let what this thread reads in the block be as it stands after one commit.

        subject  an identifier: the moment tells what there is of it, which saves who asks those questions

        What is written meanwhile, by this thread as well, is not seen. Keep the block short: SQLite's
        log cannot be cut while it lasts. A block within a block sees the same. Raises TooBroadError
        where the thread must not wait (see `hurry`).
        """

    def hurry(self) -> None:
        """Let this thread, an event loop's, give up early in what follows up to `groups` (TooBroadError).

        So it may ask again on another thread, which has the whole budget.
        """

    def search(self, search: Search) -> list[Fact]:
        """Return what a machine asks. Raises TooBroadError where that takes too long."""

    def latest(self, search: Search, distinct_on: tuple[str, ...] | None = None) -> list[Fact]:
        """Return the newest current results that satisfy `search`, newest first, without its limit.

        For each testcase those of its greatest claimed time; or, with `distinct_on` (keys of
        attributes), one for each combination of testcase and values. Raises TooBroadError.
        """

    def newest(
        self,
        asked: Sequence[tuple[Attribute, ...]],
        testcases: Collection[str],
        distinct_on: Sequence[str],
        *,
        testcase_patterns: Sequence[str] = (),
        passed_over: Collection[str] = (),
        copies_of: str | None = None,
        until: int | None = None,
    ) -> list[list[Evidence]]:
        """Return for each question what `latest` gives with `distinct_on`, with one statement for all.

        asked        conditions that all must hold, no patterns; few results fulfil the first of each
        testcases    which count, by name; `testcase_patterns`: or the name matches one of these
        passed_over  sources whose results are as if they were not there
        copies_of    a collector: the results of its sources are `imported`
        until        microseconds since 1970: as it was then, by the times that results claim

        Raises TooBroadError.
        """

    def fact(self, result_id: int) -> Fact:
        """Return one result as machines are served it. Raises NotFoundError."""

    def of_component(self, query: ComponentQuery) -> list[tuple[int, int]]:
        """Return (rank, id) of the current results of a testcase over all items of a component.

        The newest first, a page at a time. Raises TooBroadError.
        """

    def items_of(self, component: str, item_types: Sequence[str], limit: int) -> list[str]:
        """Return the names of a component's items of some types, those that came last first."""

    def select(self, asked: SelectOf) -> Selected:
        """Run the SELECT of a rule, which sees the public views only and is bounded; say what came of it.

        The same facts give the same rows on every kind of store; a text is cut to 200 characters.
        """

    def testcase(self, name: str) -> Testcase:
        """Return one testcase. Raises NotFoundError."""

    def testcases(self, query: NameQuery) -> list[Testcase]:
        """Return testcases by name."""

    def group(self, uuid: str) -> Group:
        """Return one group. Raises NotFoundError."""

    def groups(self, query: NameQuery) -> list[Group]:
        """Return groups, the newest first."""

    def quarantined(
        self, source: str | None = None, *, limit: int = 100, open_only: bool = True
    ) -> list[Quarantined]:
        """Return quarantined records, oldest first."""

    def quarantined_record(self, record_id: int) -> Quarantined:
        """Return one quarantined record. Raises NotFoundError."""

    def quarantined_by_door(self) -> Mapping[tuple[str, str], int]:
        """Count open records by (source, door): {("baseos", "harvest"): 3}."""

    def resolve(self, record_id: int, resolution: str) -> None:
        """Close a quarantined record, saying how: "stored 3 results". Raises NotFoundError."""

    def save_plan(self, plan: Plan, actor: str, *, before: int) -> tuple[PlanVersion, bool]:
        """Store a version of a plan that `actor` imports; say whether it is new.

        What its newest version says already is not stored again. Raises StaleError where that is
        not `before` (0 = none), InvalidError for an actor that is no name.
        """

    def plans(self, *, limit: int = 1_000) -> list[PlanVersion]:
        """Return the newest version of each plan, the newest first."""

    def plans_for(self, item_type: str, item: str) -> list[PlanVersion]:
        """Return the newest version of each plan that applies to an item, by name: a fact for decisions."""

    def plan(self, name: str, version: int | None = None) -> PlanVersion:
        """Return one version of a plan, None = the newest. Raises NotFoundError."""

    def plan_versions(self, name: str, *, limit: int = 100) -> list[PlanVersion]:
        """Return the versions of a plan, the newest first."""

    def save_events(self, events: Sequence[Awaited]) -> list[StoredEvent]:
        """Store events with what they let expect, all or none; those that are there already change nothing.

        Raises ReusedKeyError for one that is there and said something else.
        """

    def counts(self) -> dict[str, int]:
        """Return figures for people: results, testcases, items, runs, sources, quarantined, outbox."""

    def dump(self, *, portable: bool = False) -> Iterator[str]:
        """Yield the canonical dump, a JSON line a fact, in `seq` order.

        `portable` leaves out ids, seq and times of receipt and sorts by identity, so that two
        stores filled in another order, or by another number of processes, compare equal.
        """

    def check(self) -> Sequence[str]:
        """Return what is wrong with the store, a sentence each; empty = sound."""

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write a copy of the live store to `target`; `progress` gets pages left and all."""

    def vacuum(self) -> tuple[int, int]:
        """Give unused space back; return size before and after, in bytes."""

    def close(self) -> None:
        """Finish what was accepted, then let go. Further calls raise StoreError."""
