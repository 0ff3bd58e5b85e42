"""Batches on every kind of store: order, retries, two at once. tests/serve/test_batch.py has the rest."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from .places import Api, name

BATCH = "//api/ci/v1/results/batch"


def bodies(count: int, item: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"testcase": f"batch.case_{n % 7}", "outcome": "PASSED", "data": {"item": item}, **more}
        for n in range(count)
    ]


def send(api: Api, given: list[Any], *, mode: str = "all", key: str = "") -> requests.Response:
    body = b"\n".join(json.dumps(each).encode() for each in given)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
    return api.post(f"{BATCH}?mode={mode}", data=body, headers=headers)


@pytest.mark.parametrize("mode", ["all", "each"])
def test_a_batch_is_stored_in_its_order(api: Api, mode: str) -> None:
    item = name("item")
    said = send(api, bodies(1_200, item), mode=mode).json()
    assert (said["stored"], said["same"], said["refused"]) == (1_200, 0, 0)
    assert said["ids"] == sorted(set(said["ids"]))
    listed = api.get(f"/results?item={item}&limit=2000").json()["data"]
    assert {one["id"]: one["testcase"]["name"] for one in listed} == {
        number: f"batch.case_{place % 7}" for place, number in enumerate(said["ids"])
    }


def test_a_retry_stores_nothing_twice_and_another_body_is_refused(api: Api) -> None:
    item, key = name("item"), name("key")
    first, again = (send(api, bodies(300, item), key=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() | {"stored": 0, "same": 300}
    assert send(api, bodies(300, item, note="other"), key=key).status_code == 422
    assert len(api.get(f"/results?item={item}&limit=2000").json()["data"]) == 300


@pytest.mark.parametrize("mode", ["all", "each"])
def test_retries_at_the_same_time_store_once(api: Api, mode: str) -> None:
    item, key = name("item"), name("key")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send(api, bodies(700, item), key=key, mode=mode), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum(answer.json()["stored"] for answer in answers) == 700
    assert len({tuple(answer.json()["ids"]) for answer in answers}) == 1
    assert len(api.get(f"/results?item={item}&limit=2000").json()["data"]) == 700


def test_different_batches_at_the_same_time_are_all_stored(api: Api) -> None:
    items = [name("item") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda item: send(api, bodies(600, item, groups=["shared"])), items))
    assert [answer.json()["stored"] for answer in answers] == [600] * 6
    for item, answer in zip(items, answers, strict=True):
        listed = api.get(f"/results?item={item}&limit=2000").json()["data"]
        assert sorted(one["id"] for one in listed) == answer.json()["ids"]
