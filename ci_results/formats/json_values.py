"""Values out of records that anybody wrote: of the type that is asked, or nothing; never an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .junit_values import TEN_YEARS_S, moment, seconds

_NONE: dict[str, Any] = {}


def text(record: object, key: str) -> str:
    """Give a text, or a number as text; "" for all else.

    >>> text({"a": "x", "b": 3, "c": [1]}, "a"), text({"b": 3}, "b"), text({"c": [1]}, "c"), text(None, "d")
    ('x', '3', '', '')
    """
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def inside(record: object, *keys: str) -> Mapping[str, Any]:
    """Give the object at a path of keys; {} where there is none."""
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record if isinstance(record, dict) else _NONE


def objects(record: object, key: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list; what is no object in it is left out."""
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def texts(record: object, key: str) -> list[str]:
    """Give a list of texts; a single text as a list of one.

    >>> texts({"a": ["x", 1, None], "b": "y"}, "a"), texts({"b": "y"}, "b")
    (['x', '1'], ['y'])
    """
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return []
    return [str(each) for each in value if isinstance(each, str | int | float)]


def number(record: object, key: str) -> float | None:
    """Give a number that is finite, also one that is written as a text."""
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, bool):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e18 else None


def took_ms(record: object, key: str) -> float | None:
    """Give a duration told in milliseconds, as seconds; None for nonsense."""
    found = number(record, key)
    return found / 1000 if found is not None and 0 <= found / 1000 < TEN_YEARS_S else None


def took_s(record: object, key: str) -> float | None:
    """Give a duration told in seconds, or as hours, minutes and seconds; None for nonsense."""
    return seconds(text(record, key))


def when(record: object, key: str) -> datetime | None:
    """Give a time: ISO 8601 and its kin, or seconds or milliseconds since 1970."""
    said = text(record, key)
    whole, dot, rest = said.partition(".")
    return moment(f"{whole}.{rest[:9]}" if dot and whole.isdigit() and rest.isdigit() else said)[0]
