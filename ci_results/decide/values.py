"""Read single values of policies, with the peer's words for what is wrong. Obeys COMPAT 3.4."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from dateutil import parser as dates

from ..errors import shown
from .yaml_tree import Node, Unreadable

T = TypeVar("T")

_FIXED = datetime(2000, 1, 1)
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def text(node: Node) -> str:
    """Read a text; other scalars become one: 5 -> "5"."""
    if isinstance(node.value, (dict, list)):
        raise Unreadable(f"Expected a string value, got: {_said(node)}", node.line)
    return _storable(str(node.value), node)


def texts(node: Node) -> tuple[str, ...]:
    """Read a list of texts, which other scalars are not."""
    if not isinstance(node.value, list) or not all(isinstance(each.value, str) for each in node.value):
        raise Unreadable("Expected list of str objects", node.line)
    return tuple(_storable(each.value, each) for each in node.value)


def boolean(node: Node) -> bool:
    """Read true or false."""
    if not isinstance(node.value, bool):
        raise Unreadable(f"Expected a boolean value, got: {_said(node)}", node.line)
    return node.value


def moment(node: Node) -> datetime:
    """Read a date or time, written as YAML knows it or freely; no zone is UTC, no time of day is 00:00."""
    value = node.value
    if isinstance(value, str):
        try:
            value = dates.parse(value, default=_FIXED)
        except (ValueError, OverflowError, TypeError) as err:
            raise Unreadable(f"Could not parse string as date/time, got: {_said(node)}", node.line) from err
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        raise Unreadable(f"Could not parse string as date/time, got: {_said(node)}", node.line)
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as err:
        raise Unreadable(f"Could not parse string as date/time, got: {_said(node)}", node.line) from err


def duration(value: Any) -> timedelta:
    """Read how long something takes: "36h", "14d".

    >>> duration("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be a number and a unit, as in 36h or 14d (s m h d w), got {shown(value)}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


class Attributes:
    """The keys of a mapping, each read with what is wrong told as the peer tells it; null is none."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def optional(self, key: str, read: Callable[[Node], T]) -> T | None:
        node = self.node.value.get(key)
        if node is None or node.value is None:
            return None
        try:
            return read(node)
        except Unreadable as err:
            raise Unreadable(f"Attribute {key!r}: {err.message}", err.line or node.line) from err

    def required(self, key: str, read: Callable[[Node], T]) -> T:
        found = self.optional(key, read)
        if found is None:
            raise Unreadable(f"Attribute {key!r} is required", self.node.line)
        return found


def _storable(value: str, node: Node) -> str:
    """Return a text that a store can be asked for."""
    if _UNSTORABLE.search(value):
        raise Unreadable(f"Expected no NUL and no lone surrogates, got: {shown(value)}", node.line)
    return value


def _said(node: Node) -> str:
    return str(node.value)[:80] if not isinstance(node.value, (dict, list)) else type(node.value).__name__
