"""What ResultsDB's typed API tells of itself: schemas, permissions, the page, addresses, login."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_ldap import Directory
from fake_provider import Provider
from fake_server import Client, bearer, serving

from ci_results.config_auth import Auth, OidcTable, TokenTable
from ci_results.serve.auth.tokens import digest

from .typed import COMMON, MODELS, OURS, OWN, PERMISSIONS, TEXTS, URLS, body, ldap, post


@pytest.mark.parametrize("kind", OWN)
def test_a_schema_tells_the_fields_of_a_body(typed: Client, kind: str) -> None:
    answer = typed.get(f"/api/v3/schemas/{kind}")
    assert answer.status_code == 200
    schema = answer.json()
    assert (schema["type"], schema["title"]) == ("object", MODELS[kind])
    assert schema["description"]
    assert schema["required"] == [*COMMON, *OWN[kind]]
    assert {*COMMON, *OWN[kind], *URLS, *TEXTS, "scratch"} <= set(schema["properties"])


def test_the_permissions_are_told_as_they_are_written(typed: Client) -> None:
    assert typed.get("/api/v3/permissions").json() == PERMISSIONS
    asked = {"baseos.x": [0], "desktop.gtk.x": [1, 2], "deskoop": [1], "deskxop": [], "elsewhere": []}
    for testcase, wanted in asked.items():
        told = typed.get("/api/v3/permissions", params={"testcase": testcase}).json()
        assert told == [PERMISSIONS[number] for number in wanted]


def test_no_permissions_are_an_empty_list() -> None:
    with serving(Auth(tokens=(TokenTable(name="bot", sha256=digest(OURS)),))) as client:
        assert client.get("/api/v3/permissions").json() == []


def test_the_page_without_its_slash_redirects_for_good(typed: Client) -> None:
    answer = typed.get("/api/v3", allow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{typed.root}/api/v3/"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.sections.append(dict(attrs).get("id") or "")


def test_the_page_has_each_endpoint_each_field_and_both_examples(typed: Client) -> None:
    answer = typed.get("/api/v3/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    assert "GET /api/v3/permissions" in page
    sections = Page(page).sections
    for kind in OWN:
        assert f"POST /api/v3/results/{kind}" in page
        assert f'<a class="anchor-link" href="#results/{kind}">#</a>' in page
        fields = typed.get(f"/api/v3/schemas/{kind}").json()["properties"]
        assert [name for name in sections if name.startswith(f"results/{kind}/")] == [
            f"results/{kind}/{name}" for name in fields
        ]
        assert f"{typed.root}/api/v3/results/{kind}" in page
    plain = page.replace("&#34;", '"').replace("&#39;", "'")
    assert plain.count('-H "Authorization: Bearer $token"') == len(OWN)
    assert f"{typed.root}/auth/oidclogin" in page
    assert not re.search(r'(src|href)="(https?:)?//(?!127\.0\.0\.1)', page)


def examples(page: str) -> list[str]:
    return [
        html.unescape(found) for found in re.findall(r'<pre class="example"><code>(.*?)</code>', page, re.S)
    ]


def test_the_examples_of_the_page_work(
    typed: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    permissions = [{"testcases": ["*"], "users": ["bot"]}]
    with serving(Auth(tokens=(TokenTable(name="bot", sha256=digest(OURS)),)), permissions) as client:
        monkeypatch.setenv("TOKEN", OURS)
        monkeypatch.setenv("token", OURS)
        for example in examples(client.get("/api/v3/").text):
            if "import requests" in example:
                exec(compile(example, "example", "exec"), {})  # noqa: S102
                assert capsys.readouterr().out.startswith(f"{client.root}/api/v2.0/results/")
            elif shutil.which("curl"):
                ran = subprocess.run(["bash", "-c", example], capture_output=True, check=True, timeout=20)
                assert isinstance(json.loads(ran.stdout), list | dict)
    assert f'session.get("{typed.root}/auth/oidclogin").json()["token"]' in "".join(
        examples(typed.get("/api/v3/").text)
    )


def test_the_page_escapes_what_a_request_says_of_its_host(typed: Client) -> None:
    page = typed.get("/api/v3/", headers={"X-Forwarded-Host": "<script>alert(1)</script>"}).text
    assert "<script>" not in page


def test_addresses_are_those_of_the_proxy_in_front(typed: Client) -> None:
    headers = {"X-Forwarded-Host": "ci.example:8443", "X-Forwarded-Scheme": "https", "X-Script-Name": "/rdb"}
    path = "/rdb/api/v3/results/redhat-modules"
    said = typed.post(path, json=body(), headers={**headers, **bearer("token-of-jdoe")}).json()
    assert said["href"] == f"https://ci.example:8443/rdb/api/v2.0/results/{said['id']}"
    assert (
        "https://ci.example:8443/rdb/api/v3/results/brew-builds"
        in typed.get("/api/v3/", headers=headers).text
    )


def test_it_answers_below_the_name_of_its_service_too(typed: Client) -> None:
    answer = typed.post("/resultsdb/api/v3/results/redhat-modules", json=body(), headers=bearer(OURS))
    assert answer.status_code == 201
    assert answer.json()["href"].startswith(f"{typed.root}/resultsdb/api/v2.0/results/")
    assert typed.get("/resultsdb/api/v3/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/results", "/results/", "/results/rpms", "/schemas", "/schemas/rpms", "/x"]
)
def test_an_unknown_path_is_not_found(typed: Client, path: str) -> None:
    answer = typed.get(f"/api/v3{path}")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/results/brew-builds", {"POST", "OPTIONS"}),
        ("DELETE", "/results/brew-builds", {"POST", "OPTIONS"}),
        ("POST", "/permissions", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_a_path_lacks_is_405(typed: Client, method: str, path: str, allowed: set[str]) -> None:
    answer = typed.request(method, f"/api/v3{path}", headers=bearer("token-of-jdoe"), json={})
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_the_same_idempotency_key_stores_nothing_twice(typed: Client) -> None:
    headers = {**bearer("token-of-jdoe"), "Idempotency-Key": "once"}
    first, second = (
        typed.post("/api/v3/results/redhat-modules", json=body(), headers=headers).json() for _ in range(2)
    )
    assert first == second


def test_a_login_leads_to_the_provider_and_back_to_a_token_that_works(
    provider: Provider, directory: Directory, tmp_path: Path
) -> None:
    secrets = provider.secrets_file(tmp_path, redirect_uris=["http://127.0.0.1:1/oidc_callback"])
    auth = Auth(oidc=OidcTable(client_secrets=secrets), ldap=ldap(directory.url))
    with serving(auth, PERMISSIONS) as client:
        away = client.get("/auth/oidclogin", allow_redirects=False)
        assert away.status_code == 302
        assert away.headers["location"].startswith(f"{provider.root}/authorize?")
        back = client.get(away.headers["location"], allow_redirects=False).headers["location"]
        said = client.get(back.replace("http://127.0.0.1:1", "")).json()
        assert said == {"username": "jdoe", "token": said["token"]}
        assert client.get("/auth/oidclogin", allow_redirects=False).json() == said
        assert post(client, "redhat-modules", body(), said["token"]).status_code == 201
        assert client.get("/auth/logout").json() == {"message": "Logged out"}
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302
