"""Newest: what decisions weigh of many subjects, read with one statement however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, product
from operator import itemgetter
from typing import Any

import orjson

from ..domain.facts import Evidence, variant_of
from ..domain.outcome import Outcome
from ..domain.search import Attribute, Search
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
_made = partial(tuple.__new__, Evidence)

Question = tuple[Attribute, ...]

_Said = tuple[frozenset[tuple[str | None, ...]], Mapping[str, list[str]], str | None, str | None, str | None]
"""What a row's attributes say: the combinations of values that they stand for, none where they do not
fulfil the question; themselves; scenario, architecture, variant."""

_NO_VARIANTS: frozenset[tuple[str | None, ...]] = frozenset()
_NOTHING = (None,)

_TABLES = {"testcase": "name", "outcome": "word", "source": "name"}


class NewestReader:
    """See `Store.newest`."""

    def __init__(self, ask: Ask, dialect: Dialect, lookups: Lookups) -> None:
        self._ask, self._lookups = ask, lookups
        self._sql = {until: newest_sql(dialect, until=until) for until in (False, True)}
        self._testcases: dict[frozenset[str], str] = {}
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
        testcases: Collection[str],
        distinct_on: Sequence[str],
        *,
        testcase_patterns: Sequence[str] = (),
        passed_over: Collection[str] = (),
        copies_of: str | None = None,
        until: int | None = None,
    ) -> list[list[Evidence]]:
        """Give the newest results of each question."""
        found: list[list[Evidence]] = [[] for _ in asked]
        ids = self._ids(frozenset(testcases), tuple(testcase_patterns))
        if ids is None:
            return found
        values: dict[str, object] = {"testcases": ids, "passed": self._id_of_passed(), "most": MOST + 1}
        values["copies"] = copies_of
        if until is not None:
            values["until"] = until
        by_number = self._of_each(asked, values)
        if not by_number:
            return found
        names = self._named(by_number.values())
        choosing = _Choosing(names, tuple(distinct_on), passed_over)
        for number, rows in by_number.items():
            found[number] = choosing.newest(rows, asked[number])
        return found

    def _ids(self, names: frozenset[str], patterns: tuple[str, ...]) -> str | None:
        """Return the ids of testcases as a JSON list, None where nobody has any of them."""
        known = None if patterns else self._testcases.get(names)
        if known is not None:
            return known
        ids = self._lookups.known(
            Search(testcases=tuple(sorted(names)), testcase_patterns=patterns)
        ).testcases
        if not ids:
            return None
        text = listed(ids)
        if not patterns and len(ids) == len(names):
            if len(self._testcases) >= KEPT:
                self._testcases.clear()
            self._testcases[names] = text
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
            known = self._names[table]
            unknown = set(map(itemgetter(place), rows)).difference(known)
            if unknown:
                known.update(self._ask(self._naming[table], {"ids": listed(sorted(unknown))}))
        return self._names["testcase"], self._names["outcome"], self._names["source"]

    def _of_each(self, asked: Sequence[Question], values: dict[str, object]) -> dict[int, list[Any]]:
        """Return rows by the number of their question; some of them may not fulfil it."""
        names: dict[str, list[str]] = {}
        for (key, values_of, _pattern), *_rest in asked:
            names.setdefault(key, []).extend(values_of)
        ids = {key: self._lookups.pair_ids(key, several) for key, several in names.items()}
        numbers: dict[int, list[int]] = {}
        for number, ((key, values_of, _pattern), *_rest) in enumerate(asked):
            known = ids[key]
            for value in values_of:
                if value in known:
                    numbers.setdefault(known[value], []).append(number)
        rows = self._rows(list(numbers), values)
        if len(numbers) == 1:
            (those,) = numbers.values()
            return dict.fromkeys(those, rows) if rows else {}
        found: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            for number in numbers[row[0]]:
                found[number].append(row)
        return found

    def _rows(self, pairs: list[int], values: dict[str, object]) -> list[Any]:
        """Read the rows that have these pairs, of some pairs after others where they are many."""
        if not pairs:
            return []
        rows = self._ask(self._sql["until" in values], {**values, "drive": listed(pairs)})
        if len(rows) <= MOST:
            return rows
        if len(pairs) == 1:
            raise TooBroadError(
                f"more than {MOST} results of one subject match: ask for fewer testcases, or let old ones go"
                " (ci-results prune --older-than 180d)"
            )
        half = len(pairs) // 2
        return self._rows(pairs[:half], values) + self._rows(pairs[half:], values)


class _Choosing:
    """Chooses among the rows of questions, which have ids instead of names.

    names  of testcases, outcomes, sources, by id
    """

    def __init__(
        self,
        names: tuple[Mapping[int, str], Mapping[int, str], Mapping[int, str]],
        distinct_on: tuple[str, ...],
        passed_over: Collection[str],
    ) -> None:
        self._testcases, self._outcomes, sources = names
        self._distinct_on = distinct_on
        self._hidden = {number for number, name in sources.items() if name in passed_over}

    def newest(self, rows: list[Any], question: Question) -> list[Evidence]:
        """Return the newest of each combination of testcase and values, the newest first; no value is a
        value as well."""
        testcases, outcomes, hidden = self._testcases, self._outcomes, self._hidden
        read: dict[tuple[object, ...], _Said] = {}
        taken: dict[int, frozenset[tuple[str | None, ...]]] = {}
        chosen = []
        rows.sort(key=_RANK_AND_ID, reverse=True)
        for row in rows:
            (
                _pair, number, rank, testcase, outcome, source, note, ref_url, own, shared, scene, on, sign,
                copied,
            ) = row  # fmt: skip
            if source in hidden:
                continue
            about = (own, shared, scene, on)
            said = read.get(about)
            if said is None:
                said = read[about] = self._said(question, own, shared, scene, on)
            variants, data, scenario, arch, variant = said
            already = taken.get(testcase)
            if already is None:
                taken[testcase] = variants
                if not variants:
                    continue
            elif variants <= already:  # an older one, or the same by another pair
                continue
            else:
                taken[testcase] = already | variants
            chosen.append(
                _made(
                    (
                        number, testcases[testcase], outcomes[outcome], from_us(rank), scenario, arch,
                        variant, data, note, ref_url, bool(copied), sign,
                    )
                )
            )  # fmt: skip
        return chosen

    def _said(
        self, question: Question, own: str | None, shared: str | None, scenario: str, arch: str
    ) -> _Said:
        data = attributes(shared, own) if shared or own is None else orjson.loads(own)
        variants = _NO_VARIANTS
        if _fulfils(data, question):
            variants = frozenset(product(*[data.get(key) or _NOTHING for key in self._distinct_on]))
        return variants, data, *variant_of(data, scenario, arch)


def _fulfils(data: Mapping[str, Sequence[str]], question: Question) -> bool:
    for each in question:
        values = data.get(each.key)
        if not values:
            return False
        if len(values) == 1:
            if values[0] not in each.values:
                return False
        elif not any(value in each.values for value in values):
            return False
    return True
