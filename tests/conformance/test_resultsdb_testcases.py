"""ResultsDB's API 2.0: testcases."""

from __future__ import annotations

from typing import Any

import pytest

from .places import Api, name


def post(api: Api, **fields: Any) -> dict[str, Any]:
    answer = api.post("/testcases", json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(api: Api, query: str) -> list[str]:
    return [one["name"] for one in api.get(f"/testcases?{query}").json()["data"]]


def test_creating_and_describing_anew_are_both_201(api: Api) -> None:
    mark = name("t")
    assert post(api, name=mark) == {"name": mark, "ref_url": None, "href": f"{api.base}/testcases/{mark}"}
    assert post(api, name=mark, ref_url="https://1")["ref_url"] == "https://1"
    assert api.get(f"/testcases/{mark}").json()["ref_url"] == "https://1"


def test_a_ref_url_is_replaced_unless_it_is_null_or_absent(api: Api) -> None:
    mark = name("t")
    post(api, name=mark, ref_url="https://1")
    assert post(api, name=mark)["ref_url"] == "https://1"
    assert post(api, name=mark, ref_url=None)["ref_url"] == "https://1"
    assert post(api, name=mark, ref_url="")["ref_url"] == ""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, (["name"], "missing", "Field required")),
        ({"name": ""}, (["name"], "string_too_short", "String should have at least 1 character")),
        ({"name": None}, (["name"], "string_type", "Input should be a valid string")),
        ({"name": 5}, (["name"], "string_type", "Input should be a valid string")),
        ({"name": "a", "ref_url": 5}, (["ref_url"], "string_type", "Input should be a valid string")),
    ],
    ids=repr,
)
def test_a_bad_testcase_is_refused(api: Api, body: dict[str, Any], problem: Any) -> None:
    answer = api.post("/testcases", json=body)
    assert answer.status_code == 400
    (told,) = answer.json()["validation_error"]
    assert (told["loc"], told["type"], told["msg"]) == problem
    assert told["url"].startswith("https://errors.pydantic.dev/")


def test_an_unknown_testcase_is_not_found(api: Api) -> None:
    for path in ("/testcases/nobody", "/testcases/nobody/results", "/testcases/no%20body/"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Testcase not found"})


@pytest.mark.parametrize(
    "odd",
    [
        "/a/b",
        "/",
        " b",
        "ž/😀",
        "%2F",
        "?#&=+",
        "//",
        ".",
        "/results/x",
        "&page=3",
        "'; drop table _testcase; --",
    ],
)
def test_a_name_of_odd_characters_is_found_by_its_address(api: Api, odd: str) -> None:
    found = post(api, name=name("t") + odd)
    assert api.follow(found["href"]).json() == found
    result = api.result(testcase=found["name"])
    assert result["testcase"] == found
    listed = api.follow(found["href"] + "/results").json()["data"]
    assert [one["id"] for one in listed] == [result["id"]]


def test_slashes_stay_in_the_address_and_all_else_is_encoded(api: Api) -> None:
    mark = name("t")
    assert post(api, name=f"{mark}/a b/ž?")["href"] == f"{api.base}/testcases/{mark}/a%20b/%C5%BE%3F"


def test_a_path_that_ends_in_results_asks_for_results(api: Api) -> None:
    mark = name("t")
    post(api, name=f"{mark}/results")
    result = api.result(testcase=mark)
    assert api.ids(f"/testcases/{mark}/results") == [result["id"]]
    assert api.get(f"/testcases/{mark}%2Fresults").json()["name"] == f"{mark}/results"


def test_a_slash_at_the_end_is_of_the_name(api: Api) -> None:
    mark = name("t")
    post(api, name=mark)
    assert api.get(f"/testcases/{mark}/").status_code == 404
    post(api, name=f"{mark}/")
    assert api.get(f"/testcases/{mark}/").json()["name"] == f"{mark}/"


def test_testcases_are_listed_by_name(fresh: Api) -> None:
    for mark in ("b", "a.b", "B", "a", "ž"):
        post(fresh, name=mark)
    fresh.result(testcase="a/1")
    assert names(fresh, "") == ["B", "a", "a.b", "a/1", "b", "ž"]


@pytest.mark.demand("S-047")
def test_testcases_are_filtered_by_name_and_pattern(fresh: Api) -> None:
    for mark in ("dist.rpmlint", "dist.rpmgrill", "dist.abi", "Dist.x", "a_b", "acb", "50%", "[x]?"):
        post(fresh, name=mark)
    for query, found in {
        "name=dist.abi, a_b ,,": ["a_b", "dist.abi"],
        "name=dist": [],
        "name:like=dist.rpm*": ["dist.rpmgrill", "dist.rpmlint"],
        "name:like=*.abi, D*": ["Dist.x", "dist.abi"],
        "name:like=a_b": ["a_b", "acb"],
        "name:like=dist.%25lint": ["dist.rpmlint"],
        "name:like=[x]?": ["[x]?"],
        "name:like=dist.abi": ["dist.abi"],
        "name=acb&name:like=dist*": ["acb"],
        "name=&name:like=acb": ["acb"],
        "name:like=*": ["50%", "Dist.x", "[x]?", "a_b", "acb", "dist.abi", "dist.rpmgrill", "dist.rpmlint"],
    }.items():
        assert names(fresh, query) == found, query


def test_the_results_of_a_testcase_take_the_parameters_of_all_results(api: Api) -> None:
    mark, other = name("t"), name("t")
    ids = [api.result(testcase=mark, outcome=word)["id"] for word in ("PASSED", "FAILED", "INFO")]
    api.result(testcase=other)
    assert api.ids(f"/testcases/{mark}/results") == ids[::-1]
    assert api.ids(f"/testcases/{mark}/results?outcome=failed,info") == [ids[2], ids[1]]
    assert api.ids(f"/testcases/{mark}/results?testcases={other}&testcases:like=*") == ids[::-1]
    assert api.ids(f"/testcases/{mark}/results?_sort=asc:submit_time") == ids


def test_the_ref_url_of_a_testcase_shows_on_results_that_were_there_before(api: Api) -> None:
    result = api.result()
    post(api, name=result["testcase"]["name"], ref_url="https://later")
    assert api.get(f"/results/{result['id']}").json()["testcase"]["ref_url"] == "https://later"
