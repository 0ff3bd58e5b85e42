"""Prune: let old results go, or say which would; the store keeps who did it and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from ..domain.pruning import Criteria, Leaving, Order
from ..errors import InvalidError
from ..store.protocol import Store

KNOWN_BYTES = 100
"""What stays of a result that leaves, so that it is known when it comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """What is to be done.

    order  who lets results go, and why; None = nothing leaves, and it is told what would
    stop   set = end after the page in hand
    tell   gets how many results were looked at that are old enough
    """

    store: Store
    criteria: Criteria
    order: Order | None = None
    stop: Event = field(default_factory=Event)
    tell: Callable[[int], None] = lambda looked_at: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Results of a source and a month ("2025-03") that leave, and about how much space they have."""

    source: str
    month: str
    results: int
    size_bytes: int


@dataclass(slots=True, kw_only=True)
class Pruned:
    """What left, or would.

    months  by source and month
    kept    results that are old enough and stay, by reason: {"shipped": 12}
    pages   transactions in which they left
    whole   all were looked at: it was not stopped
    """

    months: list[Month] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    whole: bool = False

    @property
    def results(self) -> int:
        """How many left."""
        return sum(each.results for each in self.months)

    @property
    def size_bytes(self) -> int:
        """About what the store gets back."""
        return sum(each.size_bytes for each in self.months)


def prune(around: Prune) -> Pruned:
    """Let results go, a page a transaction; or say which would.

    Raises InvalidError for an order without a name or a reason, StoreError where the store cannot be used:
    what left by then has left whole, and the same prune goes on with the rest.
    """
    order, store = around.order, around.store.pruning
    if order is not None and not (order.username.strip() and order.comment.strip()):
        raise InvalidError("results leave for good: say who lets them go, and why")
    each = max(0.0, store.bytes_each() - KNOWN_BYTES)
    steps = store.foresee(around.criteria) if order is None else store.prune(around.criteria, order)
    total, looked_at, whole = Leaving(), 0, True
    for step in steps:
        total.add(step)
        looked_at += step.leaving.total() + step.kept.total()
        around.tell(looked_at)
        if around.stop.is_set():
            whole = False
            break
    months = [
        Month(source=source, month=month, results=count, size_bytes=round(count * each))
        for (source, month), count in sorted(total.leaving.items())
    ]
    kept = {str(reason): count for reason, count in total.kept.most_common()}
    return Pruned(months=months, kept=kept, pages=total.pages, whole=whole)
