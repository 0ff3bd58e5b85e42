"""Find an item by its name: in a file of SQLite by SQL on the views, in any other store by its protocol."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Protocol

import orjson

from ...domain.outcome import WORST_FIRST
from ...domain.search import Attribute, NameQuery, Search
from ...domain.stored import StoredResult
from ...errors import NotFoundError, TooBroadError
from ...normalise.items import nvr_parts
from ...query.results import ResultQuery
from ...store.protocol import Store
from .. import items
from ..reading import Reader, Row
from .facts import view_time

MAX_NAME = 1_024
"""Characters of a name that anything can have here."""

_WORST: dict[str, int] = {word: place for place, word in enumerate(WORST_FIRST)}


class Finder(Protocol):
    """Finds what pages show of an item; docs/schema.md has the shapes."""

    def item(self, name: str) -> Row | None:
        """Return the facts about an item or a component. None: nobody knows the name."""

    def nearest(self, name: str) -> Row:
        """Return names close to one that nobody knows: "items", "components", "testcases"."""

    def is_testcase(self, name: str) -> bool:
        """Say whether a testcase of this very name exists."""


def nameable(name: str) -> bool:
    """Say whether anything can be called so: what cannot is not looked for.

    >>> nameable("bash-5.2-1.fc40"), nameable("a\\0b"), nameable("x" * 5000), nameable("\\ud800")
    (True, False, False, False)
    """
    if not 0 < len(name) <= MAX_NAME or "\0" in name:
        return False
    return not any("\ud800" <= one <= "\udfff" for one in name)


class FileFinder:
    """Finds in a file of SQLite."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def item(self, name: str) -> Row | None:
        """See Finder."""
        return items.item(self._reader, name) if nameable(name) else None

    def nearest(self, name: str) -> Row:
        """See Finder."""
        return items.nearest(self._reader, name[:MAX_NAME].replace("\0", ""))

    def is_testcase(self, name: str) -> bool:
        """See Finder."""
        return nameable(name) and items.is_testcase(self._reader, name)


class StoreFinder:
    """Finds in any store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def item(self, name: str) -> Row | None:
        """See Finder."""
        if not nameable(name):
            return None
        found = self._store.results(ResultQuery(item=name, latest=True, limit=items.MOST + 1))
        if not found:
            return None
        known = {(one.item, one.item_type): None for one in found}
        component = nvr_parts(found[0].item).get("component")
        shape = {"item": name, "component": component, "before": None, "cut": len(found) > items.MOST}
        listed = [{"name": item, "type": kind} for item, kind in known]
        if component == name and not any(item == name for item, _ in known):
            return shape | {"component": None, "items": listed, "outcomes": {}, "results": [], "cut": False}
        rows = sorted(map(_row, found[: items.MOST]), key=items.worst_first)
        tally: dict[str, int] = {}
        for row in rows:
            tally[row["outcome"]] = tally.get(row["outcome"], 0) + 1
        ordered = dict(sorted(tally.items(), key=lambda pair: _WORST.get(pair[0], 0)))
        return shape | {"items": listed, "outcomes": ordered, "results": rows}

    def nearest(self, name: str) -> Row:
        """See Finder."""
        name = "".join(one for one in name[:200] if one.isprintable() and one not in "*%_\\,")
        return {
            "items": _closest(name, self._items(name)),
            "components": [],
            "testcases": _closest(name, self._testcases(name)),
        }

    def is_testcase(self, name: str) -> bool:
        """See Finder."""
        try:
            return nameable(name) and bool(self._store.testcase(name))
        except NotFoundError:
            return False

    def _items(self, name: str) -> list[str]:
        for start in _beginnings(name):
            asked = Attribute(key="item", values=(f"{start}*",), pattern=True)
            try:
                found = self._store.search(Search(attributes=(asked,), limit=100))
            except TooBroadError:
                return []
            if found:
                texts = (text for one in found for text in (one.own, one.shared) if text)
                return list(
                    dict.fromkeys(each for text in texts for each in orjson.loads(text).get("item", ()))
                )
        return []

    def _testcases(self, name: str) -> list[str]:
        for start in _beginnings(name):
            try:
                found = self._store.testcases(NameQuery(patterns=(f"{start}*",), limit=100))
            except TooBroadError:
                return []
            if found:
                return [each.name for each in found]
        return []


def _beginnings(name: str) -> Iterable[str]:
    """Yield beginnings of a name, each three quarters of the one before."""
    length = len(name)
    while length > 1:
        yield name[:length]
        length = length * 3 // 4


def _closest(name: str, candidates: list[str]) -> list[str]:
    return get_close_matches(name, candidates, n=8, cutoff=0.5)


def _row(one: StoredResult) -> Row:
    return {
        "id": one.id, "time": view_time(one.time), "outcome": one.outcome, "testcase": one.testcase,
        "item": one.item, "item_type": one.item_type, "scenario": one.scenario, "arch": one.arch,
        "duration_s": one.duration_s, "note": one.note, "ref_url": one.ref_url, "source": one.source,
        "run": one.run,
    }  # fmt: skip
