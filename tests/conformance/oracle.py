"""A ResultsDB in plain Python: what the API must answer, written from its reference and from nothing else.

Two rules are ours: "latest" and the order of results go by `rank`, the earlier of the claimed time and
the receipt; and a result that a later one of the same key supersedes is never the latest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Query = Sequence[tuple[str, str]]
"""Parameters in order: [("item", "a,b"), ("limit", "5")]."""

OWN = {
    "page",
    "limit",
    "outcome",
    "groups",
    "testcases",
    "testcases:like",
    "since",
    "_sort",
    "_after",
    "_distinct_on",
}


@dataclass
class Stored:
    """One result. `rank` is anything that orders as least(claim, receipt) does."""

    id: int
    rank: Any
    submit_time: datetime
    outcome: str
    testcase: str
    data: dict[str, list[str]]
    groups: list[str] = field(default_factory=list)
    note: str | None = None
    ref_url: str | None = None
    superseded: bool = False


@dataclass
class Group:
    description: str | None = None
    ref_url: str | None = None


class Oracle:
    """Knows everything that was stored, and answers by looking at all of it."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.testcases: dict[str, str | None] = {}
        self.groups: dict[str, Group] = {}

    def results(self, query: Query, more: Callable[[Stored], bool] = lambda one: True) -> list[Stored]:
        """Answer GET /results, all pages; `more` is what the path asks besides."""
        words = [word.upper() for word in listed(query, "outcome")]
        found = [
            one
            for one in self.stored
            if self._matches(one, query) and (not words or one.outcome in words) and more(one)
        ]
        sort = dict(query).get("_sort")
        if sort == "disable_sorting":
            return sorted(found, key=lambda one: one.id)
        return sorted(found, key=lambda one: (one.rank, one.id), reverse=sort != "asc:submit_time")

    def latest(self, query: Query) -> list[Stored]:
        """Answer GET /results/latest."""
        keys = listed(query, "_distinct_on")
        found = [one for one in self.stored if not one.superseded and self._matches(one, query)]
        newest: dict[tuple[Any, ...], list[Stored]] = {}
        for one in sorted(found, key=lambda one: (one.rank, one.id), reverse=True):
            for values in combinations(one, keys):
                held = newest.setdefault((one.testcase, *values), [])
                if not held or (not keys and held[0].rank == one.rank):
                    held.append(one)
        chosen = {one.id: one for held in newest.values() for one in held}.values()
        if not keys:
            return sorted(chosen, key=lambda one: (one.rank, one.id), reverse=True)
        in_order = sorted(
            chosen, key=lambda one: (one.testcase, min(map(none_last, combinations(one, keys))))
        )
        return sorted(in_order, key=lambda one: one.rank, reverse=True)

    def listed_testcases(self, query: Query) -> list[str]:
        """Answer GET /testcases, all pages."""
        names = [part.strip() for part in split(query, "name") if part.strip()]
        patterns = [] if names else [part.strip() for part in split(query, "name:like") if part.strip()]
        return sorted(name for name in self.testcases if wanted(name, names, patterns))

    def listed_groups(self, query: Query) -> list[str]:
        """Answer GET /groups, all pages."""
        uuids = [part for part in split(query, "uuid") if part]
        exact = [part for part in split(query, "description") if part.strip()]
        patterns = [] if exact else [part for part in split(query, "description:like") if part.strip()]
        return [
            uuid
            for uuid, group in reversed(self.groups.items())
            if wanted(uuid, uuids, []) and wanted(group.description, exact, patterns)
        ]

    def members(self, uuid: str) -> int:
        """Count the results of a group."""
        return sum(uuid in one.groups for one in self.stored)

    def _matches(self, one: Stored, query: Query) -> bool:
        groups = listed(query, "groups")
        if groups and not set(groups) & set(one.groups):
            return False
        if not wanted(one.testcase, listed(query, "testcases"), listed(query, "testcases:like")):
            return False
        since = dict(query).get("since")
        if since is not None and not within(one.submit_time, since):
            return False
        for name in dict(query):
            if name not in OWN and not has(one.data, name, split(query, name)):
                return False
        return True


def listed(query: Query, name: str) -> list[str]:
    """Read a list: given once it is split and trimmed, several times each is one value."""
    values = [value for key, value in query if key == name]
    if len(values) == 1:
        return [part.strip() for part in values[0].split(",") if part.strip()]
    return [value for value in values if value]


def split(query: Query, name: str) -> list[str]:
    """Read a filter: every occurrence is split at commas, and nothing is trimmed."""
    return [part for key, value in query if key == name for part in value.split(",")]


def wanted(text: str | None, names: list[str], patterns: list[str]) -> bool:
    """Say whether a text is one of the names or fits a pattern; nothing asked = everything is wanted."""
    if not names and not patterns:
        return True
    return text is not None and (text in names or any(fits(text, pattern) for pattern in patterns))


def fits(text: str, pattern: str) -> bool:
    """Say whether a text fits: `*` and `%` are any run of characters, `_` is any one."""
    parts = {"*": ".*", "%": ".*", "_": "."}
    return (
        re.fullmatch("".join(parts.get(letter, re.escape(letter)) for letter in pattern), text, re.DOTALL)
        is not None
    )


def has(data: dict[str, list[str]], name: str, values: list[str]) -> bool:
    """Say whether some value of a key is asked for."""
    key, _colon, modifier = name.partition(":")
    if name.count(":") > 1:
        return False
    there = data.get(key, [])
    if modifier == "like":
        return any(fits(value, pattern) for value in there for pattern in values)
    return bool(set(there) & set(values))


def within(time: datetime, since: str) -> bool:
    """Say whether a time lies in `start` or `start,end`, both inclusive; zones are dropped."""
    start, _comma, end = since.partition(",")
    bounds = [datetime.fromisoformat(text).replace(tzinfo=None) for text in (start, end) if text]
    return bounds[0] <= time and (len(bounds) == 1 or time <= bounds[1])


def combinations(one: Stored, keys: Iterable[str]) -> list[tuple[str | None, ...]]:
    """Return each combination of a result's values of some keys; without a value it is None."""
    found: list[tuple[str | None, ...]] = [()]
    for key in keys:
        values: list[str | None] = [*one.data.get(key, [])] or [None]
        found = [(*before, value) for before in found for value in values]
    return found


def none_last(values: tuple[str | None, ...]) -> list[tuple[bool, str]]:
    """Return what sorts as these values do, None being the last."""
    return [(value is None, value or "") for value in values]
