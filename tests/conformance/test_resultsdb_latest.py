"""ResultsDB's API 2.0: the latest results."""

from __future__ import annotations

from typing import Any

import pytest

from .places import Api, name


def day(n: int) -> str:
    return f"2020-01-{n:02}T00:00:00.0"


def test_the_latest_of_each_testcase_newest_first_and_without_pages(api: Api) -> None:
    mark = name("i")
    ids = [
        api.result(testcase=f"{mark}.{case}", data={"item": mark}, submit_time=day(time))["id"]
        for case, time in (("a", 1), ("b", 5), ("a", 3), ("c", 4), ("a", 2))
    ]
    found = api.get(f"/results/latest?item={mark}").json()
    assert list(found) == ["data"]
    assert [one["id"] for one in found["data"]] == [ids[1], ids[3], ids[2]]


def test_exact_ties_are_all_returned(api: Api) -> None:
    mark = name("i")
    for query in (f"item={mark}", f"testcases={mark}.a", f"testcases:like={mark}.*&item={mark}"):
        ids = [
            api.result(testcase=f"{mark}.a", data={"item": mark}, submit_time=day(9))["id"] for _ in range(2)
        ]
        api.result(testcase=f"{mark}.a", data={"item": mark}, submit_time=day(8))
        assert api.ids(f"/results/latest?{query}")[:2] == ids[::-1]


@pytest.mark.parametrize("more", ["limit=1", "page=3", "outcome=INFO", "_sort=asc:submit_time", "_after=1-1"])
def test_page_limit_outcome_and_sort_have_no_effect(api: Api, more: str) -> None:
    mark = name("i")
    ids = [api.result(testcase=f"{mark}.{n}", data={"item": mark})["id"] for n in range(3)]
    assert api.ids(f"/results/latest?item={mark}&{more}") == ids[::-1]


@pytest.mark.parametrize("bad", ["page=x", "limit=", "outcome=odd", "since=x"])
def test_but_they_are_validated(api: Api, bad: str) -> None:
    answer = api.get(f"/results/latest?item=x&{bad}")
    assert answer.status_code == 400
    assert answer.json()["validation_error"][0]["loc"] == [bad.partition("=")[0]]


def test_the_maximum_is_taken_among_what_satisfies_since_groups_and_data(api: Api) -> None:
    mark, group = name("i"), name("g")

    def post(case: str, time: int, **fields: Any) -> int:
        data = {"item": mark, **fields.pop("data", {})}
        number: int = api.result(testcase=f"{mark}.{case}", submit_time=day(time), data=data, **fields)["id"]
        return number

    old, new = post("a", 1, data={"arch": "x"}, groups=[group]), post("a", 2, data={"arch": "y"})
    other = post("b", 1, groups=[group])
    for query, found in {
        f"item={mark}": [new, other],
        f"item={mark}&arch=x": [old],
        f"groups={group}": [other, old],
        f"item={mark}&groups={group}&arch=x": [old],
        f"item={mark}&since=2020-01-02": [new],
        f"item={mark}&since=2019-01-01,2020-01-01": [other, old],
        f"testcases={mark}.a": [new],
        f"testcases={mark}.a,{mark}.b": [new, other],
        f"testcases={mark}.b&testcases:like={mark}.a*&item={mark}": [new, other],
        f"testcases:like={mark}.*&since=2020-01-02": [new],
        f"item={mark}&arch=nobody": [],
    }.items():
        assert api.ids(f"/results/latest?{query}") == found, query


def test_without_any_filter_it_is_the_latest_of_every_testcase(fresh: Api) -> None:
    ids = [fresh.result(testcase=case)["id"] for case in ("ns.a", "ns.b", "ns.a")]
    assert fresh.ids("/results/latest") == [ids[2], ids[1]]


def test_a_claim_of_2099_shadows_nothing(api: Api) -> None:
    """The one deviation: "latest" goes by the earlier of claim and receipt."""
    mark = name("i")
    api.result(
        testcase=f"{mark}.a", data={"item": mark}, submit_time="2099-01-01T00:00:00.0", outcome="PASSED"
    )
    later = api.result(testcase=f"{mark}.a", data={"item": mark}, outcome="FAILED")
    assert api.ids(f"/results/latest?item={mark}") == [later["id"]]


@pytest.mark.demand("S-047")
def test_distinct_on_gives_the_newest_of_each_combination(api: Api) -> None:
    mark = name("i")

    def post(case: str, time: int, **data: Any) -> int:
        number: int = api.result(
            testcase=f"{mark}.{case}", submit_time=day(time), data={"item": mark, **data}
        )["id"]
        return number

    post("a", 1, scenario="uefi", arch="x")
    uefi_x = post("a", 2, scenario="uefi", arch="x")
    uefi_y = post("a", 3, scenario="uefi", arch="y")
    bios = post("a", 4, scenario="bios", arch="x")
    post("a", 5)
    none = post("a", 6)
    other = post("b", 7, scenario="uefi", arch="x")
    for keys, found in {
        "scenario,arch": [other, none, bios, uefi_y, uefi_x],
        "scenario": [other, none, bios, uefi_y],
        "arch": [other, none, bios, uefi_y],
        "nobody-has-this": [other, none],
    }.items():
        assert api.ids(f"/results/latest?item={mark}&_distinct_on={keys}") == found, keys


def test_a_result_with_several_values_stands_once_for_all_of_them(api: Api) -> None:
    mark = name("i")
    both = api.result(testcase=mark, submit_time=day(1), data={"item": mark, "k": ["a", "b", "b"]})["id"]
    only = api.result(testcase=mark, submit_time=day(2), data={"item": mark, "k": "b"})["id"]
    assert api.ids(f"/results/latest?item={mark}&_distinct_on=k") == [only, both]


def test_ties_of_distinct_results_are_by_testcase_then_value_and_no_value_last(api: Api) -> None:
    mark = name("i")
    ids = {}
    for case, value in (("b", "2"), ("b", None), ("a", None), ("b", "1"), ("a", "3")):
        data = {"item": mark} | ({"k": value} if value else {})
        ids[case, value] = api.result(testcase=f"{mark}.{case}", submit_time=day(1), data=data)["id"]
    order = [("a", "3"), ("a", None), ("b", "1"), ("b", "2"), ("b", None)]
    assert api.ids(f"/results/latest?item={mark}&_distinct_on=k") == [ids[one] for one in order]


@pytest.mark.parametrize(
    "query", ["_distinct_on=a", "_distinct_on=a,b&outcome=passed", "_distinct_on=a&limit=5"]
)
def test_distinct_on_alone_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/results/latest?{query}")
    assert answer.status_code == 400
    assert answer.json() == {"message": "Please, provide at least one filter beside '_distinct_on'"}


ONE_FILTER = ("testcases={}", "testcases:like={}*", "since=2019-01-01&testcases={}", "groups={}", "item={}")


@pytest.mark.parametrize("query", ONE_FILTER)
def test_any_one_filter_beside_distinct_on_is_enough(api: Api, query: str) -> None:
    mark = name("i")
    given = api.result(testcase=mark, groups=[mark], data={"item": mark, "odd-key": "x"})
    assert api.ids(f"/results/latest?_distinct_on=odd-key&{query.format(mark)}") == [given["id"]]
