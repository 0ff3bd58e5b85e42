"""ResultsDB's API 2.0: what all its answers have in common, and its errors."""

from __future__ import annotations

import json

import pytest

from .places import Api, name

PRESET = ("PASSED", "INFO", "FAILED", "NEEDS_INSPECTION")
JSON = {"Content-Type": "application/json"}


def test_the_landing_page_has_status_300_with_and_without_a_slash(api: Api) -> None:
    for path in ("", "/"):
        answer = api.get(path, allow_redirects=False)
        said = answer.json()
        assert answer.status_code == 300
        assert said.pop("message")
        assert said == {
            "documentation": "http://docs.resultsdb20.apiary.io/",
            "groups": f"{api.base}/groups",
            "results": f"{api.base}/results",
            "testcases": f"{api.base}/testcases",
            "outcomes": [*PRESET, "ERROR", "QUEUED", "RUNNING", "BORKED"],
        }  # fmt: skip


def test_the_health_check_says_ok(api: Api) -> None:
    answer = api.get("/healthcheck")
    assert (answer.status_code, answer.json()) == (200, {"message": "Health check OK"})


def test_the_health_check_says_so_when_the_database_cannot_be_read(fresh: Api, store: object) -> None:
    store.close()  # type: ignore[attr-defined]
    answer = fresh.get("/healthcheck")
    assert answer.status_code == 503
    assert answer.json() == {"message": "Unable to communicate with database"}


@pytest.mark.parametrize("path", ["/results", "/testcases", "/groups", "/results/1", "/nowhere", ""])
def test_every_answer_is_json_and_ends_with_a_newline(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content.endswith(b"\n")
    assert answer.json()


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/results/", "/groups/", "/testcases/", "/results/1/2", "/groups/a/b", "/healthcheck/"],
)  # fmt: skip
def test_an_unknown_path_is_not_found(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


@pytest.mark.parametrize("path", ["/results", "/testcases", "/groups"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"'a'", b"\xff\xff", b"outcome=PASSED", b"[" * 5000], ids=lambda body: repr(body[:8])
)
@pytest.mark.demand("S-006")
def test_bad_json_and_an_empty_body_are_bad_requests(api: Api, path: str, body: bytes) -> None:
    answer = api.post(path, data=body, headers=JSON)
    assert (answer.status_code, answer.json()) == (400, {"message": "Bad request"})


@pytest.mark.parametrize("path", ["/results", "/testcases", "/groups"])
@pytest.mark.parametrize("body", ["[]", "null", '"a"', "1", "true", "[{}]"])
def test_a_body_that_is_json_but_no_object_is_refused(api: Api, path: str, body: str) -> None:
    answer = api.post(path, data=body, headers=JSON)
    assert answer.status_code == 400
    (problem,) = answer.json()["validation_error"]
    assert (problem["loc"], problem["type"], problem["input"]) == ([], "dict_type", json.loads(body))


@pytest.mark.parametrize("path", ["/results", "/testcases", "/groups"])
@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_a_missing_or_wrong_content_type_is_415(api: Api, path: str, media_type: str | None) -> None:
    headers = {} if media_type is None else {"Content_Type": media_type}
    status, answered, body = api.raw("POST", f"/api/v2.0{path}", b'{"name": "a"}', **headers)
    assert (status, answered["content-type"]) == (415, "text/html; charset=utf-8")
    assert b"<h1>" in body


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"]
)
def test_a_content_type_of_json_may_have_parameters(api: Api, media_type: str) -> None:
    answer = api.post("/testcases", data=json.dumps({"name": name()}), headers={"Content-Type": media_type})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/results/1", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/results/1", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/results/1", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/results/1", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/results/latest", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/results", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/testcases", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/testcases/a", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/testcases/a/results", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/groups/a", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/groups/a/results", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/healthcheck", {"GET", "HEAD", "OPTIONS"}),
    ],
)
@pytest.mark.demand("S-007")
def test_a_method_that_is_not_allowed_is_405_and_says_which_are(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<h1>Method Not Allowed</h1>" in answer.content


def test_options_tells_what_is_allowed(api: Api) -> None:
    answer = api.options("/results")
    assert (answer.status_code, answer.content) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("path", ["", "/results", "/testcases", "/groups", "/results/0", "/healthcheck"])
def test_head_answers_as_get_without_a_body(api: Api, path: str) -> None:
    got, headed = api.get(path), api.head(path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert headed.headers["Content-Length"] == str(len(got.content))


def test_reading_needs_no_name_and_a_wrong_password_changes_nothing(api: Api) -> None:
    assert api.get("/results", auth=("nobody", "wrong")).status_code == 200
    body = {"outcome": "PASSED", "testcase": name(), "_auth_token": "x"}
    assert api.post("/results", json=body, auth=("nobody", "wrong")).status_code == 201


@pytest.mark.parametrize("accept", ["text/plain", "text/html", "application/xml", "*/*"])
def test_the_answer_is_json_whatever_the_client_would_like(api: Api, accept: str) -> None:
    answer = api.get("/results", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("path", ["//", "//index"])
def test_people_get_a_page_at_the_root(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<title>" in answer.text


def test_the_icon_is_where_the_peer_has_it(api: Api) -> None:
    answer = api.get("//favicon.png")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
