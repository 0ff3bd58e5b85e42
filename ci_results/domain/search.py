"""Search: a question of a machine about results, as ResultsDB's API puts it; and questions for names."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from ..errors import InvalidError

MAX_LIMIT = 1_000_000


class Order(StrEnum):
    """In which order results are listed; all but STORED by (rank, id)."""

    NEWEST = "newest"
    OLDEST = "oldest"
    STORED = "stored"


class Attribute(NamedTuple):
    """A condition on one attribute: some value of `key` is one of `values`.

    pattern  the values are patterns: `*` and `%` are any run of characters, `_` is any one
    """

    key: str
    values: tuple[str, ...]
    pattern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which results; an empty field asks nothing, and all that ask must hold.

    outcomes           any of these words
    groups             in any of these groups, by uuid
    testcases          any of these names, or any name that matches one of `testcase_patterns`
    since, until       claimed times in microseconds since 1970, both inclusive
    offset             rows to pass over (the peer's pages)
    after              (rank, id) of the last row of the page before: stable whatever comes meanwhile
    """

    outcomes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    testcases: tuple[str, ...] = ()
    testcase_patterns: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    since: int | None = None
    until: int | None = None
    order: Order = Order.NEWEST
    limit: int = 20
    offset: int = 0
    after: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.limit <= MAX_LIMIT or self.offset < 0:
            raise InvalidError(f"limit must be 0 to {MAX_LIMIT} and offset not negative")

    @property
    def names_testcases(self) -> bool:
        """Whether only some testcases are asked for."""
        return bool(self.testcases or self.testcase_patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentQuery:
    """Which current results of a testcase, over all items of a component; the newest first.

    item_types    of its items, any of these
    passed_over   words of outcomes, `sources_passed_over` names of sources: what does not count
    items         only so many of its items are looked at, those that came last
    until         microseconds since 1970: as it was then, by the times that results claim
    after         (rank, id) of the last row of the page before
    """

    component: str
    item_types: tuple[str, ...]
    testcase: str
    passed_over: tuple[str, ...] = ()
    sources_passed_over: tuple[str, ...] = ()
    items: int = 2_000
    limit: int = 100
    until: int | None = None
    after: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameQuery:
    """Which testcases (by name) or groups (newest first); an empty field asks nothing.

    names         any of these names or uuids
    patterns      else: the name (of a testcase) matches one of these
    descriptions  groups: the description is any of these; `description_patterns`: or matches one
    """

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = field(default=())
    description_patterns: tuple[str, ...] = ()
    limit: int = 20
    offset: int = 0
