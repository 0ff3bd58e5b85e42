"""Durations and times as the writers of JUnit XML put them; what cannot be read is None, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

TEN_YEARS_S = 315_360_000.0
"""A longer duration is nonsense (an epoch time in the wrong attribute) and is left out."""
_OLDEST_YEAR = 1980
_EPOCH_MS_FROM = 100_000_000_000
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3,
    "msk": 3, "jst": 9, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7,
}  # fmt: skip
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+", re.ASCII)
_COMMA_LAST = re.compile(r"[\d.]*,\d+", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)", re.ASCII)
_UNIT = re.compile(r"(.*?)\s*(ms|sec|secs|seconds|s)", re.ASCII | re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_RFC822 = re.compile(
    r"(?:[a-z]{3,9},?\s+)?(\d{1,2})[ -]([a-z]{3})[a-z]*[ -](\d{4})\s+(\d{1,2}):(\d\d):(\d\d)"
    r"(?:\.\d+)?\s*(\S*)",
    re.ASCII | re.IGNORECASE,
)
_CTIME = re.compile(
    r"[a-z]{3}\s+([a-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d\d):(\d\d)\s+(?:([a-z]+|[+-]\d{4})\s+)?(\d{4})",
    re.ASCII | re.IGNORECASE,
)
_EPOCH = re.compile(r"\d{9,16}(?:\.\d{1,9})?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)


def seconds(text: str | None) -> float | None:
    """Read a duration: `1,234.56`, `1.234,5` (a last comma is decimal), `0.5s`, `00:01:02.5`, `1e-05`.

    Below zero is zero; more than ten years, `NaN` and what is no duration are None.

    >>> [seconds(text) for text in ("1,234.56", "00:01:02.5", "250ms", "-0.001", "NaN", "<<computed>>")]
    [1234.56, 62.5, 0.25, 0.0, None, None]
    """
    if not text or len(text) > 64:
        return None
    try:
        value = float(text)
    except ValueError:
        pass
    else:
        if 0.0 <= value < TEN_YEARS_S:
            return value
    text = text.strip()
    scale = 1.0
    if unit := _UNIT.fullmatch(text):
        text = unit[1]
        scale = 0.001 if unit[2].lower() == "ms" else 1.0
    if clock := _CLOCK.fullmatch(text):
        value = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    else:
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        elif _COMMA_LAST.fullmatch(text):
            text = text.replace(".", "").replace(",", ".")
        if not _NUMBER.fullmatch(text):
            return None
        value = float(text) * scale
    return max(value, 0.0) if value < TEN_YEARS_S else None


def moment(text: str | None) -> tuple[datetime | None, bool]:
    """Read a time stamp; the flag says that it named no zone, so that UTC is our assumption.

    Takes ISO 8601 (1 to 9 digits of a second), RFC 822, `Sun Nov 22 10:00:00 CET 2026`, and
    seconds or milliseconds since 1970. Years before 1980 (googletest's "never ran") are None.

    >>> moment("2026-11-22T10:00:00")
    (datetime.datetime(2026, 11, 22, 10, 0, tzinfo=datetime.timezone.utc), True)
    >>> moment("Sun, 22 Nov 2026 10:00:00 GMT")
    (datetime.datetime(2026, 11, 22, 10, 0, tzinfo=datetime.timezone.utc), False)
    """
    if not text or len(text) > 64:
        return None, False
    text = text.strip()
    try:
        read = _epoch(text) or _iso(text) or _rfc822(text) or _ctime(text)
        if read is None:
            return None, False
        assumed = read.tzinfo is None
        read = read.replace(tzinfo=UTC) if assumed else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, False
    return (read, assumed) if read.year >= _OLDEST_YEAR else (None, False)


def end_of(start: datetime, duration_s: float | None) -> datetime:
    """Add a duration to a start: results carry the end of their run."""
    try:
        return start + timedelta(seconds=duration_s or 0.0)
    except OverflowError:
        return start


def _epoch(text: str) -> datetime | None:
    if not _EPOCH.fullmatch(text):
        return None
    value = float(text)
    return datetime.fromtimestamp(value / 1000 if value > _EPOCH_MS_FROM else value, UTC)


def _iso(text: str) -> datetime | None:
    if not text[:4].isdigit() or text.isdigit():
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        # "2026-11-22 10:00:00 +0100" and "... UTC": ISO but for the blank before the zone.
        stem, _, zone = text.rpartition(" ")
        known = _zone(zone)
        if not stem or known is None:
            return None
        return datetime.fromisoformat(stem).replace(tzinfo=known)


def _rfc822(text: str) -> datetime | None:
    if not (found := _RFC822.fullmatch(text)):
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    return _built(year, month, day, hour, minute, second, zone)


def _ctime(text: str) -> datetime | None:
    if not (found := _CTIME.fullmatch(text)):
        return None
    month, day, hour, minute, second, zone, year = found.groups()
    return _built(year, month, day, hour, minute, second, zone or "")


def _built(
    year: str, month: str, day: str, hour: str, minute: str, second: str, zone: str
) -> datetime | None:
    place = _MONTHS.find(month.lower())
    if place < 0 or place % 4:
        return None
    number = place // 4 + 1
    return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=_zone(zone))


def _zone(text: str) -> timezone | None:
    """Read `CET` or `+0100`; None for none, or an abbreviation that means two zones ("IST")."""
    if offset := _OFFSET.fullmatch(text):
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-away if offset[1] == "-" else away)
    hours = _ZONES.get(text.lower())
    return None if hours is None else timezone(timedelta(hours=hours))
