"""Queries to ResultsDB: what parameters ask, and how bad ones are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ci_results.domain.search import Attribute, NameQuery, Order, Search
from ci_results.wire.resultsdb_query import LIMIT, Asked, names_asked, parameters, results_asked
from ci_results.wire.validation import RefusedBody

OUTCOMES = ("PASSED", "INFO", "FAILED", "NEEDS_INSPECTION")
MOST = 1000
ONE_OF = "Value error, must be one of: PASSED, INFO, FAILED, NEEDS_INSPECTION"
NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
NO_TIME = "Value error, must be in ISO8601 format"
NO_CURSOR = "Value error, must be the next_cursor of an answer"


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def asked(query: str) -> Asked:
    return results_asked(parameters(query), OUTCOMES, MOST)


def search(**fields: Any) -> Search:
    return Search(**({"limit": LIMIT + 1} | fields))


def exactly(key: str, *values: str) -> dict[str, Any]:
    return {"attributes": (Attribute(key=key, values=values),)}


def like(key: str, *values: str) -> dict[str, Any]:
    return {"attributes": (Attribute(key=key, values=values, pattern=True),)}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {}),
        ("outcome=passed", {"outcomes": ("PASSED",)}),
        ("outcome=PASSED, failed ,", {"outcomes": ("PASSED", "FAILED")}),
        ("outcome=", {}),
        ("outcome=,", {}),
        ("outcome=passed&outcome=INFO", {"outcomes": ("PASSED", "INFO")}),
        ("groups=a,b", {"groups": ("a", "b")}),
        ("groups=%20a%20,,b", {"groups": ("a", "b")}),
        ("groups=a,b&groups=c", {"groups": ("a,b", "c")}),
        ("groups=%20a&groups=", {"groups": (" a",)}),
        ("testcases=dist.rpmlint,dist.abicheck", {"testcases": ("dist.rpmlint", "dist.abicheck")}),
        ("testcases=a&testcases=b,c", {"testcases": ("a", "b,c")}),
        ("testcases=a+b%2Fc%C5%BE", {"testcases": ("a b/cž",)}),
        ("testcases=ž", {"testcases": ("ž",)}),
        ("testcases:like=dist.*,*x", {"testcase_patterns": ("dist.*", "*x")}),
        ("testcases=a&testcases:like=b*", {"testcases": ("a",), "testcase_patterns": ("b*",)}),
        ("testcases%3Alike=b*", {"testcase_patterns": ("b*",)}),
        ("since=2026-01-02", {"since": us("2026-01-02")}),
        ("since=2026-01-02T03:04:05", {"since": us("2026-01-02T03:04:05")}),
        ("since=2026-01-02+03:04:05.5", {"since": us("2026-01-02T03:04:05.5")}),
        ("since=2026-01-02T03:04:05%2B02:00", {"since": us("2026-01-02T03:04:05")}),
        ("since=2026-01-02T03:04:05-0230", {"since": us("2026-01-02T03:04:05")}),
        ("since=2026-01-02T03:04:05Z", {"since": us("2026-01-02T03:04:05")}),
        (
            "since=2026-01-02,2026-02-01T00:00:00",
            {"since": us("2026-01-02"), "until": us("2026-02-01")},
        ),
        ("_sort=asc:submit_time", {"order": Order.OLDEST}),
        ("_sort=desc:submit_time", {"order": Order.NEWEST}),
        ("_sort=disable_sorting", {"order": Order.STORED}),
        ("_sort=asc:outcome", {}),
        ("_sort=", {}),
        ("item=bash", exactly("item", "bash")),
        ("item=a,%20b,", exactly("item", "a", " b", "")),
        ("item=", exactly("item", "")),
        ("item=a,b&item=c", exactly("item", "a", "b", "c")),
        ("item:like=a*,b_", like("item", "a*", "b_")),
        ("item:foo=x", exactly("item", "x")),
        ("item:like:foo=x", exactly("item:like:foo", "x")),
        ("callback=x", exactly("callback", "x")),
        ("=x", exactly("", "x")),
        ("param%20x=%2Fa", exactly("param x", "/a")),
        ("productmd.compose.id=F-1", exactly("productmd.compose.id", "F-1")),
        (
            "type=koji_build&item=a",
            {
                "attributes": (
                    Attribute(key="type", values=("koji_build",)),
                    Attribute(key="item", values=("a",)),
                )
            },
        ),
        ("item=a%00b", exactly("item", "a\ufffdb")),
        ("item=%FF", exactly("item", "\ufffd")),
        ("_after=1767225600000000-42", {"after": (1767225600000000, 42)}),
        ("_distinct_on=a", {}),
    ],
)  # fmt: skip
def test_a_question_for_results(query: str, fields: dict[str, Any]) -> None:
    assert asked(query).search == search(**fields)


@pytest.mark.parametrize(
    ("query", "page", "limit", "rows", "offset"),
    [
        ("", 0, 20, 21, 0),
        ("page=2", 2, 20, 21, 40),
        ("page=2&limit=5", 2, 5, 6, 10),
        ("page=-1", 0, 20, 21, 0),
        ("page=%201%20", 1, 20, 21, 20),
        ("limit=0&page=3", 3, 0, 1, 0),
        ("limit=-1&page=3", 3, -1, 0, 0),
        ("limit=-7", 0, -1, 0, 0),
        ("limit=1000000", 0, MOST, MOST + 1, 0),
        ("limit=5&page=1&_after=9-1", 1, 5, 6, 5),
        (f"page={10**30}", 10**30, 20, 21, 1 << 62),
    ],
)
def test_a_page_and_its_size(query: str, page: int, limit: int, rows: int, offset: int) -> None:
    found = asked(query)
    assert (found.page, found.limit, found.search.limit, found.search.offset) == (page, limit, rows, offset)
    names, names_page, names_limit = names_asked(parameters(query.partition("&_after")[0]), "testcases", MOST)
    assert (names_page, names_limit, names.limit, names.offset) == (page, limit, rows, offset)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", None),
        ("_distinct_on=", None),
        ("_distinct_on=,", None),
        ("_distinct_on=scenario", ("scenario",)),
        ("_distinct_on=scenario,arch", ("scenario", "arch")),
        ("_distinct_on=scenario,%20arch,scenario", ("scenario", "arch")),
        ("_distinct_on=a-b&_distinct_on=c,d", ("a-b", "c,d")),
    ],
)
def test_what_the_latest_are_distinct_on(query: str, keys: tuple[str, ...] | None) -> None:
    assert asked(query).distinct_on == keys


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("page=x", [("page", "int_parsing", NO_INTEGER, "x")]),
        ("page=", [("page", "int_parsing", NO_INTEGER, "")]),
        ("limit=1.5", [("limit", "int_parsing", NO_INTEGER, "1.5")]),
        ("outcome=odd", [("outcome", "value_error", ONE_OF, "odd")]),
        ("outcome=passed,odd", [("outcome", "value_error", ONE_OF, "passed,odd")]),
        ("outcome=a&outcome=b", [("outcome", "value_error", ONE_OF, "a,b")]),
        *(
            (f"since={bad}", [("since", "value_error", NO_TIME, bad.replace("+", " "))])
            for bad in (
                "", ",", "now", "2026", "2026-13-01", "2026-01-01,", "2026-01-01,x", ",2026-01-01",
                "2026-01-01,2026-01-02,2026-01-03", "2026-01-01T00:00:00+02:00", "1767225600",
            )
        ),
        ("_after=x", [("_after", "value_error", NO_CURSOR, "x")]),
        ("_after=9-1-1", [("_after", "value_error", NO_CURSOR, "9-1-1")]),
        (
            "since=x&outcome=y&limit=z&page=",
            [
                ("page", "int_parsing", NO_INTEGER, ""),
                ("limit", "int_parsing", NO_INTEGER, "z"),
                ("outcome", "value_error", ONE_OF, "y"),
                ("since", "value_error", NO_TIME, "x"),
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_bad_parameters_are_all_refused(query: str, problems: list[tuple[str, str, str, str]]) -> None:
    with pytest.raises(RefusedBody) as refused:
        asked(query)
    found = [(one["loc"], one["type"], one["msg"], one["input"]) for one in refused.value.problems]
    assert found == [([name], kind, message, value) for name, kind, message, value in problems]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {}),
        ("name=a,%20b%20,,", {"names": ("a", "b")}),
        ("name=a,b&name:like=x*", {"names": ("a", "b")}),
        ("name=&name:like=x*,%20*y", {"patterns": ("x*", "*y")}),
        ("callback=x&other=y", {}),
    ],
)
def test_a_question_for_testcases(query: str, fields: dict[str, Any]) -> None:
    found, _page, _limit = names_asked(parameters(query), "testcases", MOST)
    assert found == NameQuery(limit=LIMIT + 1, **fields)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {}),
        ("uuid=a,b", {"names": ("a", "b")}),
        ("uuid=%20a,b", {"names": (" a", "b")}),
        ("description=a,%20,b%20", {"descriptions": ("a", "b ")}),
        ("description:like=*a*,b*", {"description_patterns": ("*a*", "b*")}),
        ("description=a&description:like=b*", {"descriptions": ("a",)}),
        ("uuid=a&description=d", {"names": ("a",), "descriptions": ("d",)}),
        ("name=a", {}),
    ],
)
def test_a_question_for_groups(query: str, fields: dict[str, Any]) -> None:
    found, _page, _limit = names_asked(parameters(query), "groups", MOST)
    assert found == NameQuery(limit=LIMIT + 1, **fields)


def test_names_refuse_bad_pages_too() -> None:
    with pytest.raises(RefusedBody) as refused:
        names_asked(parameters("page=&limit=x"), "groups", MOST)
    assert [one["loc"] for one in refused.value.problems] == [["page"], ["limit"]]
