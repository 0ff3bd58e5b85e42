"""Waivers as clients of WaiverDB may see them: those that count, and of those the ones that it would list.

WaiverDB knows no architecture, purpose, approval, end or changed failure, and its clients take what is
listed for what counts. So what does not count now, or only for a purpose, is not listed; who asks for
obsolete ones gets all that ever counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..domain.waiver import Standing, Waiver
from ..errors import NotFoundError
from ..query.waivers import MAX_LIMIT, Stage, WaiverFilter, WaiverQuery
from ..store.identity import to_us
from ..waive.covers import NO_FAILURE
from ..waive.standing import standing
from .waive import Desk, preview

BY_AUTHOR: tuple[str, ...] = ("username", "product_version")
"""A newer waiver replaces an older one of the same author and product version."""

BY_ANYBODY: tuple[str, ...] = ()
"""A newer waiver replaces an older one, whoever made it, and for whichever product version."""

ABSENT = "Waiver not found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """One page of a list, the newest first; `pages` is how many there are, 0 = there is nothing."""

    waivers: list[Waiver]
    pages: int


def every(desk: Desk, filters: Sequence[WaiverFilter], replaced: tuple[str, ...] | None) -> list[Waiver]:
    """Return all that satisfy any of `filters`, the newest first.

    replaced  what must be alike for a newer one to replace an older one (BY_AUTHOR, BY_ANYBODY); None = tell
              all that ever counted
    """
    query = _query(desk, filters, replaced)
    return _counting(desk, query, desk.store.waivers.find(query))


def page(
    desk: Desk, asked: WaiverFilter, replaced: tuple[str, ...] | None, number: int, limit: int
) -> ListedPage | None:
    """Return page `number`, from 1, with `limit` of them; None where there is no such page."""
    if number < 1 or limit < 1:
        return None
    limit = min(limit, MAX_LIMIT)
    query = _query(desk, [asked], replaced)
    offset = (number - 1) * limit
    found = desk.store.waivers.find(replace(query, limit=limit, offset=offset))
    if not found and number > 1:
        return None
    whole = offset + len(found) if len(found) < limit else desk.store.waivers.count(query)
    return ListedPage(waivers=_counting(desk, query, found), pages=-(-whole // limit))


def one(desk: Desk, number: int) -> Waiver:
    """Return a waiver that counts or once did. Raises NotFoundError."""
    found = desk.store.waivers.these([number])
    if not found or found[0].opened is None or found[0].terms.arch or found[0].terms.purpose:
        raise NotFoundError(ABSENT)
    return found[0]


def _query(desk: Desk, filters: Sequence[WaiverFilter], replaced: tuple[str, ...] | None) -> WaiverQuery:
    return WaiverQuery(
        filters=filters, stage=Stage.OPENED if replaced is None else Stage.ACTIVE, obsolete_by=replaced,
        plain=True, seq=desk.store.waivers.seq(), now=to_us(desk.now()),
    )  # fmt: skip


def _counting(desk: Desk, query: WaiverQuery, found: list[Waiver]) -> list[Waiver]:
    """Leave out what does not count: the one function that says so has the last word."""
    if query.stage is not Stage.ACTIVE:
        return found
    now = desk.now()
    return [
        waiver
        for waiver in found
        if standing(waiver, query.seq, now) is Standing.ACTIVE and not _suspended(desk, waiver)
    ]


def _suspended(desk: Desk, waiver: Waiver) -> bool:
    """Say whether the failure that it was given for has changed, or is gone."""
    if waiver.terms.lenient or not waiver.terms.signatures:
        return False
    met = preview(desk, waiver.terms)
    gone = not (met.waived or met.good or met.unfinished)
    return bool(met.changed) or (gone and NO_FAILURE not in waiver.terms.signatures)
