"""Interned names: texts that stand once, and the ids by which everything else refers to them.

An id enters the cache only after the commit that created it. A transaction keeps what it created
in `fresh`; a savepoint that is rolled back takes its share with it. (A cache filled too early once
filed results under another item after a rollback, and no integrity check noticed.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import orjson

from .bulk import insert_rows

CACHED = 200_000


class Interned:
    """The ids of one table.

    select  SQL with one parameter, a JSON list of names, that gives the name's columns, then the id
    insert  the head of an INSERT, the id first, then the columns of a new name
    last    SQL that gives the highest id so far
    """

    def __init__(self, select: str, insert: str, last: str) -> None:
        self._select = select
        self._insert = insert
        self._last = last
        self._cache: dict[Hashable, int] = {}
        self._fresh: dict[Hashable, int] = {}
        self._marks: list[dict[Hashable, int]] = []

    def ids(self, connection: sqlite3.Connection, names: Iterable[Hashable]) -> Mapping[Any, int]:
        """Return the id of each name; what has none gets one. Names are texts or tuples of texts."""
        return self.rows(connection, dict.fromkeys(names))

    def rows(
        self, connection: sqlite3.Connection, rows: Mapping[Any, tuple[Any, ...] | None]
    ) -> Mapping[Any, int]:
        """Return the id of each name; a new one is stored with its row of columns (None: its own texts)."""
        found: dict[Hashable, int] = {}
        unknown: list[Hashable] = []
        for name in rows:
            known = self._cache.get(name) or self._fresh.get(name)
            if known is None:
                unknown.append(name)
            else:
                found[name] = known
        if unknown:
            found.update(self._look_up(connection, unknown))
            self._create(connection, sorted(name for name in unknown if name not in found), rows, found)
        return found

    def _look_up(self, connection: sqlite3.Connection, names: list[Hashable]) -> dict[Hashable, int]:
        asked = orjson.dumps(names).decode()
        there = {
            (row[0] if len(row) == 2 else tuple(row[:-1])): row[-1]
            for row in connection.execute(self._select, (asked,))
        }
        self._cache.update(there.items() - self._fresh.items())
        return there

    def _create(
        self,
        connection: sqlite3.Connection,
        names: list[Any],
        rows: Mapping[Any, tuple[Any, ...] | None],
        found: dict[Hashable, int],
    ) -> None:
        if not names:
            return
        first = (connection.execute(self._last).fetchone()[0] or 0) + 1
        created = dict(zip(names, range(first, first + len(names)), strict=True))
        insert_rows(
            connection,
            self._insert,
            [(number, *(rows[name] or _texts(name))) for name, number in created.items()],
        )
        self._fresh.update(created)
        found.update(created)

    def mark(self) -> None:
        """A savepoint begins."""
        self._marks.append(dict(self._fresh))

    def release(self) -> None:
        """The savepoint holds."""
        self._marks.pop()

    def roll_back(self) -> None:
        """The savepoint is undone, and what it created with it."""
        self._fresh = self._marks.pop()

    def committed(self) -> None:
        """The transaction is safe: what it created may be remembered."""
        if len(self._cache) + len(self._fresh) > CACHED:
            self._cache.clear()
        self._cache.update(self._fresh)
        self._fresh.clear()

    def forgotten(self) -> None:
        """The transaction is undone."""
        self._fresh.clear()
        self._marks.clear()


def _texts(name: Any) -> tuple[str, ...]:
    return name if isinstance(name, tuple) else (name,)


class Names:
    """All interned tables of a store, in step with its transactions."""

    def __init__(self) -> None:
        self.testcases = Interned(
            "select name, id from _testcase where name in (select value from json_each(?))",
            "insert into _testcase (id, name)",
            "select max(id) from _testcase",
        )
        self.outcomes = Interned(
            "select word, id from _outcome where word in (select value from json_each(?))",
            "insert into _outcome (id, word)",
            "select max(id) from _outcome",
        )
        self.sources = Interned(
            "select name, id from _source where name in (select value from json_each(?))",
            "insert into _source (id, name)",
            "select max(id) from _source",
        )
        self.items = Interned(
            "select i.name, i.type, i.id from json_each(?) j join _item i"
            " on i.name = json_extract(j.value, '$[0]') and i.type = json_extract(j.value, '$[1]')",
            "insert into _item (id, name, type, nvr, component, arch)",
            "select max(id) from _item",
        )
        self.variants = Interned(
            "select v.scenario, v.arch, v.id from json_each(?) j join _variant v"
            " on v.scenario = json_extract(j.value, '$[0]') and v.arch = json_extract(j.value, '$[1]')",
            "insert into _variant (id, scenario, arch)",
            "select max(id) from _variant",
        )
        self.pairs = Interned(
            "select p.key, p.value, p.id from json_each(?) j join _pair p"
            " on p.key = json_extract(j.value, '$[0]') and p.value = json_extract(j.value, '$[1]')",
            "insert into _pair (id, key, value)",
            "select max(id) from _pair",
        )
        self._all = (self.testcases, self.outcomes, self.sources, self.items, self.variants, self.pairs)

    def mark(self) -> None:
        """A savepoint begins."""
        for names in self._all:
            names.mark()

    def release(self) -> None:
        """The savepoint holds."""
        for names in self._all:
            names.release()

    def roll_back(self) -> None:
        """The savepoint is undone."""
        for names in self._all:
            names.roll_back()

    def committed(self) -> None:
        """The transaction is safe."""
        for names in self._all:
            names.committed()

    def forgotten(self) -> None:
        """The transaction is undone."""
        for names in self._all:
            names.forgotten()
