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

from .bulk import insert_across

CACHED = 200_000
REMEMBERED = 5_000
"""Names of one commit: more than that are a file's, and another file looks them up if it has them too."""

NEIGHBOURS = 50
"""Names that follow each other, for which one look says that the store has none of them."""


class Interned:
    """The ids of one table.

    select  SQL with one parameter, a JSON list of names, that gives the name's columns, then the id
    insert  the head of an INSERT, the id first, then the columns of a new name
    last    SQL that gives the highest id so far
    near    for texts: SQL with one parameter, a JSON list of [first, last] name, that gives the places
            of those between which there is any name
    """

    def __init__(self, select: str, insert: str, last: str, near: str | None = None) -> None:
        self._select = select
        self._insert = insert
        self._last = last
        self._near = near
        self._cache: dict[Hashable, int] = {}
        self._fresh: dict[Hashable, int] = {}
        self._marks: list[dict[Hashable, int]] = []

    def ids(self, connection: sqlite3.Connection, names: Iterable[Hashable]) -> Mapping[Any, int]:
        """Return the id of each name; what has none gets one. Names are texts or tuples of texts."""
        return self.rows(connection, dict.fromkeys(names))

    def rows(
        self, connection: sqlite3.Connection, rows: Mapping[Any, tuple[Any, ...] | None]
    ) -> Mapping[Any, int]:
        """Return the id of each name; a new one is stored with its row of columns (None: its own texts).

        A name that is one text has no other row.
        """
        found: dict[Any, int] = {}
        if self._cache or self._fresh:
            cached, fresh = self._cache.get, self._fresh.get
            found = {name: known for name in rows if (known := cached(name) or fresh(name)) is not None}
        if len(found) < len(rows):
            unknown = sorted(name for name in rows if name not in found) if found else sorted(rows)
            there = self._look_up(connection, unknown)
            new = [name for name in unknown if name not in there] if there else unknown
            created = self._create(connection, new, rows)
            found = found | there | created if found or there else created
        return found

    def _look_up(self, connection: sqlite3.Connection, names: list[Any]) -> dict[Hashable, int]:
        """Return the ids of those of these sorted names that are stored."""
        if self._near is not None and len(names) > 10 * NEIGHBOURS:
            names = self._with_neighbours(connection, self._near, names)
        if not names:
            return {}
        asked = orjson.dumps(names).decode()
        there = {
            (row[0] if len(row) == 2 else tuple(row[:-1])): row[-1]
            for row in connection.execute(self._select, (asked,))
        }
        self._cache.update(there.items() - self._fresh.items() if self._fresh else there)
        return there

    def _with_neighbours(self, connection: sqlite3.Connection, near: str, names: list[str]) -> list[str]:
        """Leave out names where the store has none around: one look for 50 that follow each other."""
        parts = [names[start : start + NEIGHBOURS] for start in range(0, len(names), NEIGHBOURS)]
        asked = orjson.dumps([(part[0], part[-1]) for part in parts]).decode()
        return [name for (place,) in connection.execute(near, (asked,)) for name in parts[place]]

    def _create(
        self,
        connection: sqlite3.Connection,
        names: list[Any],
        rows: Mapping[Any, tuple[Any, ...] | None],
    ) -> dict[Hashable, int]:
        if not names:
            return {}
        first = (connection.execute(self._last).fetchone()[0] or 0) + 1
        numbers = range(first, first + len(names))
        columns = (
            [names]
            if isinstance(names[0], str)
            else zip(*(rows[name] or name for name in names), strict=True)
        )
        insert_across(connection, self._insert, [numbers, *columns])
        created = dict(zip(names, numbers, strict=True))
        self._fresh.update(created)
        return created

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
        if len(self._fresh) <= REMEMBERED:
            if len(self._cache) + len(self._fresh) > CACHED:
                self._cache.clear()
            self._cache.update(self._fresh)
        self._fresh.clear()

    def forgotten(self) -> None:
        """The transaction is undone."""
        self._fresh.clear()
        self._marks.clear()


class Names:
    """All interned tables of a store, in step with its transactions."""

    def __init__(self) -> None:
        self.testcases = Interned(
            "select name, id from _testcase where name in (select value from json_each(?))",
            "insert into _testcase (id, name)",
            "select max(id) from _testcase",
            "select j.key from json_each(?) j where exists (select 1 from _testcase t where"
            " t.name between json_extract(j.value, '$[0]') and json_extract(j.value, '$[1]'))",
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
        self.groups = Interned(
            "select uuid, id from _group where uuid in (select value from json_each(?))",
            "insert into _group (id, uuid)",
            "select max(id) from _group",
        )
        self._all = (
            self.testcases, self.outcomes, self.sources, self.items, self.variants, self.pairs, self.groups,
        )  # fmt: skip

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
