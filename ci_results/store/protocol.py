"""Store: what every store can do. `ci_results.testing.StoreContract` holds one to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ..domain.page import Committed, Page
from ..domain.stored import JobState, Quarantined, SourceState, StoredResult
from ..query.results import ResultQuery


class Store(Protocol):
    """Keeps results for good. Safe to use from many threads; open one a process.

    Raises StoreError where the store cannot take or give data now.
    """

    def commit_page(self, page: Page) -> Committed:
        """Store results, quarantine and cursor in one transaction; durable when this returns.

        A repeat (same identity, same content) stores nothing. Raises StaleError where the cursor
        is no longer `page.read_from`, BusyError where the lease is lost, InvalidError for text
        that cannot be stored (NUL, lone surrogates).
        """

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

    def results(self, query: ResultQuery) -> list[StoredResult]:
        """Return what `query` asks, newest first."""

    def result(self, result_id: int) -> StoredResult:
        """Return one result. Raises NotFoundError."""

    def quarantined(
        self, source: str | None = None, *, limit: int = 100, open_only: bool = True
    ) -> list[Quarantined]:
        """Return quarantined records, oldest first."""

    def quarantined_record(self, record_id: int) -> Quarantined:
        """Return one quarantined record. Raises NotFoundError."""

    def resolve(self, record_id: int, resolution: str) -> None:
        """Close a quarantined record, saying how: "stored 3 results". Raises NotFoundError."""

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
