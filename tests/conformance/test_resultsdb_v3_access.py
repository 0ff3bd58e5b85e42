"""Who may post to ResultsDB's typed API, and what others are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_ldap import BUSY, Directory, nobody_listens
from fake_provider import Provider
from fake_server import Client, serving

from ci_results.config_auth import Auth, TokenTable
from ci_results.errors import ConfigError
from ci_results.serve.auth.tokens import digest

from .typed import OURS, PERMISSIONS, UNAUTHORISED, body, ldap, oidc, post

# -- when it is served --------------------------------------------------------------------------------


def test_it_is_served_only_where_somebody_can_show_a_token() -> None:
    with serving(Auth()) as client:
        assert client.get("/api/v3/").status_code == 404
        assert client.post("/api/v3/results/brew-builds", json=body("brew-builds")).status_code == 404
    tokens = (TokenTable(name="bot", sha256=digest(OURS)),)
    with serving(Auth(tokens=tokens)) as client:
        assert client.get("/api/v3/").status_code == 200


# -- who is asking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer two words",
        "Basic amRvZTpqZG9l",
        "token-of-jdoe",
    ],
)
def test_no_token_or_a_bad_one_is_401(typed: Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = typed.post("/api/v3/results/redhat-modules", json=body(), headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"message": UNAUTHORISED})


@pytest.mark.parametrize(
    "said",
    [
        {"active": False},
        {"active": False, "uid": "jdoe"},
        {"active": True},
        {"active": True, "uid": None},
        {},
    ],
)
def test_a_token_that_the_provider_does_not_vouch_for_is_401(
    typed: Client, provider: Provider, said: dict[str, Any]
) -> None:
    token = f"odd-{len(provider.tokens)}"
    provider.tokens[token] = said
    answer = post(typed, "redhat-modules", body(), token)
    assert (answer.status_code, answer.json()) == (401, {"message": UNAUTHORISED})
    assert provider.questions[-1] == token


def test_the_user_is_the_claim_uid_and_any_case_of_bearer_will_do(typed: Client) -> None:
    headers = {"Authorization": "bearer token-of-jdoe"}
    answer = typed.post("/api/v3/results/redhat-modules", json=body(), headers=headers)
    assert answer.status_code == 201
    assert answer.json()["data"]["username"] == ["jdoe"]


def test_another_claim_may_name_the_user(provider: Provider, directory: Directory, tmp_path: Path) -> None:
    auth = Auth(oidc=oidc(provider, tmp_path, username_field="preferred_username"), ldap=ldap(directory.url))
    with serving(auth, [{"testcases": ["*"], "users": ["p-jdoe"]}]) as client:
        assert post(client, "redhat-modules", body()).json()["data"]["username"] == ["p-jdoe"]


def test_a_token_of_our_own_will_do(typed: Client) -> None:
    answer = post(typed, "redhat-modules", body(), OURS)
    assert answer.status_code == 201
    assert answer.json()["data"]["username"] == ["jdoe"]


def test_reading_needs_no_token(typed: Client) -> None:
    for path in ("/api/v3/", "/api/v3/permissions", "/api/v3/schemas/brew-builds"):
        assert typed.get(path).status_code == 200


# -- the order of checks ------------------------------------------------------------------------------


def test_the_token_is_looked_at_before_the_body_and_the_body_before_the_permission(typed: Client) -> None:
    bad_and_foreign = {"testcase": "foreign.x"}
    assert post(typed, "redhat-modules", bad_and_foreign, "unknown").status_code == 401
    assert post(typed, "redhat-modules", bad_and_foreign).status_code == 400
    assert post(typed, "redhat-modules", body(testcase="foreign.x")).status_code == 403


# -- whether they may ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "testcase", "status"),
    [
        ("jdoe", "baseos.tier1", 201),
        ("jdoe", "baseos.tier1/x.y/z", 201),
        ("jdoe", "baseos", 403),
        ("asmith", "baseos.tier1", 403),
        ("asmith", "desktop.shell", 201),
        ("asmith", "desktop.gtk.x", 201),
        ("asmith", "desktop", 201),
        ("asmith", "deskxop", 403),
        ("asmith", "deskoop", 201),
        ("asmith", "desktop.", 201),
        ("jdoe", "desktop.gtk.x", 201),
        ("jdoe", "desktop.shell", 403),
        ("jdoe", "elsewhere", 403),
    ],
)
def test_a_user_or_a_group_of_theirs_must_be_named(
    typed: Client, user: str, testcase: str, status: int
) -> None:
    answer = post(typed, "redhat-modules", body(testcase=testcase), f"token-of-{user}")
    assert answer.status_code == status
    if status == 403:
        said = f"403 Forbidden: User {user} is not authorized to submit results for the test case {testcase}"
        assert answer.json() == {"message": said}


def test_a_user_whom_ldap_does_not_know_is_told_so(typed: Client) -> None:
    answer = post(typed, "redhat-modules", body(), "token-of-nobody")
    assert answer.status_code == 403
    assert answer.json()["message"] == (
        "403 Forbidden: User nobody is not authorized to submit results for the test case baseos.tier1"
        "; failed to find the user in LDAP"
    )


def test_each_search_is_made_below_its_base_with_its_filter(typed: Client, directory: Directory) -> None:
    directory.filters.clear()
    post(typed, "redhat-modules", body(testcase="elsewhere"))
    assert directory.filters == [("ou=one", "memberUid", "jdoe"), ("ou=two", "member", "jdoe")]


def test_no_permission_denies_everybody(provider: Provider, directory: Directory, tmp_path: Path) -> None:
    with serving(Auth(oidc=oidc(provider, tmp_path), ldap=ldap(directory.url))) as client:
        assert post(client, "redhat-modules", body()).status_code == 403


def test_without_ldap_it_is_500_even_for_a_user_who_is_named(provider: Provider, tmp_path: Path) -> None:
    with serving(Auth(oidc=oidc(provider, tmp_path)), PERMISSIONS) as client:
        answer = post(client, "redhat-modules", body())
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_a_search_without_a_base_is_refused_at_the_start(tmp_path: Path) -> None:
    from ci_results.config import read_config

    with pytest.raises(ConfigError, match="base: missing"):
        read_config("[auth.ldap]\nhost = 'ldap://x'\nsearches = [{}]", tmp_path / "ci-results.toml")


def test_ldap_that_is_away_or_fails_is_502(provider: Provider, directory: Directory, tmp_path: Path) -> None:
    away = Auth(oidc=oidc(provider, tmp_path), ldap=ldap(nobody_listens()))
    with serving(away, PERMISSIONS) as client:
        answer = post(client, "redhat-modules", body(testcase="desktop.x"))
        assert (answer.status_code, answer.json()) == (502, {"message": "Bad Gateway"})
        assert post(client, "redhat-modules", body()).status_code == 201  # named: nobody needs to be asked
    failing = Auth(oidc=oidc(provider, tmp_path), ldap=ldap(directory.url))
    directory.result = BUSY
    try:
        with serving(failing, PERMISSIONS) as client:
            answer = post(client, "redhat-modules", body(testcase="desktop.x"))
            assert (answer.status_code, answer.json()) == (502, {"message": "Bad Gateway"})
    finally:
        directory.result = 0
