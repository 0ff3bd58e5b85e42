"""Known: a search with its names looked up; what of it decides the SQL, and what are its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from ..domain.search import Order, Search

Values = dict[str, object]

Driver = str | int
"""What a search walks along: "time", "id", "outcome", "testcase", "group", or the number of a condition
on an attribute."""

MERGED = 40
"""Walks that are merged in one statement; where more ids are asked, one walk looks for them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A search with its names looked up: ids instead of words.

    outcomes, testcases, groups  ids; None = not asked, () = asked for what nobody has
    pairs    for each condition on an attribute its key and the ids of the pairs that fulfil it
    floor    no result that matches has a lower rank; None = unknown
    """

    search: Search
    outcomes: tuple[int, ...] | None = None
    testcases: tuple[int, ...] | None = None
    groups: tuple[int, ...] | None = None
    pairs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    floor: int | None = None

    @property
    def hopeless(self) -> bool:
        """Whether some condition names only what nobody has."""
        return () in (self.outcomes, self.testcases, self.groups) or any(not ids for _key, ids in self.pairs)


class Shape(NamedTuple):
    """All that the SQL of a search depends on, so that its text is written once for every shape.

    drives  ids that the driver names, at most one more than MERGED; 0 = it names none
    outcomes, testcases, groups, pairs  whether a condition names one id or several; None = no condition
    floor, since, until, after  whether it is bounded so
    """

    driver: Driver
    drives: int
    order: Order
    outcomes: bool | None
    testcases: bool | None
    groups: bool | None
    pairs: tuple[bool, ...]
    floor: bool
    since: bool
    until: bool
    after: bool


def shape(known: Known, driver: Driver) -> Shape:
    """Return the shape of a search that is walked along `driver`."""
    search = known.search
    return Shape(
        driver,
        min(len(_driving(known, driver)), MERGED + 1),
        search.order,
        None if known.outcomes is None else len(known.outcomes) > 1,
        None if known.testcases is None else len(known.testcases) > 1,
        None if known.groups is None else len(known.groups) > 1,
        tuple([len(ids) > 1 for _key, ids in known.pairs]),
        known.floor is not None,
        search.since is not None,
        search.until is not None,
        search.after is not None,
    )


def parameters(known: Known, driver: Driver) -> Values:
    """Return the parameters of that SQL: times as numbers, for which the store has texts too, and ids."""
    search = known.search
    values: Values = {"limit": search.limit, "offset": search.offset, "reach": search.limit + search.offset}
    driving = _driving(known, driver)
    if len(driving) > MERGED:
        values["drive"] = listed(driving)
    else:
        for n, one in enumerate(driving):
            values[f"drive{n}"] = one
    for name, ids in (("outcome", known.outcomes), ("testcase", known.testcases), ("groups", known.groups)):
        if ids:
            values[name] = _among(ids)
    for n, (key, pairs) in enumerate(known.pairs):
        values[f"key{n}"], values[f"pairs{n}"] = key, _among(pairs)
    if known.floor is not None:
        values["floor"] = known.floor
    if search.since is not None:
        values["since"] = search.since
    if search.until is not None:
        values["until"], values["ceiling"] = (
            search.until,
            max(0, search.until),
        )  # a claim before 1970 ranks so
    if search.after is not None:
        values["after_rank"], values["after_id"] = search.after
    return values


def listed(ids: Sequence[int]) -> str:
    """Return ids as SQL takes several in one parameter: a JSON list."""
    return orjson.dumps(ids).decode()


def _driving(known: Known, driver: Driver) -> tuple[int, ...]:
    if isinstance(driver, int):
        return known.pairs[driver][1]
    named = {"outcome": known.outcomes, "testcase": known.testcases, "group": known.groups}
    return named.get(driver) or ()


def _among(ids: tuple[int, ...]) -> int | str:
    return ids[0] if len(ids) == 1 else listed(ids)
