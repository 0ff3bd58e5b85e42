"""Searcher: answers machines from any SQL database, by walks along indexes; what it costs is bounded.

Both stores share it: they differ in how a statement is asked, and in a Dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import product
from operator import itemgetter
from typing import Any

import orjson

from ..domain.group import Group
from ..domain.search import ComponentQuery, NameQuery, Order, Search
from ..domain.stored import Fact
from ..domain.testcase import Testcase
from ..errors import NotFoundError, TooBroadError
from ..query import component, facts
from ..query.dialect import Dialect
from ..query.known import MERGED, Driver, Known, Shape, Values, listed, parameters, shape
from ..query.walks import Walks
from .identity import to_text
from .lookups import Lookups
from .newest import NewestReader
from .pruned import absent
from .rows import attributes

HANDFUL = 60
"""Matching results that `latest` fetches whole before it chooses: one statement instead of two."""

FEW = 2_000
"""Matching results that `latest` weighs one by one; where there are more it asks each testcase."""

MANY = 100_000
"""Matching results that are weighed for each combination of values: they are in memory at once."""

SHAPES = 1_000
"""Shapes of searches whose SQL is kept; a page of twenty spends a tenth of its time on writing it."""

_NO_VALUE = (None,)
_fact = partial(tuple.__new__, Fact)
_testcase = partial(tuple.__new__, Testcase)
_group = partial(tuple.__new__, Group)
_RANK_AND_ID = itemgetter(1, 0)
"""Of a Fact, by place: an attribute of a tuple costs four times as much (10 us a page)."""

Places = tuple[int, int, int, int, int]
"""Where a record has its testcase, rank, id, attributes of its own and of its run."""

_OF_FACT: Places = (5, 1, 0, 10, 11)
_OF_ROW: Places = (0, 1, 2, 3, 4)

Ask = Callable[[str, Mapping[str, object]], list[Any]]
"""Runs one statement with named parameters and returns its rows. Raises TooBroadError beyond its budget."""


class Searcher:
    """See Store for what each method promises."""

    def __init__(self, ask: Ask, dialect: Dialect) -> None:
        self._ask = ask
        self._dialect = dialect
        self._lookups = Lookups(ask, dialect)
        self._sql = lru_cache(SHAPES)(self._written)
        self.newest = NewestReader(ask, dialect, self._lookups).newest

    def search(self, search: Search) -> list[Fact]:
        """List results; see Store."""
        known = self._lookups.known(search)
        if known.hopeless or not search.limit:
            return []
        known = self._fewer(known)
        driver = self._lookups.driver(known)
        found = list(map(_fact, self._ask(*self._asking(facts.facts_sql, known, driver))))
        if driver == "id":
            found.sort(key=lambda fact: fact.id)
        else:
            _sort(found, newest=search.order is not Order.OLDEST)
        return found

    def latest(self, search: Search, distinct_on: tuple[str, ...] | None = None) -> list[Fact]:
        """Give the newest of each testcase; see Store."""
        if search.offset or search.after or search.order is not Order.NEWEST:
            search = replace(search, offset=0, after=None, order=Order.NEWEST)
        known = self._lookups.known(search)
        if known.hopeless:
            return []
        narrow = known.pairs or known.groups is not None
        found = self._handful(known) if narrow else None
        if found is not None:
            if distinct_on is None:
                return _newest(found, _OF_FACT)
            return _ordered(_newest_of_each(found, _OF_FACT, distinct_on), distinct_on)
        if distinct_on is not None:
            rows = self._weighed(known, MANY, attributes=True)
            if rows is None:
                raise TooBroadError(
                    f"more than {MANY} results match: ask for an item, a testcase or a shorter time"
                )
            return _ordered(self._facts(_newest_of_each(rows, _OF_ROW, distinct_on)), distinct_on)
        rows = self._weighed(known, FEW, attributes=False) if narrow else None
        return self._facts(_newest(self._heads(known) if rows is None else rows, _OF_ROW))

    def fact(self, result_id: int) -> Fact:
        """Give one result; see Store."""
        found = self._ask(facts.fact_sql(), {"id": result_id})
        if not found:
            raise absent(self._ask, result_id)
        return _fact(found[0])

    def of_component(self, query: ComponentQuery) -> list[tuple[int, int]]:
        """Give rank and id of results over all items of a component; see Store."""
        return [tuple(row) for row in self._ask(*component.results_sql(query, self._dialect))]

    def items_of(self, component_: str, item_types: Sequence[str], limit: int) -> list[str]:
        """Give the names of a component's items; see Store."""
        sql, values = component.items_sql(component_, item_types, limit, self._dialect)
        return [row[0] for row in self._ask(sql, values)]

    def testcase(self, name: str) -> Testcase:
        """Give one testcase; see Store."""
        found = self.testcases(NameQuery(names=(name,), limit=1))
        if not found:
            raise NotFoundError(f"no testcase {name}")
        return found[0]

    def testcases(self, query: NameQuery) -> list[Testcase]:
        """List testcases; see Store."""
        sql, values = facts.testcases_sql(query, self._dialect)
        return list(map(_testcase, self._ask(sql, values)))

    def group(self, uuid: str) -> Group:
        """Give one group; see Store."""
        found = self.groups(NameQuery(names=(uuid,), limit=1))
        if not found:
            raise NotFoundError(f"no group {uuid}")
        return found[0]

    def groups(self, query: NameQuery) -> list[Group]:
        """List groups; see Store."""
        sql, values = facts.groups_sql(query, self._dialect)
        return list(map(_group, self._ask(sql, values)))

    def _written(self, write: Callable[[Walks], str], asked: Shape) -> str:
        return write(Walks(asked, self._dialect))

    def _asking(self, write: Callable[[Walks], str], known: Known, driver: Driver) -> tuple[str, Values]:
        """Return a statement about what `known` asks, walked along `driver`, and its parameters."""
        values = parameters(known, driver)
        for name in ("floor", "ceiling", "after_rank"):
            number = values.get(name)
            if isinstance(number, int):
                values[f"{name}_time"] = to_text(number)
        return self._sql(write, shape(known, driver)), values

    def _handful(self, known: Known) -> list[Fact] | None:
        """Give all current results that match, whole, where they are a HANDFUL at most."""
        sql, values = self._asking(facts.handful_sql, known, self._lookups.driver(known))
        found = list(map(_fact, self._ask(sql, values | {"most": HANDFUL + 1})))
        return found if len(found) <= HANDFUL else None

    def _weighed(self, known: Known, most: int, *, attributes: bool) -> list[Any] | None:
        """Give all current results that match; None where they are more than `most`."""
        write = facts.weighed_by_values_sql if attributes else facts.weighed_sql
        sql, values = self._asking(write, known, self._lookups.driver(known))
        rows = self._ask(sql, values | {"most": most + 1})
        return rows if len(rows) <= most else None

    def _fewer(self, known: Known) -> Known:
        """Of many testcases keep those whose newest results can be on the page."""
        search = known.search
        if known.testcases is None or len(known.testcases) <= MERGED:
            return known
        if replace(search, testcases=(), testcase_patterns=(), limit=0, offset=0) != Search(limit=0):
            return known
        values: Values = {"testcases": listed(known.testcases), "reach": search.limit + search.offset}
        rows = self._ask(facts.newest_testcases_sql(self._dialect), values)
        return replace(known, testcases=tuple(row[0] for row in rows))

    def _heads(self, known: Known) -> list[Any]:
        """Give the newest result of each testcase, and those that tie with it."""
        sql, values = self._asking(facts.heads_sql, known, "testcase")
        if known.testcases is not None:
            values["heads"] = listed(known.testcases)
        values["ids"] = listed(tuple(row[2] for row in self._ask(sql, values)))
        return self._ask(self._asking(facts.ties_sql, known, "testcase")[0], values)

    def _facts(self, rows: Sequence[Any]) -> list[Fact]:
        """Give the facts of weighed rows, the newest first."""
        if not rows:
            return []
        ids = listed([row[2] for row in rows])
        found = list(map(_fact, self._ask(facts.listed_sql(self._dialect), {"ids": ids})))
        _sort(found, newest=True)
        return found


