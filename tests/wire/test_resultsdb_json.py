"""What ResultsDB answers: objects, times, pages and their addresses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ci_results.domain import testcase
from ci_results.domain.group import Group
from ci_results.domain.stored import Fact
from ci_results.wire import resultsdb_json as encode

BASE = "https://ci.example:8443/api/v2.0"


def fact(number: int = 7, **fields: Any) -> Fact:
    given: dict[str, Any] = {
        "id": number, "rank": 1_772_366_400_000_000, "time": "2026-03-01T12:00:00.000000", "claim": None,
        "outcome": "PASSED",
        "testcase": "dist.rpm lint/ž?#", "testcase_ref_url": None, "note": None, "ref_url": None,
        "groups": None, "own": None, "shared": None,
    }  # fmt: skip
    return Fact(**(given | fields))


def served(value: Any) -> Any:
    return json.loads(encode.dump(value))


def test_a_result_has_all_its_members_and_absolute_addresses() -> None:
    found = served(encode.result(fact(), BASE))
    href = f"{BASE}/testcases/dist.rpm%20lint/%C5%BE%3F%23"
    assert found == {
        "id": 7, "groups": [], "submit_time": "2026-03-01T12:00:00", "outcome": "PASSED", "note": None,
        "ref_url": None, "data": {}, "href": f"{BASE}/results/7",
        "testcase": {"name": "dist.rpm lint/ž?#", "ref_url": None, "href": href},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("own", "shared", "data"),
    [
        (None, None, {}),
        ('{"b":["2","1","1"],"a":[""]}', None, {"b": ["2", "1", "1"], "a": [""]}),
        (None, '{"job":["j"]}', {"job": ["j"]}),
        ('{"a":["1"]}', "{}", {"a": ["1"]}),
        ('{"a":["1"]}', '{"job":["j"]}', {"job": ["j"], "a": ["1"]}),
        ('{"job":["mine"]}', '{"job":["j"],"b":["1"]}', {"job": ["mine"], "b": ["1"]}),
        ('{"parent":[]}', '{"parent":["p"],"b":["1"]}', {"b": ["1"]}),
    ],
)
def test_attributes_are_the_runs_and_its_own(own: str | None, shared: str | None, data: Any) -> None:
    found = served(encode.result(fact(own=own, shared=shared, groups='["g2","g1"]'), BASE))
    assert list(found["data"].items()) == list(data.items())
    assert found["groups"] == ["g2", "g1"]


def test_a_testcase_and_a_group() -> None:
    assert encode.testcase(testcase.Testcase(name="a/b", ref_url="u"), BASE) == {
        "name": "a/b", "ref_url": "u", "href": f"{BASE}/testcases/a/b",
    }  # fmt: skip
    assert encode.group(Group(uuid="x/y z", description="d", results=3), BASE) == {
        "uuid": "x/y z", "description": "d", "ref_url": None, "results_count": 3,
        "href": f"{BASE}/groups/x%2Fy%20z", "results": f"{BASE}/results?groups=x%2Fy%20z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "1970-01-01T00:00:00"),
        (1, "1970-01-01T00:00:00.000001"),
        (1_661_324_097_000_000, "2022-08-24T06:54:57"),
        (1_661_324_097_500_000, "2022-08-24T06:54:57.500000"),
        (-1, "1969-12-31T23:59:59.999999"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999"),
    ],
)
def test_a_time_is_naive_utc_without_an_empty_fraction(number: int, text: str) -> None:
    assert served(encode.result(fact(claim=number), BASE))["submit_time"] == text
    assert served(encode.result(fact(time=encode.moment(number)), BASE))["submit_time"] == text


@pytest.mark.parametrize(
    ("url", "next_page"),
    [
        ("http://h/r", "http://h/r?page=1"),
        ("http://h/r?", "http://h/r?page=1"),
        ("http://h/r?a=1", "http://h/r?a=1&page=1"),
        ("http://h/r?page=0&a=1", "http://h/r?page=1&a=1"),
        ("http://h/r?a=1&page=0", "http://h/r?a=1&page=1"),
        ("http://h/r?a=1&page=&b=2", "http://h/r?a=1&page=1&b=2"),
        ("http://h/r?a=%C5%BE%20x&page=0", "http://h/r?a=%C5%BE%20x&page=1"),
        ("http://h/r?mypage=5", "http://h/r?mypage=5&page=1"),
        ("http://h/r?callback=f&a=1", "http://h/r?a=1&page=1"),
        ("http://h/r?a=1&callback=f", "http://h/r?a=1&page=1"),
        ("http://h/r?callback=f", "http://h/r?page=1"),
        ("http://h/r?a=1&&&b=2", "http://h/r?a=1&b=2&page=1"),
        ("http://h/t/x&page=7/results?page=0", "http://h/t/x&page=7/results?page=1"),
        ("http://h/r?a=?page=7", "http://h/r?a=?page=7&page=1"),
    ],
)
def test_the_next_page_is_the_request_as_it_came_with_another_page(url: str, next_page: str) -> None:
    assert encode.page_url(url, 1) == next_page


@pytest.mark.parametrize(
    ("rows", "page", "limit", "shown", "prev", "more"),
    [
        (3, 0, 5, 3, None, None),
        (6, 0, 5, 5, None, "u?page=1"),
        (6, 2, 5, 5, "u?page=1", "u?page=3"),
        (0, 4, 5, 0, "u?page=3", None),
        (0, 1, 5, 0, "u?page=0", None),
        (1, 0, 0, 0, None, "u?page=1"),
        (0, 0, 0, 0, None, None),
        (0, 2, -1, 0, "u?page=1", None),
    ],
)
def test_a_list_has_its_page_and_the_addresses_beside_it(
    rows: int, page: int, limit: int, shown: int, prev: str | None, more: str | None
) -> None:
    found = encode.listing(list(range(rows)), "u", page, limit)
    assert found == {"data": list(range(shown)), "prev": prev, "next": more}
    facts = [fact(10 - n) for n in range(rows)]
    results = encode.results_listing(facts, BASE, "u", page, limit)
    cursor = f"1772366400000000-{facts[limit - 1].id}" if more and limit else None
    assert results.pop("next_cursor") == cursor
    assert [one["id"] for one in served(results.pop("data"))] == [one.id for one in facts[:shown]]
    assert results == {"prev": prev, "next": more}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"b": "ž", "a": [1, None]}, {"b": "ž", "a": [1, None]}),
        ({"input": "\ud800"}, {"input": "\ud800"}),
        ({"input": 10**30}, {"input": 10**30}),
        ({"input": [10**30, float("nan"), float("inf")]}, {"input": [10**30, None, None]}),
        ({"input": float("nan")}, {"input": None}),
    ],
)
def test_whatever_a_client_sent_can_be_told_back(value: Any, said: Any) -> None:
    body = encode.dump(value)
    assert body.endswith(b"}\n")
    assert json.loads(body) == said
