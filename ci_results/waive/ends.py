"""Ends: when a waiver shall end, and how old is old, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ..errors import InvalidError, shown

_SPAN = re.compile(r"(\d{1,6})\s*(h|d|w)", re.ASCII)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def read_end(text: str, now: datetime) -> datetime:
    """Read a time to come, in UTC, or a span from `now`: 2026-01-02, 2026-01-02T03:04, 36h, 14d, 2w.

    >>> read_end("2w", datetime(2026, 1, 1, tzinfo=UTC)).isoformat()
    '2026-01-15T00:00:00+00:00'

    Raises InvalidError.
    """
    return _read(text, now, 1)


def read_age(text: str, now: datetime) -> datetime:
    """Read a time that has been, in UTC, or a span before `now`: 2026-01-02, 180d, 26w.

    >>> read_age("2w", datetime(2026, 1, 15, tzinfo=UTC)).isoformat()
    '2026-01-01T00:00:00+00:00'

    Raises InvalidError.
    """
    return _read(text, now, -1)


def _read(text: str, now: datetime, sign: int) -> datetime:
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            return now + sign * timedelta(**{_UNITS[span[2]]: int(span[1])})
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo is not None else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as err:
        told = f"{shown(text)} is neither a time (2026-01-02T03:04) nor a span (36h, 14d)"
        raise InvalidError(told) from err
