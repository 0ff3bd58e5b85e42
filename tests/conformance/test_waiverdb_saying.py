"""What WaiverDB's API says of itself, and its errors that come before any route: COMPAT 2.2, 2.10."""

from __future__ import annotations

import pytest

from .places import Api

BASE = "//api/v1.0"
NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check your"
    " spelling and try again."
)


@pytest.mark.demand("S-060")
@pytest.mark.parametrize("path", ["/about", "/about/"])
def test_about_tells_the_version_and_how_users_are_known(api: Api, path: str) -> None:
    for base in (BASE, "//waiverdb/api/v1.0"):
        answer = api.get(base + path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.json() == {"version": "1.4.0", "auth_method": "dummy"}
        assert answer.content.endswith(b"\n")


def test_a_callback_gets_javascript(api: Api) -> None:
    answer = api.get(f"{BASE}/about?callback=app.show")
    assert answer.headers["Content-Type"] == "application/javascript"
    assert answer.text.startswith('app.show({"')
    assert answer.text.endswith("})")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("callback", ["alert(1)//", "a b", "1a", "<script>", "a..b", "f" * 99])
def test_a_callback_that_is_no_name_of_a_function_is_refused(api: Api, callback: str) -> None:
    answer = api.get(f"{BASE}/about", params={"callback": callback})
    assert answer.status_code == 400
    assert "callback must be the name of a function" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/nowhere", "/about/x", "/{id}", "", "/%00"])
def test_an_unknown_path_is_told_in_the_peers_words(api: Api, path: str) -> None:
    answer = api.get(BASE + "/no" + path)
    assert (answer.status_code, answer.json()) == (404, {"message": NOT_FOUND})


def test_a_method_that_is_not_there_is_told_in_the_peers_words(api: Api) -> None:
    answer = api.delete(f"{BASE}/about")
    assert answer.status_code == 405
    assert answer.json() == {"message": "The method is not allowed for the requested URL."}
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_options_are_answered_with_what_is_allowed(api: Api) -> None:
    answer = api.options(f"{BASE}/about")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_the_health_check_is_plain_text_without_a_newline(api: Api) -> None:
    answer = api.get("//waiverdb/healthcheck")
    assert (answer.status_code, answer.content) == (200, b"Health check OK")
    assert answer.headers["Content-Type"].startswith("text/plain")