def _newest(found: Iterable[Any], places: Places) -> list[Any]:
    """Choose the records of each testcase with its greatest rank, each once, the newest first."""
    testcase, rank, number, *_ = places
    best: dict[object, int] = {}
    last, chosen = None, []
    for one in sorted(found, key=itemgetter(rank, number), reverse=True):
        if one[number] != last and best.setdefault(one[testcase], one[rank]) == one[rank]:
            chosen.append(one)
        last = one[number]
    return chosen


def _newest_of_each(found: Iterable[Any], places: Places, keys: tuple[str, ...]) -> list[Any]:
    """Choose the newest record of each combination of testcase and values; no value is a value as well."""
    testcase, rank, number, own, shared = places
    seen: set[tuple[object, ...]] = set()
    last, chosen = None, []
    for one in sorted(found, key=itemgetter(rank, number), reverse=True):
        if one[number] == last:
            continue
        last, before = one[number], len(seen)
        data = orjson.loads(one[own]) if one[own] else {}
        if one[shared]:
            data = orjson.loads(one[shared]) | data
        seen.update(product((one[testcase],), *[data.get(key) or _NO_VALUE for key in keys]))
        if len(seen) > before:
            chosen.append(one)
    return chosen


def _ordered(found: list[Fact], keys: tuple[str, ...]) -> list[Fact]:
    """Order facts, the newest first, those of one time by testcase and values."""
    if len({fact[1] for fact in found}) < len(found):
        found.sort(key=lambda fact: (-fact.rank, fact.testcase, _least(fact, keys)))
    return found


def _least(fact: Fact, keys: tuple[str, ...]) -> list[tuple[bool, str]]:
    """Return what a result sorts by beside others of its time: its least value of each key, none last."""
    data = attributes(fact.shared, fact.own)
    return [min(((False, value) for value in data.get(key, ())), default=(True, "")) for key in keys]


def _sort(found: list[Fact], *, newest: bool) -> None:
    found.sort(key=_RANK_AND_ID, reverse=newest)
