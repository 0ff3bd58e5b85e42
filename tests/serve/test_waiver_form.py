"""The form in which people waive at WaiverDB's API: COMPAT 2.10."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
import requests
from fake_server import bearer
from fake_server import serving as serving_with

from ci_results.config_auth import Auth, TokenTable
from ci_results.serve.auth.tokens import digest
from ci_results.waive.rules import People, Rule, Rules

from .conftest import SCRIPT, Start
from .test_login import begin

NEW = "/api/v1.0/waivers/new"
WISH = {
    "subject_type": "koji_build", "subject_identifier": "bash-5.2-1.fc40", "testcase": "dist.rpmlint",
    "product_version": "fedora-40", "comment": "infra", "scenario": "uefi",
}  # fmt: skip
RULES = Rules(rules=(Rule(testcases=("dist.*",), request=People(users=frozenset({"rm1"}))),))
SECRET = "cir_of-somebody-else"
AUTH = Auth(tokens=(TokenTable(name="dev1", sha256=digest(SECRET)),))


class Page(HTMLParser):
    """The inputs of a form by their names, what is hidden by its id, and the form's own id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inputs: dict[str, str] = {}
        self.ids: dict[str, bool] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        said = dict(attrs)
        if tag == "input":
            self.inputs[said["name"]] = said.get("value", "")
        if "id" in said:
            self.ids[said["id"]] = "hidden" in said


@pytest.fixture
def client() -> Iterator[Any]:
    with serving_with(Auth()) as found:
        yield found


def test_the_form_is_filled_in_by_the_query(client: requests.Session) -> None:
    page = Page(client.get(NEW, params=WISH).text)
    assert {name: page.inputs[name] for name in WISH} == WISH
    assert page.ids["new-waiver-form"] is False
    assert page.ids["waiver-result"] is page.ids["other-error"] is True
    assert set(Page(client.get(NEW).text).inputs.values()) == {""}


def test_what_fills_it_in_is_text_and_nothing_else(client: requests.Session) -> None:
    answer = client.get(NEW, params={"comment": f'">{SCRIPT}', "testcase": SCRIPT})
    assert SCRIPT not in answer.text
    assert Page(answer.text).inputs["comment"] == f'">{SCRIPT}'
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


def test_the_older_address_leads_to_it_with_its_query(client: requests.Session) -> None:
    for base in ("/api/v1.0", "/waiverdb/api/v1.0"):
        answer = client.get(f"{base}/waivers/create?testcase=a%2Fb&x=1", allow_redirects=False)
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith(f"{base}/waivers/new?testcase=a%2Fb&x=1")
    script = client.get(f"{NEW}/new_waiver.js")
    assert script.headers["Content-Type"] == "application/javascript"
    assert "New waiver created. ID: " in script.text


def test_it_takes_one_waiver_and_no_list(client: requests.Session) -> None:
    answer = client.post(NEW, json=WISH, auth=("jane", ""))
    assert (answer.status_code, answer.json()["username"]) == (201, "jane")
    several = client.post(NEW, json=[WISH])
    assert several.status_code == 400
    (problem,) = several.json()["validation_error"]
    assert (problem["loc"], problem["type"]) == ([], "model_type")
    form = client.post(NEW, data=WISH)
    assert form.status_code == 415


def test_who_may_not_waive_a_testcase_is_told_and_led_to_those_who_may() -> None:
    with serving_with(AUTH, here_only=False, waive=RULES) as client:
        answer = client.get(NEW, params=WISH, headers=bearer(SECRET))
        assert Page(answer.text).ids["other-error"] is False
        words = "403 Forbidden: User dev1 is not authorized to submit results for the test case dist.rpmlint"
        assert words in answer.text
        assert "See who has permission to waive dist.rpmlint test case." in answer.text
        assert "/permissions?testcase=dist.rpmlint&amp;html=true" in answer.text
        other = client.get(NEW, params=WISH | {"testcase": "free.x"}, headers=bearer(SECRET))
        assert Page(other.text).ids["other-error"] is True
        assert client.get(NEW).status_code == 401


def test_who_has_to_log_in_comes_back_to_the_form_and_waives_by_the_session(start: Start) -> None:
    with start() as client:
        away = client.get(f"{NEW}?testcase=dist.x", allow_redirects=False)
        assert away.status_code == 302
        wanted = quote(f"{NEW}?testcase=dist.x", safe="")
        assert away.headers["Location"] == f"{client.root}/auth/oidclogin?next={wanted}"
        assert client.post(NEW, json=WISH).status_code == 401
        login = client.get(f"/auth/oidclogin?next={wanted}", allow_redirects=False)
        back = client.get(login.headers["location"], allow_redirects=False).headers["location"]
        home = client.get(back.removeprefix("http://127.0.0.1:1"), allow_redirects=False)
        assert (home.status_code, home.headers["Location"]) == (303, f"{NEW}?testcase=dist.x")
        page = client.get(f"{NEW}?testcase=dist.x")
        assert "<strong>jdoe</strong>" in page.text
        assert client.post(NEW, json=WISH).json()["username"] == "jdoe"
        said = client.post("/api/v1.0/waivers/", json=WISH).json()
        assert client.store.waivers.of_waiver(said["id"])[0].act.via == "api:oidc"


@pytest.mark.parametrize("page", ["//evil.example/api/v1.0/waivers/new", "https://evil.example", "/api/v1.0"])
def test_a_login_leads_to_no_other_place(start: Start, page: str) -> None:
    with start() as client:
        client.get(f"/auth/oidclogin?next={quote(page, safe='')}", allow_redirects=False)
        assert client.get(begin(client), allow_redirects=False).status_code == 200
