"""Standing: the one place where a moment, (seq, now), is applied to a waiver. Every path asks here."""

from __future__ import annotations

from datetime import datetime

from ..domain.waiver import Standing, Step, Waiver


def standing(waiver: Waiver, seq: int, now: datetime) -> Standing:
    """Say how `waiver` stands after the commit `seq`, at the time `now` (aware).

    Both are always passed: what was stored is ordered by `seq`, what passes by itself by the clock.
    A waiver ends at `expires_at` sharp, whether or not that has been announced.
    """
    if waiver.first.seq > seq:
        return Standing.UNKNOWN
    if waiver.closed is not None and waiver.closed.seq <= seq:
        return Standing.REJECTED if waiver.closed.act.step is Step.REJECT else Standing.WITHDRAWN
    expires_at = waiver.terms.expires_at
    if expires_at is not None and expires_at <= now:
        return Standing.EXPIRED
    if waiver.opened is not None and waiver.opened.seq <= seq:
        return Standing.ACTIVE
    return Standing.PENDING
