"""Queries of ResultsDB 2.0: parameters of a request to a Search or NameQuery. Obeys COMPAT 1.5 to 1.8.

One parameter is ours: `_after`, a `next_cursor` of an answer: paging that neither skips nor repeats
while results come in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote_plus

from ..domain.search import Attribute, NameQuery, Order, Search
from .validation import RefusedBody, Wrong, integer, problem, rule

LIMIT = 20
NO_TEXT = "%EF%BF%BD"
"""What stands for bytes that no stored text has: NUL here, as the replacement for what is not UTF-8."""

MAX_OFFSET = 1 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
RESERVED = frozenset(
    {"page", "limit", "outcome", "groups", "testcases", "testcases:like", "since", "_sort", "_after",
     "_distinct_on"}
)  # fmt: skip

Given = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of results: the search (with one row more than the page), and its page."""

    search: Search
    page: int
    limit: int
    distinct_on: tuple[str, ...] | None = None


def parameters(query: str) -> dict[str, list[str]]:
    """Return the parameters of a raw query string, each with its values in order."""
    given: dict[str, list[str]] = {}
    query = query.replace("\0", NO_TEXT).replace("%00", NO_TEXT)
    for part in query.split("&"):
        if part:
            name, _sign, value = part.partition("=")
            if "%" in part or "+" in part:
                name, value = unquote_plus(name), unquote_plus(value)
            given.setdefault(name, []).append(value)
    return given


@lru_cache(maxsize=1_000)
def question(query: str, outcomes: tuple[str, ...], max_limit: int) -> Asked:
    """Read the question for results in a raw query string: who waits for a build asks the same again.

    Raises RefusedBody that lists every bad parameter.
    """
    return results_asked(parameters(query), outcomes, max_limit)


@lru_cache(maxsize=1_000)
def names_question(query: str, kind: str, max_limit: int) -> tuple[NameQuery, int, int]:
    """Read the question for names in a raw query string, as `question` does; see names_asked."""
    return names_asked(parameters(query), kind, max_limit)


def results_asked(given: Given, outcomes: Collection[str], max_limit: int) -> Asked:
    """Read a question for results. Raises RefusedBody that lists every bad parameter."""
    problems: list[Mapping[str, object]] = []
    page = _integer(given, "page", 0, problems)
    limit = _limit(given, max_limit, problems)
    words = _outcomes(given, outcomes, problems)
    since, until = _since(given, problems)
    after = _after(given, problems)
    if problems:
        raise RefusedBody(problems)
    page = max(0, page)
    search = Search(
        outcomes=words,
        groups=_listed(given, "groups"),
        testcases=_listed(given, "testcases"),
        testcase_patterns=_listed(given, "testcases:like"),
        attributes=tuple(_attributes(given)),
        since=since,
        until=until,
        order=_order(given),
        limit=limit + 1,
        offset=_offset(page, limit),
        after=after,
    )
    return Asked(search, page, limit, _listed(given, "_distinct_on") or None)


def names_asked(given: Given, kind: str, max_limit: int) -> tuple[NameQuery, int, int]:
    """Read a question for "testcases" or "groups": the query (one row more), page and limit."""
    problems: list[Mapping[str, object]] = []
    page = max(0, _integer(given, "page", 0, problems))
    limit = _limit(given, max_limit, problems)
    if problems:
        raise RefusedBody(problems)
    offset = _offset(page, limit)
    if kind == "testcases":
        names = _split(given, "name", trim=True)
        patterns = () if names else _split(given, "name:like", trim=True)
        return NameQuery(names=names, patterns=patterns, limit=limit + 1, offset=offset), page, limit
    described = _split(given, "description")
    query = NameQuery(
        names=_split(given, "uuid"),
        descriptions=described,
        description_patterns=() if described else _split(given, "description:like"),
        limit=limit + 1,
        offset=offset,
    )
    return query, page, limit


def cursor(rank: int, number: int) -> str:
    """Return the text that `_after` takes to go on after this result.

    >>> cursor(1767225600000000, 42)
    '1767225600000000-42'
    """
    return f"{rank}-{number}"


def _integer(given: Given, name: str, default: int, problems: list[Mapping[str, object]]) -> int:
    values = given.get(name)
    if values is None:
        return default
    try:
        return integer(values[-1])
    except Wrong as wrong:
        problems.append(problem(wrong, (name,), values[-1]))
        return default


def _limit(given: Given, most: int, problems: list[Mapping[str, object]]) -> int:
    """Return how many rows are asked: -1 for any negative number, which gets nothing."""
    return min(max(-1, _integer(given, "limit", LIMIT, problems)), most)


def _offset(page: int, limit: int) -> int:
    return min(page * max(0, limit), MAX_OFFSET)


def _listed(given: Given, name: str) -> tuple[str, ...]:
    """Read a list: one occurrence is split at commas and trimmed, several are a value each."""
    values = given.get(name)
    if not values:
        return ()
    if len(values) > 1:
        return tuple(dict.fromkeys(value for value in values if value))
    return tuple(dict.fromkeys(part for one in values[0].split(",") if (part := one.strip())))


def _split(given: Given, name: str, *, trim: bool = False) -> tuple[str, ...]:
    values = given.get(name, [])
    parts = [part.strip() if trim else part for value in values for part in value.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part.strip()))


def _outcomes(
    given: Given, outcomes: Collection[str], problems: list[Mapping[str, object]]
) -> tuple[str, ...]:
    words = tuple(word.upper() for word in _listed(given, "outcome"))
    if any(word not in outcomes for word in words):
        wrong = rule(f"must be one of: {', '.join(outcomes)}")
        problems.append(problem(wrong, ("outcome",), ",".join(given["outcome"])))
    return words


def _since(given: Given, problems: list[Mapping[str, object]]) -> tuple[int | None, int | None]:
    """Read `start` or `start,end`; a zone is dropped, not converted, as the peer does."""
    values = given.get("since")
    if values is None:
        return None, None
    start, comma, end = values[-1].partition(",")
    try:
        return _moment(start), _moment(end) if comma else None
    except ValueError:
        problems.append(problem(rule("must be in ISO8601 format"), ("since",), values[-1]))
        return None, None


def _moment(text: str) -> int:
    time = datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    return (time - _EPOCH) // timedelta(microseconds=1)


def _after(given: Given, problems: list[Mapping[str, object]]) -> tuple[int, int] | None:
    values = given.get("_after")
    if values is None:
        return None
    found = _CURSOR.fullmatch(values[-1])
    if found is None or int(found[1]) > 253_402_300_799_999_999:
        problems.append(problem(rule("must be the next_cursor of an answer"), ("_after",), values[-1]))
        return None
    return int(found[1]), int(found[2])


def _order(given: Given) -> Order:
    words = {"asc:submit_time": Order.OLDEST, "disable_sorting": Order.STORED}
    return words.get(given.get("_sort", [""])[-1], Order.NEWEST)


def _attributes(given: Given) -> Iterable[Attribute]:
    """Yield what is asked of attributes: `key=a,b`, `key:like=a*`; any other modifier asks exactly."""
    for name, values in given.items():
        if name in RESERVED:
            continue
        parts = tuple(part for value in values for part in value.split(","))
        key, _colon, modifier = name.partition(":")
        if name.count(":") > 1:
            key = name
        yield Attribute(key=key, values=parts, pattern=modifier == "like")
