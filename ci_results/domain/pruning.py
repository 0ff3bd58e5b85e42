"""Pruning: which results may leave a store, who lets them go, and why others stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Kept(StrEnum):
    """Why a result that is old enough stays; of several reasons the first one here is told.

    EVIDENCE    a recorded decision weighed it
    SHIPPED     its item has a recorded decision that said go
    WAIVED      its item has a waiver, or a waiver is bound to its signature
    WAITING     a sink or the follower has not got it yet, or a sink refused it
    EXPECTED    it is the newest of an item of which an event lets expect results
    NEWEST      it is the newest of its testcase, item, scenario and architecture
    CORRECTION  it took the place of a result that stays
    """

    EVIDENCE = "evidence"
    SHIPPED = "shipped"
    WAIVED = "waived"
    WAITING = "waiting"
    EXPECTED = "expected"
    NEWEST = "newest"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Which results may leave.

    before      those whose time that counts ("latest" goes by it) is earlier; aware
    testcase    a pattern as in searches: "baseos.*"; None = all
    source      its name; None = all
    all_states  the newest of a testcase, item, scenario and architecture may leave as well
    sinks       what these have not got yet stays; None = of all that ever got something
    """

    before: datetime
    testcase: str | None = None
    source: str | None = None
    all_states: bool = False
    sinks: frozenset[str] | None = None

    def told(self) -> dict[str, object]:
        """Return them as a store keeps them: which sinks there were is no matter of record."""
        before = self.before.astimezone(UTC).isoformat(timespec="microseconds")[:26]
        return {
            "before": before,
            "testcase": self.testcase,
            "source": self.source,
            "all_states": self.all_states,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who lets results go, and why; `begun` is when, the same for all pages of one prune."""

    username: str
    comment: str
    begun: datetime


@dataclass(slots=True, kw_only=True)
class Leaving:
    """Counts of results that are old enough.

    leaving  those that leave, by (source, month): {("ci", "2025-03"): 812}
    kept     those that stay, by reason
    pages    transactions in which they left
    """

    leaving: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: Counter[Kept] = field(default_factory=Counter)
    pages: int = 0

    def add(self, other: Leaving) -> None:
        """Add counts of others."""
        self.leaving += other.leaving
        self.kept += other.kept
        self.pages += other.pages


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePage:
    """One page of a prune as it is kept: docs/operations.md. Its results have ids from `first` to `last`."""

    id: int
    seq: int
    time: datetime
    begun: datetime
    username: str
    comment: str
    criteria: Mapping[str, object]
    results: int
    first: int
    last: int
    digest: str
