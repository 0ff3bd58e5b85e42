"""Newest: what decisions weigh of many subjects, read with one statement however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, product
from operator import itemgetter
from typing import Any

import orjson

from ..domain.outcome import Outcome
from ..domain.search import Attribute, Search
from ..domain.stored import Newest
from ..errors import TooBroadError
from ..query.dialect import Dialect
from ..query.known import listed
from ..query.newest import newest_sql
from .identity import from_us
from .lookups import Lookups
from .outgoing import Ask
from .rows import attributes

MOST = 50_000
"""Rows of one statement: they are in memory at once, 1 kB each."""

KEPT = 1_000
"""Lists of testcases whose ids are remembered: policies ask for the same ones again and again."""

_RANK_AND_ID = itemgetter(2, 1)
_newest = partial(tuple.__new__, Newest)

Question = tuple[Attribute, ...]
Condition = tuple[str, tuple[str, ...]]
Said = tuple[Mapping[str, list[str]], set[tuple[str | None, ...]]]
"""Attributes, and the variants that they stand for."""

_TABLES = {"testcase": "name", "outcome": "word", "source": "name"}


class NewestReader:
    """See `Store.newest`."""

    def __init__(self, ask: Ask, dialect: Dialect, lookups: Lookups) -> None:
        self._ask, self._lookups = ask, lookups
        self._sql = {until: newest_sql(dialect, until=until) for until in (False, True)}
        self._testcases: dict[tuple[str, ...], str] = {}
        self._names: dict[str, dict[int, str]] = {table: {} for table in _TABLES}
        among = dialect.among("id", "ids")
        self._naming = {
            table: f"select id, {column} from _{table} where {among}"  # noqa: S608 (of _TABLES)
            for table, column in _TABLES.items()
        }
        self._passed: int | None = None

    def newest(
        self,
        asked: Sequence[Question],
        testcases: Search,
        distinct_on: Sequence[str],
        *,
        passed_over: Collection[str] = (),
        until: int | None = None,
    ) -> list[list[Newest]]:
        """Give the newest results of each question."""
        found: list[list[Newest]] = [[] for _ in asked]
        ids = self._ids(testcases)
        if ids is None:
            return found
        values: dict[str, object] = {"testcases": ids, "passed": self._id_of_passed()}
        if until is not None:
            values["until"] = until
        by_number = self._of_each(asked, values, self._sql[until is not None])
        if not by_number:
            return found
        names = self._named(by_number.values())
        hidden = {number for number, name in names[2].items() if name in passed_over}
        for number, rows in by_number.items():
            found[number] = _chosen(rows, asked[number], tuple(distinct_on), hidden, names)
        return found

    def _ids(self, testcases: Search) -> str | None:
        """Return the ids of testcases as a JSON list, None where nobody has any of them."""
        plain = testcases.testcases
        known = None if testcases.testcase_patterns else self._testcases.get(plain)
        if known is not None:
            return known
        ids = self._lookups.known(testcases).testcases
        if not ids:
            return None
        text = listed(ids)
        if not testcases.testcase_patterns and len(ids) == len(plain):
            if len(self._testcases) >= KEPT:
                self._testcases.clear()
            self._testcases[plain] = text
        return text

    def _id_of_passed(self) -> int:
        """Return the id of the outcome that most results have, 0 where none has it."""
        if self._passed is None:
            rows = self._ask("select id from _outcome where word = :word", {"word": str(Outcome.PASSED)})
            if not rows:
                return 0
            self._passed = int(rows[0][0])
        return self._passed

    def _named(self, found: Iterable[list[Any]]) -> tuple[dict[int, str], dict[int, str], dict[int, str]]:
        """Return names by id, at least of what rows have: of testcases, outcomes, sources. They never
        change."""
        rows = list(chain.from_iterable(found))
        for place, table in enumerate(_TABLES, start=3):
            unknown = {row[place] for row in rows} - self._names[table].keys()
            if unknown:
                named = self._ask(self._naming[table], {"ids": listed(sorted(unknown))})
                self._names[table].update(dict(named))
        return self._names["testcase"], self._names["outcome"], self._names["source"]

    def _of_each(
        self, asked: Sequence[Question], values: dict[str, object], sql: str
    ) -> dict[int, list[Any]]:
        """Return rows by the number of their question; some of them may not fulfil it."""
        numbers: dict[int, list[int]] = defaultdict(list)
        names: dict[str, list[str]] = defaultdict(list)
        for question in asked:
            names[question[0].key] += question[0].values
        ids = {key: self._lookups.pair_ids(key, values) for key, values in names.items()}
        for number, question in enumerate(asked):
            known = ids[question[0].key]
            for value in question[0].values:
                if value in known:
                    numbers[known[value]].append(number)
        rows = self._rows(list(numbers), values, sql)
        if len(asked) == 1 and rows:
            return {0: rows}
        found: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            for number in numbers[row[0]]:
                found[number].append(row)
        return found

    def _rows(self, pairs: list[int], values: dict[str, object], sql: str) -> list[Any]:
        """Read the rows that have these pairs, of some pairs after others where they are many."""
        if not pairs:
            return []
        rows = self._ask(sql, {**values, "drive": listed(pairs), "most": MOST + 1})
        if len(rows) <= MOST:
            return rows
        if len(pairs) == 1:
            raise TooBroadError(
                f"more than {MOST} results of one subject match: ask for fewer testcases, or prune the store"
            )
        half = len(pairs) // 2
        return self._rows(pairs[:half], values, sql) + self._rows(pairs[half:], values, sql)


def _chosen(
    rows: list[Any],
    question: Question,
    distinct_on: tuple[str, ...],
    hidden: Collection[int],
    names: tuple[Mapping[int, str], Mapping[int, str], Mapping[int, str]],
) -> list[Newest]:
    """Choose the newest row of each combination of testcase and values; no value is a value as well.

    hidden  ids of sources that are passed over
    """
    testcases, outcomes, sources = names
    conditions = [(each.key, each.values) for each in question]
    weighed: set[tuple[object, ...]] = set()
    read: dict[tuple[str | None, str | None], Said] = {}
    taken: dict[int, set[tuple[str | None, ...]]] = defaultdict(set)
    chosen = []
    rows.sort(key=_RANK_AND_ID, reverse=True)
    for row in rows:
        _pair, number, rank, testcase, outcome, source, note, ref_url, own, shared, scenario, arch, sign = row
        same = (testcase, own, shared)
        if source in hidden or same in weighed:  # an older one that says the same, or by another pair
            continue
        weighed.add(same)
        said = read.get(same[1:])
        if said is None:
            data = attributes(shared, own) if shared or own is None else orjson.loads(own)
            said = read[same[1:]] = data, _variants(data, distinct_on, conditions)
        data, variants = said
        if not variants <= taken[testcase]:
            taken[testcase] |= variants
            told = (testcases[testcase], outcomes[outcome], sources.get(source, ""), note, ref_url, data)
            chosen.append(_newest((number, from_us(rank), *told, scenario, arch, sign)))
    return chosen


def _variants(
    data: Mapping[str, Sequence[str]], distinct_on: tuple[str, ...], conditions: Iterable[Condition]
) -> set[tuple[str | None, ...]]:
    """Return the combinations of values that attributes stand for; none where they fulfil no question."""
    if not _fulfils(data, conditions):
        return set()
    return set(product(*[data.get(key) or (None,) for key in distinct_on]))


def _fulfils(data: Mapping[str, Sequence[str]], conditions: Iterable[Condition]) -> bool:
    for key, wanted in conditions:
        values = data.get(key)
        if not values:
            return False
        if len(values) == 1:
            if values[0] not in wanted:
                return False
        elif not any(value in wanted for value in values):
            return False
    return True
