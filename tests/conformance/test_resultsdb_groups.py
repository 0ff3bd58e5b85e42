"""ResultsDB's API 2.0: groups."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from .places import Api, name


def post(api: Api, **fields: Any) -> dict[str, Any]:
    answer = api.post("/groups", json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def uuids(api: Api, query: str) -> list[str]:
    return [one["uuid"] for one in api.get(f"/groups?{query}").json()["data"]]


def test_a_new_group_is_answered_whole(api: Api) -> None:
    mark = name("g")
    assert post(api, uuid=mark, description="nightly", ref_url="https://ci/1") == {
        "uuid": mark, "description": "nightly", "ref_url": "https://ci/1", "results_count": 0,
        "href": f"{api.base}/groups/{mark}", "results": f"{api.base}/results?groups={mark}",
    }  # fmt: skip
    assert api.get(f"/groups/{mark}").json() == post(api, uuid=mark)


@pytest.mark.parametrize(
    "body", [{}, {"uuid": None}, {"uuid": ""}, {"uuid": None, "description": "x"}], ids=repr
)
def test_a_group_without_a_uuid_gets_one_of_version_1(api: Api, body: dict[str, Any]) -> None:
    one, other = post(api, **body), post(api, **body)
    assert uuid.UUID(one["uuid"]).version == 1
    assert len(one["uuid"]) == 36
    assert one["uuid"] != other["uuid"]


def test_posting_a_group_again_changes_what_is_not_empty(api: Api) -> None:
    mark = name("g")
    post(api, uuid=mark, description="first", ref_url="https://1")
    for same in ({}, {"description": None, "ref_url": None}, {"description": "", "ref_url": ""}):
        found = post(api, uuid=mark, **same)
        assert (found["description"], found["ref_url"]) == ("first", "https://1")
    assert post(api, uuid=mark, description="second")["description"] == "second"
    assert post(api, uuid=mark, ref_url="https://2")["ref_url"] == "https://2"
    assert api.get(f"/groups/{mark}").json()["description"] == "second"


@pytest.mark.parametrize("length", [36, 40, 64, 1024])
def test_any_text_is_a_uuid_also_a_long_one(api: Api, length: int) -> None:
    mark = (name("g") + "a" * 1024)[:length]
    assert post(api, uuid=mark)["uuid"] == mark
    assert api.get(f"/groups/{mark}").json()["uuid"] == mark


@pytest.mark.parametrize("odd", ["a b", "a/b", "ž", "a%b", "a?b#c", "a+b", "😀", "'; drop table _group; --"])
def test_a_uuid_of_odd_characters_is_found_by_its_address(api: Api, odd: str) -> None:
    found = post(api, uuid=name() + odd)
    assert found["href"].startswith(f"{api.base}/groups/")
    assert api.follow(found["href"]).json() == found
    api.result(groups=[found["uuid"]])
    assert len(api.follow(found["results"]).json()["data"]) == 1
    _status, _headers, body = api.raw("GET", f"/api/v2.0/groups/{quote(found['uuid'], safe='')}/results")
    assert len(json.loads(body)["data"]) == 1


@pytest.mark.parametrize(
    ("body", "loc", "kind_of_error"),
    [
        ({"uuid": 1}, ["uuid"], "string_type"),
        ({"description": ["a"]}, ["description"], "string_type"),
        ({"ref_url": {}}, ["ref_url"], "string_type"),
        ({"uuid": "a\0"}, ["uuid"], "value_error"),
        ({"uuid": "\ud800"}, ["uuid"], "value_error"),
        ({"uuid": "x" * 1025}, ["uuid"], "string_too_long"),
    ],
    ids=lambda value: f"{value!r:.40}",
)
def test_a_bad_group_is_refused(api: Api, body: dict[str, Any], loc: list[str], kind_of_error: str) -> None:
    answer = api.post("/groups", data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    (problem,) = answer.json()["validation_error"]
    assert (problem["loc"], problem["type"]) == (loc, kind_of_error)


def test_an_unknown_group_is_not_found(api: Api) -> None:
    answer = api.get("/groups/nobody")
    assert (answer.status_code, answer.json()) == (404, {"message": "Group not found"})
    answer = api.get("/groups/no%20body/results")
    assert (answer.status_code, answer.json()) == (404, {"message": "Group not found: no body"})


def test_groups_are_listed_newest_first(fresh: Api) -> None:
    for mark in ("b", "a", "c"):
        post(fresh, uuid=mark)
    fresh.result(groups=["d"])
    post(fresh, uuid="a", description="described anew, not made anew")
    assert uuids(fresh, "") == ["d", "c", "a", "b"]


def test_groups_are_filtered_by_uuid_and_description(fresh: Api) -> None:
    for mark, description in (("a", "x1"), ("b", "x 2"), ("c", None), (" a", "X1"), ("e", "y1")):
        post(fresh, uuid=mark, description=description)
    for query, found in {
        "uuid=a,b": ["b", "a"],
        "uuid=a, b": ["a"],
        "uuid= a": [" a"],
        "uuid=": ["e", " a", "c", "b", "a"],
        "uuid=nobody": [],
        "description=x1": ["a"],
        "description=x1,x 2,": ["b", "a"],
        "description= x1": [],
        "description:like=x*": ["b", "a"],
        "description:like=*1": ["e", " a", "a"],
        "description:like=x_*,y%25": ["e", "b", "a"],
        "description:like=X*": [" a"],
        "description=x1&description:like=y*": ["a"],
        "uuid=a,e&description:like=y*": ["e"],
        "uuid=a&description=y1": [],
        "nothing=known": ["e", " a", "c", "b", "a"],
    }.items():
        assert uuids(fresh, query) == found, query


def test_a_group_counts_its_results_and_lists_them(api: Api) -> None:
    mark, other = name("g"), name("g")
    ids = [api.result(groups=[mark, other] if n % 2 else [mark])["id"] for n in range(4)]
    assert api.get(f"/groups/{mark}").json()["results_count"] == 4
    assert api.get(f"/groups/{other}").json()["results_count"] == 2
    assert api.ids(f"/groups/{mark}/results") == ids[::-1]
    assert api.ids(f"/groups/{mark}/results?groups={other}") == ids[::-1]
    assert api.ids(f"/groups/{mark}/results?limit=1&page=1") == [ids[2]]
    assert api.get(f"/groups/{mark}/results?outcome=odd").status_code == 400


def test_groups_of_a_result_are_made_and_described_with_it(api: Api) -> None:
    a, b = name("g"), name("g")
    post(api, uuid=a, description="before", ref_url="https://1")
    result = api.result(groups=[a, {"uuid": b, "description": "new"}, {"description": "without a uuid"}, b])
    assert result["groups"][:2] == [a, b]
    assert len(result["groups"]) == 3
    assert api.get(f"/groups/{a}").json()["description"] == "before"
    assert api.get(f"/groups/{b}").json()["description"] == "new"
    assert api.get(f"/groups/{result['groups'][2]}").json()["description"] == "without a uuid"
    api.result(groups=[{"uuid": a, "description": None}])
    found = api.get(f"/groups/{a}").json()
    assert (found["description"], found["ref_url"], found["results_count"]) == (None, "https://1", 2)
