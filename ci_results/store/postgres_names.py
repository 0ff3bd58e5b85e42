"""Interned names on PostgreSQL: created in a short transaction of their own, before the page's.

Names are created in their order, whoever creates them, and no other lock is held meanwhile: two
writers that bring the same names in another order wait for each other once and never in a circle.
(Created within the page, 8 writers had 11 deadlocks and 1/140 of the speed.) A name whose page is
refused afterwards stays, unused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .postgres_connections import Connection

CACHED = 200_000


class Interned:
    """The ids of one table, remembered once they are committed, for they never change.

    name     columns of a name: one, or two for a pair of texts
    further  columns that a new name brings along
    """

    def __init__(self, table: str, name: Sequence[str], further: Sequence[str] = ()) -> None:
        self._single = len(name) == 1
        self._cache: dict[Any, int] = {}
        columns = [*name, *further]
        same = " and ".join(f"t.{one} = a.{one} and _digest(t.{one}) = _digest(a.{one})" for one in name)
        if table in ("_source", "_outcome"):
            same = f"t.{name[0]} = a.{name[0]}"
        named, listed = _arrays(name), ", ".join(columns)
        self._look_up = f"select {_listed('a', name)}, t.id from {named} join {table} t on {same}".encode()  # noqa: S608
        self._create = (
            f"insert into {table} ({listed}) select {_listed('a', columns)} from {_arrays(columns)}"  # noqa: S608
            f" order by {_listed('a', name, _BYTES)} on conflict do nothing"
        ).encode()

    def ids(self, connection: Connection, names: Iterable[Any]) -> dict[Any, int]:
        """Return the id of each name, creating those that have none; names are texts or pairs of texts."""
        return self.rows(connection, {name: name if isinstance(name, tuple) else (name,) for name in names})

    def rows(self, connection: Connection, rows: Mapping[Any, tuple[str | None, ...]]) -> dict[Any, int]:
        """Return the id of each name; a new one is stored with its row of columns.

        The connection is in autocommit and holds no transaction.
        """
        found = self.known(connection, rows)
        missing = [name for name in rows if name not in found]
        if missing:
            connection.execute(self._create, _columns([rows[name] for name in missing]))
            found |= self.known(connection, missing)
        return found

    def known(self, connection: Connection, names: Iterable[Any]) -> dict[Any, int]:
        """Return the ids of those names that have one."""
        found: dict[Any, int] = {}
        unknown: list[Any] = []
        for name in names:
            number = self._cache.get(name)
            if number is None:
                unknown.append(name)
            else:
                found[name] = number
        if unknown:
            texts = [(name,) if self._single else name for name in unknown]
            there: dict[Any, int] = {
                (row[0] if self._single else row[:-1]): int(str(row[-1]))
                for row in connection.execute(self._look_up, _columns(texts))
            }
            if len(self._cache) + len(there) > CACHED:
                self._cache.clear()
            self._cache.update(there)
            found |= there
        return found


class Names:
    """All interned tables of a store. Safe to use from many threads."""

    def __init__(self) -> None:
        self.outcomes = Interned("_outcome", ["word"])
        self.sources = Interned("_source", ["name"])
        self.testcases = Interned("_testcase", ["name"])
        self.items = Interned("_item", ["name", "type"], ["nvr", "component", "arch"])
        self.variants = Interned("_variant", ["scenario", "arch"])
        self.pairs = Interned("_pair", ["key", "value"])
        self.groups = Interned("_group", ["uuid"])


_BYTES = ' collate "C"'


def _listed(table: str, columns: Sequence[str], suffix: str = "") -> str:
    return ", ".join(f"{table}.{column}{suffix}" for column in columns)


def _arrays(columns: Sequence[str]) -> str:
    return f"unnest({', '.join(['%s::text[]'] * len(columns))}) a ({', '.join(columns)})"


def _columns(rows: Sequence[tuple[str | None, ...]]) -> list[list[str | None]]:
    return [list(column) for column in zip(*rows, strict=True)]
