"""What the API 2.0 has beside the peer: ETag, stable paging, Idempotency-Key, 503 with a hint."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ci_results.errors import OverloadedError, StoreError, TooBroadError
from ci_results.serve.telling import AWAY
from ci_results.store.protocol import Store

from .places import Api, name, opened, serving


def pages(api: Api, query: str) -> list[list[int]]:
    """Page by cursor to the end; return the ids of each page."""
    found: list[list[int]] = []
    after = ""
    while True:
        page = api.get(f"/results?{query}{after}").json()
        found.append([one["id"] for one in page["data"]])
        if page["next_cursor"] is None:
            return found
        after = f"&_after={page['next_cursor']}"


# -- ETag ------------------------------------------------------------------------------------------

TAGGED = ["/results?item={mark}", "/results/latest?item={mark}", "/results/{id}", "/testcases/{mark}",
          "/testcases?name={mark}", "/groups/{mark}", "/groups?uuid={mark}", "/groups/{mark}/results",
          "/testcases/{mark}/results"]  # fmt: skip


@pytest.mark.parametrize("path", TAGGED)
def test_what_a_client_has_already_is_not_sent_again(api: Api, path: str) -> None:
    mark = name("t")
    result = api.result(testcase=mark, groups=[mark], data={"item": mark})
    path = path.format(mark=mark, id=result["id"])
    first = api.get(path)
    tag = first.headers["ETag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = api.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert api.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    assert api.head(path).headers["ETag"] == tag


def test_another_answer_has_another_tag(api: Api) -> None:
    mark = name("t")
    result = api.result(testcase=mark, data={"item": mark})
    tags = {
        path: api.get(path).headers["ETag"] for path in (f"/results?item={mark}", f"/results/{result['id']}")
    }
    api.post("/testcases", json={"name": mark, "ref_url": "https://changed"})
    for path, tag in tags.items():
        answer = api.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer.headers["ETag"] != tag


# -- paging by cursor --------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["", "asc:submit_time", "desc:submit_time", "disable_sorting"])
@pytest.mark.parametrize(
    "query", ["item={mark}", "testcases={mark}", "groups={mark}", "testcases:like={mark}*&item={mark}"]
)
def test_a_cursor_goes_on_after_the_last_row_also_among_equal_times(api: Api, query: str, sort: str) -> None:
    mark = name("c")
    for n in range(7):
        time = f"2020-01-0{1 + n % 2}T00:00:00.0"
        api.result(testcase=mark, groups=[mark], data={"item": mark}, submit_time=time)
    query = f"{query.format(mark=mark)}&_sort={sort}"
    whole = api.ids(f"/results?{query}")
    assert len(whole) == 7
    found = pages(api, f"{query}&limit=3")
    assert [number for page in found for number in page] == whole
    assert [len(page) for page in found] == [3, 3, 1]


def test_in_storage_order_too(fresh: Api) -> None:
    for time in ("2020-01-02", "2020-01-01", "2020-01-03", "2020-01-01", "2099-01-01"):
        fresh.result(submit_time=f"{time}T00:00:00.0")
    assert pages(fresh, "_sort=disable_sorting&limit=2") == [[1, 2], [3, 4], [5]]


def test_rows_that_come_meanwhile_neither_repeat_nor_hide_any(api: Api) -> None:
    mark = name("c")
    ids = [api.result(data={"item": mark})["id"] for _ in range(6)]
    first = api.get(f"/results?item={mark}&limit=2").json()
    for _ in range(3):
        api.result(data={"item": mark})
    second = api.get(f"/results?item={mark}&limit=2&_after={first['next_cursor']}").json()
    assert [one["id"] for one in first["data"] + second["data"]] == ids[:1:-1]
    assert api.ids(f"/results?item={mark}&limit=2&page=1") != ids[3:1:-1]


def test_the_next_page_of_an_answer_by_cursor_counts_from_the_cursor(api: Api) -> None:
    mark = name("c")
    ids = [api.result(data={"item": mark})["id"] for _ in range(6)][::-1]
    cursor = api.get(f"/results?item={mark}&limit=1").json()["next_cursor"]
    page = api.get(f"/results?item={mark}&limit=2&_after={cursor}").json()
    assert [one["id"] for one in page["data"]] == ids[1:3]
    after = api.follow(page["next"]).json()
    assert [one["id"] for one in after["data"]] == ids[3:5]
    assert api.follow(after["prev"]).json()["data"] == page["data"]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1-", "-1-1", f"{10**30}-1"])
def test_what_is_no_cursor_is_refused(api: Api, cursor: str) -> None:
    answer = api.get(f"/results?_after={cursor}")
    assert answer.status_code == 400
    assert answer.json()["validation_error"][0]["msg"] == "Value error, must be the next_cursor of an answer"


# -- Idempotency-Key -----------------------------------------------------------------------------------


def post(api: Api, key: str, path: str = "/results", **fields: Any) -> Any:
    return api.post(path, json=fields, headers={"Idempotency-Key": key})


def test_a_retry_stores_nothing_twice_and_is_answered_alike(api: Api) -> None:
    mark, key = name("t"), name("key")
    fields = {
        "outcome": "PASSED",
        "testcase": mark,
        "data": {"item": mark, "n": ["1", "1"]},
        "groups": [{"description": "d"}],
    }
    first = post(api, key, **fields)
    for _ in range(3):
        again = post(api, key, **fields)
        assert (again.status_code, again.json()) == (201, first.json())
    assert api.ids(f"/results?item={mark}") == [first.json()["id"]]
    assert api.get(f"/groups/{first.json()['groups'][0]}").json()["results_count"] == 1


def test_retries_at_the_same_time_are_one(api: Api) -> None:
    mark, key = name("t"), name("key")
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: post(api, key, outcome="INFO", testcase=mark, data={"item": mark}), range(48))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == len(api.ids(f"/results?item={mark}")) == 1


@pytest.mark.parametrize(
    "change",
    [{"outcome": "FAILED"}, {"note": "x"}, {"data": {}}, {"groups": ["g"]}, {"submit_time": 1}],
    ids=repr,
)
def test_another_result_under_the_same_key_is_refused(api: Api, change: dict[str, Any]) -> None:
    mark, key = name("t"), name("key")
    fields = {"outcome": "PASSED", "testcase": mark, "data": {"item": mark}}
    first = post(api, key, **fields)
    answer = post(api, key, **(fields | change))
    assert answer.status_code == 422
    assert answer.json() == {"message": "the Idempotency-Key was used for another submission before"}
    assert api.get(f"/testcases/{mark}/results").json()["data"] == [first.json()]


def test_one_key_refused_takes_nothing_of_its_neighbours_with_it(api: Api) -> None:
    key, mark = name("key"), name("t")
    post(api, key, outcome="PASSED", testcase=mark)

    def send(n: int) -> int:
        used = key if n % 4 == 0 else f"{key}.{n}"
        return int(post(api, used, outcome="FAILED", testcase=mark, data={"item": mark}).status_code)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(send, range(32)))
    assert found == [422 if n % 4 == 0 else 201 for n in range(32)]
    assert len(api.ids(f"/results?item={mark}&limit=50")) == 24


def test_without_a_key_the_same_body_twice_is_two_results(api: Api) -> None:
    mark = name("t")
    for _ in range(2):
        api.result(testcase=mark, data={"item": mark}, submit_time="2020-01-01T00:00:00.0")
    assert len(api.ids(f"/results?item={mark}")) == 2


def test_a_group_without_a_uuid_is_one_under_one_key(api: Api) -> None:
    key = name("key")
    first, again = (post(api, key, "/groups", description="d").json() for _ in range(2))
    assert first == again


# -- overload and what is too broad ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said", "retry_after"),
    [
        (OverloadedError("4096 wait"), "4096 wait", "1"),
        (TooBroadError("ask for an item"), "ask for an item", None),
        (StoreError("locked"), AWAY, "5"),
    ],
    ids=["overloaded", "too broad", "store away"],
)
def test_what_cannot_be_answered_now_is_503_with_a_hint(
    tmp_path: Path, error: StoreError, said: str, retry_after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_named: object) -> Any:
        raise error

    with opened("sqlite", tmp_path) as store:
        for method in ("search", "latest", "fact", "submit"):
            monkeypatch.setattr(store, method, fail, raising=False)
        with serving(store) as api:
            for answer in (
                api.get("/results"), api.get("/results/latest"), api.get("/results/1"),
                api.post("/results", json={"outcome": "PASSED", "testcase": "ns.a"}),
            ):  # fmt: skip
                assert (answer.status_code, answer.json()) == (503, {"message": said})
                assert answer.headers.get("Retry-After") == retry_after


def test_an_internal_error_tells_nothing_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_named: object) -> Any:
        raise RuntimeError("secret")

    with opened("sqlite", tmp_path) as store:
        monkeypatch.setattr(store, "search", fail, raising=False)
        with serving(store) as api:
            answer = api.get("/results")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


# -- killed and restarted ----------------------------------------------------------------------------


@pytest.mark.demand("S-004")
def test_a_result_reads_the_same_after_the_store_was_opened_anew(store: Store) -> None:
    body = {
        "testcase": {"name": "ns.ž/a b", "ref_url": "https://t"}, "outcome": "FAILED", "note": "a\n<b>😀",
        "ref_url": "https://ci/1?a=b&c", "data": {"z": ["2", "1", "1"], "item": "bash-5.2-1.fc40", "": " "},
        "submit_time": "2199-01-01T00:00:00.000001",
    }  # fmt: skip
    with serving(store) as api:
        number = api.result(**body)["id"]
        _status, _headers, before = api.raw("GET", f"/api/v2.0/results/{number}", Host="localhost")
    with serving(store) as api:
        _status, _headers, after = api.raw("GET", f"/api/v2.0/results/{number}", Host="localhost")
    assert json.loads(after) == json.loads(before)
    assert json.loads(after)["data"] == {"z": ["2", "1", "1"], "item": ["bash-5.2-1.fc40"], "": [" "]}
