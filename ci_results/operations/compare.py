"""Compare: two items side by side, testcase by testcase: what broke, what was mended, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ..domain.outcome import GOOD, UNFINISHED
from ..domain.stored import StoredResult
from ..query.results import ResultQuery
from ..store.protocol import Store

MOST = 2_000
"""Results of one item that are compared."""


class Change(StrEnum):
    """How a testcase stands on the right, held against the left; the worst first."""

    NEW_FAILURE = "new failure"
    STILL_FAILS = "still fails"
    MISSING = "missing"
    NOT_DONE = "not done"
    FIXED = "fixed"
    ONLY_HERE = "only here"
    SAME = "same"


class Variant(NamedTuple):
    """What is compared with each other."""

    testcase: str
    scenario: str
    arch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One testcase in one variant; None = no result."""

    variant: Variant
    change: Change
    left: StoredResult | None
    right: StoredResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two items; `cut` says that one has more results than are compared. None: nobody knows that item."""

    rows: tuple[Compared, ...]
    left_known: bool
    right_known: bool
    cut: bool

    def count(self, change: Change) -> int:
        """Count the testcases that stand so."""
        return sum(row.change is change for row in self.rows)


def compare(store: Store, left: str, right: str) -> Comparison:
    """Compare the newest current results of two items: names, or names of builds."""
    before, now = (_results(store, name) for name in (left, right))
    return Comparison(
        rows=tuple(side_by_side(before[:MOST], now[:MOST])),
        left_known=bool(before),
        right_known=bool(now),
        cut=max(len(before), len(now)) > MOST,
    )


def side_by_side(left: Iterable[StoredResult], right: Iterable[StoredResult]) -> list[Compared]:
    """Return each testcase in each of its variants, worst first. Pure."""
    before, now = _newest(left), _newest(right)
    rows = [
        Compared(variant=each, change=_change(before.get(each), now.get(each)), left=before.get(each),
                 right=now.get(each))
        for each in before.keys() | now.keys()
    ]  # fmt: skip
    order = {change: number for number, change in enumerate(Change)}
    return sorted(rows, key=lambda row: (order[row.change], row.variant))


def _results(store: Store, name: str) -> list[StoredResult]:
    return store.results(ResultQuery(item=name, latest=True, limit=MOST + 1))


def _newest(results: Iterable[StoredResult]) -> dict[Variant, StoredResult]:
    found: dict[Variant, StoredResult] = {}
    for one in sorted(results, key=lambda one: (one.time, one.id)):
        found[Variant(one.testcase, one.scenario, one.arch)] = one
    return found


def _change(left: StoredResult | None, right: StoredResult | None) -> Change:
    if right is None:
        return Change.MISSING
    if right.outcome in UNFINISHED:
        return Change.NOT_DONE
    failed: Callable[[StoredResult], bool] = lambda one: one.outcome not in GOOD | UNFINISHED  # noqa: E731
    if failed(right):
        return Change.STILL_FAILS if left is not None and failed(left) else Change.NEW_FAILURE
    if left is None:
        return Change.ONLY_HERE
    return Change.FIXED if failed(left) else Change.SAME
