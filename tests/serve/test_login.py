"""A browser login at an OIDC provider, and others who would like to have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_provider import CLIENT, Provider, a_key
from fake_server import Client

from ci_results.serve.auth.login import MAX_TOKEN

from .conftest import Start
from .users import BACK, posted


def begin(client: Client) -> str:
    """Begin a login; return where the provider sends the browser back to."""
    away = client.get("/auth/oidclogin", allow_redirects=False)
    assert away.status_code == 302
    back = client.get(away.headers["location"], allow_redirects=False).headers["location"]
    assert back.startswith(BACK)
    return back.removeprefix("http://127.0.0.1:1")


def test_a_login_carries_state_nonce_and_a_challenge_each_time_anew(start: Start, provider: Provider) -> None:
    with start() as client:
        for _ in range(2):
            assert client.get(begin(client)).status_code == 200
            client.cookies.clear()
    first, second = provider.authorised
    assert first["code_challenge_method"] == "S256"
    assert first["response_type"] == "code"
    assert "openid" in first["scope"]
    assert first["client_id"] == CLIENT
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name]) >= 16


def test_who_logs_in_gets_a_token_that_works_and_nobody_may_keep_the_answer(
    start: Start,
) -> None:
    with start() as client:
        answer = client.get(begin(client))
        said = answer.json()
        assert said["username"] == "jdoe"
        assert answer.headers["cache-control"] == "no-store"
        assert posted(client, said["token"]) == 201


def test_keys_may_come_from_the_file_instead_of_the_issuer(start: Start, provider: Provider) -> None:
    with start(secrets={"jwks_uri": f"{provider.root}/jwks"}) as client:
        assert client.get(begin(client)).status_code == 200


@pytest.mark.parametrize("https", [True, False])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(start: Start, https: bool) -> None:
    uri = BACK.replace("http", "https") if https else BACK
    with start(secrets={"redirect_uris": [uri]}) as client:
        cookie = client.get("/auth/oidclogin", allow_redirects=False).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert ("secure" in cookie) is https


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-2] + ("AA" if value[-2:] != "AA" else "BB"),
        lambda value: "x" + value,
        lambda value: value.split(".")[0],
        lambda value: "e30=." + ".".join(value.split(".")[1:]),
        lambda value: "",
        lambda value: "x" * 4000,
    ],
)
def test_a_cookie_that_was_tampered_with_is_nobodys(start: Start, spoil: Callable[[str], str]) -> None:
    with start() as client:
        client.get(begin(client))
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 200
        value = client.cookies["ci_results_session"].strip('"')
        client.cookies.clear()
        client.cookies["ci_results_session"] = spoil(value)
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302


def test_a_cookie_of_a_server_with_another_secret_is_nobodys(start: Start) -> None:
    with start() as client:
        client.get(begin(client))
        value = client.cookies["ci_results_session"]
    with start(secrets={"client_secret": "another"}) as client:
        client.cookies["ci_results_session"] = value
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302


def test_a_login_that_another_browser_began_is_refused(start: Start) -> None:
    with start() as client:
        back = begin(client)
        client.cookies.clear()
        answer = client.get(back)
        assert answer.status_code == 401
        assert "token" not in answer.json()


def test_an_answer_is_taken_once(start: Start) -> None:
    with start() as client:
        back = begin(client)
        assert client.get(back).status_code == 200
        assert client.get(back).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"state": "forged"},
        {"state": ""},
        {"code": "forged"},
        {"error": "access_denied", "error_description": "<script>alert(1)</script>"},
    ],
)
def test_an_answer_that_is_not_the_providers_is_refused(start: Start, change: dict[str, str]) -> None:
    with start() as client:
        at = urlsplit(begin(client))
        query = {name: values[0] for name, values in parse_qs(at.query).items()} | change
        answer = client.get(at.path, params=query)
        assert answer.status_code == 401
        assert "<script>" not in answer.text
    with start() as client:
        assert client.get(at.path).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"], "azp": CLIENT},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
)
def test_an_id_token_that_is_not_for_this_login_is_refused(
    start: Start, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.id_claims = lambda claims: {
        name: value for name, value in {**claims, **changes}.items() if value is not None
    }
    with start() as client:
        assert client.get(begin(client)).status_code == 401
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302


def test_an_id_token_that_another_signed_is_refused(start: Start, provider: Provider) -> None:
    provider.signs_with = a_key(1)
    with start() as client:
        assert client.get(begin(client)).status_code == 401


def test_a_token_that_the_provider_does_not_vouch_for_logs_nobody_in(
    start: Start, provider: Provider
) -> None:
    provider.tokens["access-of-code-1"] = {"active": False}
    with start() as client:
        assert client.get(begin(client)).status_code == 401


def test_a_long_token_is_answered_and_not_kept_in_the_cookie(start: Start, provider: Provider) -> None:
    token = provider.token

    def longer(form: dict[str, str]) -> tuple[int, Any]:
        status, said = token(form)
        said["access_token"] = "x" * (MAX_TOKEN + 1)
        provider.tokens[said["access_token"]] = {"active": True, "uid": "jdoe"}
        return status, said

    provider.token = longer  # type: ignore[method-assign]
    with start() as client:
        assert len(client.get(begin(client)).json()["token"]) == MAX_TOKEN + 1
        assert len(client.cookies["ci_results_session"]) < 4000
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302


def test_a_session_ends_with_its_token_and_with_logout(start: Start, provider: Provider) -> None:
    with start(cache_s=0.0) as client:
        client.get(begin(client))
        assert client.get("/resultsdb/auth/oidclogin", allow_redirects=False).status_code == 200
        provider.tokens["access-of-code-1"] = {"active": False}
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302
        client.get(begin(client))
        assert client.get("/auth/logout").json() == {"message": "Logged out"}
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 302


@pytest.mark.parametrize("status", [500, 404])
def test_a_login_while_the_provider_is_in_trouble_is_502(
    start: Start, provider: Provider, status: int
) -> None:
    with start() as client:
        provider.status = status
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 502


def test_a_login_without_a_registered_address_is_our_fault(start: Start) -> None:
    with start(secrets={"redirect_uris": []}) as client:
        assert client.get("/auth/oidclogin", allow_redirects=False).status_code == 500


def test_the_way_back_is_a_registered_one_whatever_host_is_asked_for(
    start: Start, provider: Provider
) -> None:
    uris = [BACK, "http://ci.example/auth/callback"]
    with start(secrets={"redirect_uris": uris}) as client:
        for host, uri in (("ci.example", uris[1]), ("evil.example", uris[0])):
            away = client.get("/auth/oidclogin", headers={"X-Forwarded-Host": host}, allow_redirects=False)
            assert parse_qs(urlsplit(away.headers["location"]).query)["redirect_uri"] == [uri]
