"""POST /api/ci/v1/results/batch against a live server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette

from ci_results.config import Serving
from ci_results.domain.page import Committed, Page
from ci_results.errors import StoreError
from ci_results.serve.app import application
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

BATCH = "/api/ci/v1/results/batch"
RESULTS = "/api/v2.0/results"
NDJSON = "application/x-ndjson"
SMALL = Serving(max_batch=50, max_body_bytes=20_000)

Serve = Callable[[Starlette], AbstractContextManager[requests.Session]]


def bodies(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"testcase": f"team.case_{n}", "outcome": "PASSED", "data": {"item": f"pkg-{n}-1.el10"}, **more}
        for n in range(count)
    ]


def lines(given: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in given)


def send(
    client: requests.Session, body: bytes, *, mode: str = "", kind: str = NDJSON, key: str = ""
) -> requests.Response:
    headers = {"Content-Type": kind, **({"Idempotency-Key": key} if key else {})}
    return client.post(BATCH, data=body, headers=headers, params={"mode": mode} if mode else None)


def stored(client: requests.Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{RESULTS}?limit=10000&_sort=disable_sorting").json()["data"]
    return sorted(found, key=lambda one: one["id"])


@contextmanager
def fresh(serve: Serve, folder: Path, settings: Serving) -> Iterator[requests.Session]:
    with SqliteStore.open(folder / "results.db") as store:
        app = application(Surroundings(store=store, settings=settings), store.path)
        with serve(app) as client:
            yield client


@pytest.fixture
def client(serve: Serve, tmp_path: Path) -> Iterator[requests.Session]:
    with fresh(serve, tmp_path, Serving()) as found:
        yield found


@pytest.fixture
def small(serve: Serve, tmp_path: Path) -> Iterator[requests.Session]:
    with fresh(serve, tmp_path, SMALL) as found:
        yield found


# -- all is good ---------------------------------------------------------------------------------


@pytest.mark.demand("S-110")
@pytest.mark.parametrize("kind", [NDJSON, "application/jsonl", "application/json"])
def test_a_batch_is_stored_in_its_order(client: requests.Session, kind: str) -> None:
    given = bodies(300)
    body = json.dumps(given).encode() if kind == "application/json" else lines(given)
    answer = send(client, body, kind=kind)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["stored"], said["same"], said["refused"], said["errors"]) == (300, 0, 0, [])
    assert said["ids"] == sorted(said["ids"])
    assert len(set(said["ids"])) == 300
    found = {one["id"]: one for one in stored(client)}
    assert [found[number]["testcase"]["name"] for number in said["ids"]] == [one["testcase"] for one in given]


def test_a_line_means_what_the_same_body_means_alone(client: requests.Session) -> None:
    given = {
        "testcase": {"name": "a/b c", "ref_url": "https://ci.example/a"},
        "outcome": " passed ",
        "groups": ["one", {"uuid": "two", "description": "second", "ref_url": None}],
        "note": "é\n",
        "ref_url": "https://ci.example/1",
        "submit_time": "2026-01-02T03:04:05.5+01:00",
        "data": {"n": 1, "big": 2**80, "f": 1.50, "list": ["a", None, True], "o": {"a": 1}, "empty": []},
    }
    alone = client.post(RESULTS, json=given).json()
    (number,) = send(client, lines([given])).json()["ids"]
    together = client.get(f"{RESULTS}/{number}").json()
    for own in ("id", "href"):
        assert alone.pop(own) != together.pop(own)
    assert together == alone
    assert client.get("/api/v2.0/groups/two").json()["results_count"] == 2


def test_a_batch_is_one_commit_that_a_follower_sees_whole(client: requests.Session, tmp_path: Path) -> None:
    said = send(client, lines(bodies(700))).json()
    with SqliteStore.open(tmp_path / "results.db") as store:
        assert {store.result(number).seq for number in said["ids"]} == {said["seq"]}


def test_lines_may_end_as_on_windows_and_the_last_need_not_end(client: requests.Session) -> None:
    body = lines(bodies(3)).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    assert send(client, b"\n" + body).json()["stored"] == 3


def test_later_lines_describe_a_group_anew(client: requests.Session) -> None:
    said = [{"uuid": "g", "description": text} for text in ("first", "second")]
    given = [body | {"groups": [one]} for body, one in zip(bodies(2), said, strict=True)]
    assert send(client, lines(given)).status_code == 201
    assert client.get("/api/v2.0/groups/g").json()["description"] == "second"


def test_a_body_may_come_in_pieces_that_cut_lines_anywhere(client: requests.Session) -> None:
    body = lines(bodies(20, note="é" * 20))
    pieces = (body[start : start + 7] for start in range(0, len(body), 7))
    answer = client.post(BATCH, data=pieces, headers={"Content-Type": NDJSON})
    assert answer.json()["stored"] == 20


# -- something is wrong --------------------------------------------------------------------------

BAD = [
    *bodies(1),
    {"testcase": "", "outcome": "GREEN"},
    *bodies(2),
    {"testcase": "t", "outcome": "PASSED", "data": {"a:b": "1"}},
    "text",
]
TOLD = {
    2: ["Value error, must be one of: PASSED", "Value error, testcase name must be non-empty"],
    5: "Colon not allowed in key name: ['a:b']",
    6: ["Input should be a valid dictionary"],
    7: "no JSON: ",
}


def assert_told(errors: list[dict[str, Any]]) -> None:
    assert [error["line"] for error in errors] == list(TOLD)
    for error in errors:
        told = TOLD[error["line"]]
        if isinstance(told, str):
            assert error["message"].startswith(told)
        else:
            found = [each["msg"] for each in error["validation_error"]]
            assert [text[: len(start)] for text, start in zip(found, told, strict=True)] == told


def test_in_mode_all_one_bad_line_keeps_everything_out_and_every_bad_line_is_told(
    client: requests.Session,
) -> None:
    for mode in ("", "all"):
        answer = send(client, lines(BAD) + b"{oops\n", mode=mode)
        assert answer.status_code == 400
        assert_told(answer.json()["errors"])
        assert answer.json()["message"] == "4 of 7 results are refused, nothing is stored"
    assert stored(client) == []


def test_in_mode_each_what_is_good_is_stored_and_what_is_not_is_told(client: requests.Session) -> None:
    answer = send(client, lines(BAD) + b"{oops\n", mode="each")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["stored"], said["same"], said["refused"]) == (3, 0, 4)
    assert [number is None for number in said["ids"]] == [False, True, False, False, True, True, True]
    assert_told(said["errors"])
    assert [one["id"] for one in stored(client)] == [number for number in said["ids"] if number]


def test_in_mode_each_nothing_good_is_an_error(client: requests.Session) -> None:
    assert send(client, lines(["text", 1]), mode="each").status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b"", NDJSON, "The batch is empty"),
        (b" \n\r\n", NDJSON, "The batch is empty"),
        (b"[]", "application/json", "The batch is empty"),
        (b"", "application/json", "The body is no JSON list: expecting '[' at character 0"),
        (b'{"testcase": "t"}', "application/json", "The body is no JSON list: expecting '[' at character 0"),
        (b"[{}", "application/json", "The body is no JSON list: expecting ',' at character 3"),
        (b"[{},]", "application/json", "The body is no JSON list: Expecting value: line 1 column 5 (char 4)"),
        (b"[1] 2", "application/json", "The body is no JSON list: more than one list, at character 4"),
        (b"[\xff]", "application/json", "The body is no JSON list: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_body_that_is_no_batch_is_told(client: requests.Session, body: bytes, kind: str, told: str) -> None:
    answer = send(client, body, kind=kind)
    assert (answer.status_code, answer.json()["message"][: len(told)]) == (400, told)


def test_text_that_no_store_takes_is_refused_and_told_as_it_came(client: requests.Session) -> None:
    body = rb'{"testcase": "\ud800", "outcome": "a", "submit_time": 123456789012345678901234567890}'
    (error,) = send(client, body).json()["errors"]
    assert [one["input"] for one in error["validation_error"]] == [
        "a",
        "\ud800",
        123456789012345678901234567890,
    ]


def test_an_unknown_mode_or_parameter_is_refused(client: requests.Session) -> None:
    assert send(client, lines(bodies(1)), mode="some").json()["validation_error"][0]["loc"] == ["mode"]
    answer = client.post(f"{BATCH}?mod=each", data=lines(bodies(1)), headers={"Content-Type": NDJSON})
    assert answer.json()["validation_error"][0]["loc"] == ["mod"]
    assert stored(client) == []


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_another_type_of_body_is_refused(client: requests.Session, kind: str) -> None:
    assert send(client, lines(bodies(1)), kind=kind).status_code == 415


def test_other_methods_are_refused(client: requests.Session) -> None:
    answer = client.get(BATCH)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


# -- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [NDJSON, "application/json"])
@pytest.mark.parametrize("mode", ["all", "each"])
def test_a_line_too_many_is_told_and_nothing_is_cropped(
    small: requests.Session, kind: str, mode: str
) -> None:
    given = bodies(51)
    body = json.dumps(given).encode() if kind == "application/json" else lines(given)
    answer = send(small, body, kind=kind, mode=mode)
    assert (answer.status_code, answer.json()["message"]) == (413, "A batch has at most 50 lines")
    assert stored(small) == []
    assert send(small, lines(given[:50]), mode=mode).json()["stored"] == 50


def test_a_body_too_long_is_told_and_nothing_is_cropped(small: requests.Session) -> None:
    given = bodies(40, note="n" * 1_000)
    for data in (lines(given), iter([lines(given)])):
        answer = small.post(BATCH, data=data, headers={"Content-Type": NDJSON})
        assert answer.status_code == 413
        assert "20000 bytes" in answer.json()["message"]
    assert stored(small) == []


def test_blank_lines_count(small: requests.Session) -> None:
    assert send(small, b"\n" * 51).status_code == 413


# -- retries -------------------------------------------------------------------------------------


def test_a_retry_stores_nothing_twice_and_gets_the_same_answer(client: requests.Session) -> None:
    given = lines(bodies(300, groups=[{"description": "unnamed"}]))
    first, again = (send(client, given, key="run 7") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() | {"stored": 0, "same": 300}
    assert len(stored(client)) == 300
    assert len(client.get("/api/v2.0/groups?limit=1000").json()["data"]) == 300


def test_without_a_key_the_same_batch_is_another(client: requests.Session) -> None:
    for _ in range(2):
        assert send(client, lines(bodies(3))).json()["stored"] == 3
    assert len(stored(client)) == 6


def test_another_body_under_the_same_key_is_refused(client: requests.Session) -> None:
    assert send(client, lines(bodies(3)), key="k").status_code == 201
    for mode in ("all", "each"):
        answer = send(client, lines(bodies(4, outcome="FAILED")), key="k", mode=mode)
        assert answer.status_code == 422
        assert "Idempotency-Key" in answer.json()["message"]
    assert len(stored(client)) == 3


def test_mended_lines_may_follow_under_the_same_key(client: requests.Session) -> None:
    given: list[Any] = bodies(5)
    first = send(client, lines([*given[:2], "bad", *given[3:]]), key="k", mode="each").json()
    assert (first["stored"], first["refused"]) == (4, 1)
    again = send(client, lines(given), key="k", mode="each").json()
    assert (again["stored"], again["same"], again["refused"]) == (1, 4, 0)
    assert again["ids"][3:] == first["ids"][3:]


def test_a_key_of_a_batch_is_none_of_a_single_post(client: requests.Session) -> None:
    (body,) = bodies(1)
    assert client.post(RESULTS, json=body | {"note": "alone"}, headers={"Idempotency-Key": "k#1"}).ok
    assert send(client, lines([body]), key="k").json()["stored"] == 1


@pytest.mark.parametrize("path", [RESULTS, "/api/v2.0/groups", BATCH])
def test_a_key_too_long_is_refused(client: requests.Session, path: str) -> None:
    headers = {"Idempotency-Key": "k" * 256, "Content-Type": "application/json"}
    (body,) = bodies(1)
    answer = client.post(path, data=json.dumps([body] if path == BATCH else body), headers=headers)
    assert (answer.status_code, "at most 255 characters" in answer.json()["message"]) == (400, True)


def test_retries_at_the_same_time_store_once(client: requests.Session) -> None:
    given = lines(bodies(400))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(client, given, key="k"), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum(answer.json()["stored"] for answer in answers) == 400
    assert len({tuple(answer.json()["ids"]) for answer in answers}) == 1
    assert len({answer.json()["seq"] for answer in answers}) == 1


# -- trouble -------------------------------------------------------------------------------------


def test_a_store_that_is_full_answers_503_and_the_retry_stores_all(
    client: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = SqliteStore.commit_page

    def full(store: SqliteStore, page: Page) -> Committed:
        raise StoreError("disk full")

    monkeypatch.setattr(SqliteStore, "commit_page", full)
    assert send(client, lines(bodies(3)), key="k").status_code == 503
    monkeypatch.setattr(SqliteStore, "commit_page", commit)
    assert send(client, lines(bodies(3)), key="k").json()["stored"] == 3


def test_a_store_that_fails_in_the_middle_of_mode_each_keeps_what_it_had_and_a_retry_completes_it(
    client: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = SqliteStore.commit_page
    committed: list[Page] = []

    def failing(store: SqliteStore, page: Page) -> Committed:
        if committed:
            raise StoreError("disk full")
        committed.append(page)
        return commit(store, page)

    monkeypatch.setattr(SqliteStore, "commit_page", failing)
    assert send(client, lines(bodies(1200)), key="k", mode="each").status_code == 503
    monkeypatch.setattr(SqliteStore, "commit_page", commit)
    assert len(stored(client)) == len(committed[0].results) == 500
    again = send(client, lines(bodies(1200)), key="k", mode="each").json()
    assert (again["stored"], again["same"]) == (700, 500)
    assert [one["id"] for one in stored(client)] == again["ids"]
