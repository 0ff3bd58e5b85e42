"""Lookups: from the words of a search to ids, and along which index it is walked.

An id never changes, so what was found once is remembered; what was not found is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from ..domain.search import Attribute, Order, Search
from ..query import facts
from ..query.dialect import Dialect
from ..query.known import Driver, Known, Values

KEPT = 100_000
COMMON = 500
"""A name with more results than this is common: a walk along it may pass many that do not match."""

_COUNTS = {
    "pair": (
        "select (select count(*) from (select 1 from _result_pair where pair = :id limit :most) a)"
        " + (select count(*) from (select 1 from _run_pair where pair = :id limit :most) b)"
    ),
    "group": "select count(*) from (select 1 from _result_group where grp = :id limit :most) a",
    "testcase": "select count(*) from (select 1 from _result where testcase = :id limit :most) a",
}


class Lookups:
    """Knows ids of names that were asked before, and which of them are common."""

    def __init__(self, ask: Callable[[str, Mapping[str, object]], list[Any]], dialect: Dialect) -> None:
        self._ask = ask
        self._dialect = dialect
        self._ids: dict[str, dict[str, int]] = {}
        self._kept = 0
        self._common: set[tuple[str, int]] = set()

    def known(self, search: Search) -> Known:
        """Return the search with ids for its names."""
        testcases = None
        if search.names_testcases:
            testcases = self._named("testcase", "name", search.testcases)
            if search.testcase_patterns:
                testcases = tuple(dict.fromkeys(testcases + self._matching(search.testcase_patterns)))
        return Known(
            search=search,
            outcomes=self._named("outcome", "word", search.outcomes) if search.outcomes else None,
            testcases=testcases,
            groups=self._named("group", "uuid", search.groups) if search.groups else None,
            pairs=tuple((each.key, self._pairs(each)) for each in search.attributes),
            floor=None if search.since is None else self._floor(search.since),
        )

    def pair_ids(self, key: str, values: Sequence[str]) -> Mapping[str, int]:
        """Return the ids of pairs of one key by their values, of others too, but not of what nobody has."""
        return self._looked_up(f"pair {key}", values, self._dialect.pairs, {"key": key}, self._dialect.pair)

    def driver(self, known: Known) -> Driver:
        """Choose the index to walk: that of the condition with the fewest results."""
        candidates: list[tuple[Driver, str, tuple[int, ...]]] = [
            (n, "pair", ids) for n, (_key, ids) in enumerate(known.pairs)
        ]
        for name, ids in (("group", known.groups), ("testcase", known.testcases)):
            if ids is not None:
                candidates.append((name, name, ids))
        if candidates:
            return self._rarest(candidates)
        if known.outcomes is not None:
            return "outcome"
        return "id" if known.search.order is Order.STORED and known.search.since is None else "time"

    def _rarest(self, candidates: list[tuple[Driver, str, tuple[int, ...]]]) -> Driver:
        if len(candidates) > 1:
            rare = [
                each for each in candidates
                if len(each[2]) <= COMMON and not any((each[1], one) in self._common for one in each[2])
            ]  # fmt: skip
            if len(rare) > 1:
                return min(rare, key=lambda each: sum(self._count(each[1], one) for one in each[2]))[0]
            candidates = rare or candidates
        return candidates[0][0]

    def _count(self, kind: str, number: int) -> int:
        counted = int(self._ask(_COUNTS[kind], {"id": number, "most": COMMON})[0][0])
        if counted >= COMMON:
            self._remember_common((kind, number))
        return counted

    def _remember_common(self, name: tuple[str, int]) -> None:
        if len(self._common) >= KEPT:
            self._common.clear()
        self._common.add(name)

    def _floor(self, since: int) -> int:
        """Return the lowest rank that a result of that time or later can have."""
        lowest = self._ask(facts.FLOOR, {"since": since})[0][0]
        return since if lowest is None else min(since, int(lowest))

    def _named(self, table: str, column: str, names: Iterable[str]) -> tuple[int, ...]:
        listed = self._dialect.texts("values")
        sql = f"select {column}, id from _{table} where {column} in (select value from {listed})"
        names = tuple(dict.fromkeys(names))
        known = self._looked_up(table, names, sql, {})
        return tuple(known[name] for name in names if name in known)

    def _pairs(self, attribute: Attribute) -> tuple[int, ...]:
        if not attribute.pattern:
            values = tuple(dict.fromkeys(attribute.values))
            known = self.pair_ids(attribute.key, values)
            return tuple(known[value] for value in values if value in known)
        given: Values = {"key": attribute.key}
        where = facts.names_condition("value", (), attribute.values, self._dialect, given)
        rows = self._ask(f"select id from _pair{where} and key = :key", given)
        return tuple(row[0] for row in rows)

    def _matching(self, patterns: tuple[str, ...]) -> tuple[int, ...]:
        values: Values = {}
        where = facts.names_condition("name", (), patterns, self._dialect, values)
        return tuple(row[0] for row in self._ask(f"select id from _testcase{where}", values))

    def _looked_up(
        self, kind: str, names: Sequence[str], sql: str, values: Values, sql_of_one: str = ""
    ) -> Mapping[str, int]:
        """Return ids by name, of these names and of others, asking for those that are not remembered."""
        known = self._ids.get(kind, {})
        # No store has a NUL, and PostgreSQL would answer nothing at all where one is asked for.
        unknown = [name for name in names if name not in known and "\0" not in name]
        if unknown:
            if self._kept + len(unknown) > KEPT:
                self._ids.clear()
                known, self._kept = {}, 0
                unknown = [name for name in names if "\0" not in name]
            if sql_of_one and len(unknown) == 1:
                rows = self._ask(sql_of_one, {**values, "value": unknown[0]})
            else:
                rows = self._ask(sql, {**values, "values": orjson.dumps(unknown).decode()})
            if rows:  # a kind that nobody has is not remembered either
                known.update(rows)
                self._ids[kind] = known
                self._kept += len(rows)
        return known
