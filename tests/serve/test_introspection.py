"""An OIDC provider that is slow, broken or lies about tokens."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fake_provider import Provider
from fake_server import bearer, serving

from ci_results.config_auth import Auth, OidcTable, TokenTable
from ci_results.serve.auth import introspection
from ci_results.serve.auth.tokens import digest, new_token

from .conftest import Start
from .users import RESULT, posted


def test_a_token_is_asked_about_once_in_a_while(start: Start, provider: Provider) -> None:
    with start() as client:
        assert [posted(client, "good") for _ in range(5)] == [201] * 5
        assert [posted(client, "bad") for _ in range(5)] == [401] * 5
    assert provider.questions == ["good", "bad"]


def test_a_flood_of_bad_tokens_pushes_no_good_one_out(
    start: Start, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection, "MOST_REFUSED", 2)
    with start() as client:
        assert [posted(client, token) for token in ("good", "b1", "b2", "b3", "b1", "good")][-1] == 201
    assert provider.questions == ["good", "b1", "b2", "b3", "b1"]


def test_many_who_show_the_same_token_at_once_make_one_question(start: Start, provider: Provider) -> None:
    provider.delay_s = 0.3
    with start() as client, ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(posted, client, "good") for _ in range(12)]
        assert {each.result() for each in asked} == {201}
    assert provider.questions == ["good"]


def test_what_the_provider_said_does_not_outlive_the_token(start: Start, provider: Provider) -> None:
    with start() as client:
        end = provider.tokens["good"]["exp"] = time.time() + 2
        assert posted(client, "good") == 201
        time.sleep(end - time.time() + 0.1)
        assert posted(client, "good") == 401
    assert provider.questions == ["good", "good"]


@pytest.mark.parametrize(
    "claims",
    [
        {"active": "true"},
        {"active": 1},
        {"active": None},
        {"uid": None},
        {"uid": ""},
        {"uid": "  "},
        {"uid": 7},
        {"uid": ["root"]},
        {"uid": {"name": "root"}},
        {"uid": "x" * 256},
        {"uid": "root\n"},
        {"uid": "ro\u0000ot"},
        {"uid": "\u202eroot"},
        {"uid": "\ud800"},
        {"exp": 1},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": -1},
        {"exp": []},
        {"nbf": 9_999_999_999},
        {"nbf": "soon"},
    ],
)
def test_claims_that_vouch_for_nobody_let_nobody_in(
    start: Start, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.tokens["good"] |= claims
    with start() as client:
        assert posted(client, "good") in (401, 502)  # 502: what is no JSON at all
        assert client.get("/api/v2.0/results").json()["data"] == []


@pytest.mark.parametrize(("audience", "status"), [("us", 201), ("them", 401)])
def test_a_token_for_somebody_else_is_refused_where_an_audience_is_set(
    start: Start, audience: str, status: int
) -> None:
    with start(audience=audience) as client:
        assert posted(client, "good") == status


@pytest.mark.parametrize(
    ("field", "status"), [("realm.roles", 201), ("realm", 403), ("realm.roles.x", 403), ("nothing", 403)]
)
def test_groups_may_come_with_the_token(start: Start, field: str, status: int) -> None:
    with start(groups_field=field, permissions=[{"testcases": ["*"], "groups": ["qe"]}]) as client:
        assert posted(client, "good") == status


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_provider_in_trouble_is_502(start: Start, provider: Provider, status: int) -> None:
    provider.status = status
    with start() as client:
        answer = client.post("/api/v2.0/results", json=RESULT, headers=bearer("good"))
        assert (answer.status_code, answer.json()) == (502, {"message": "Bad Gateway"})
        provider.status = 0
        assert posted(client, "good") == 201  # the trouble is not remembered


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"active"', b"\xff", b"[" * 5000])
def test_a_provider_that_answers_nonsense_is_502(start: Start, provider: Provider, body: bytes) -> None:
    provider.status, provider.body = 200, body
    with start() as client:
        assert posted(client, "good") == 502


def test_a_provider_that_answers_without_end_is_502(start: Start, provider: Provider) -> None:
    provider.status, provider.body = 200, b" " * (introspection.MAX_ANSWER + 1)
    with start() as client:
        assert posted(client, "good") == 502


@pytest.mark.parametrize("drip", [True, False], ids=["drips", "hangs"])
def test_a_provider_that_takes_too_long_is_502_and_holds_nobody_else_up(
    start: Start, provider: Provider, drip: bool
) -> None:
    provider.drip = drip
    provider.delay_s = 0.0 if drip else 3.0
    with start() as client, ThreadPoolExecutor(1) as threads:
        began = time.monotonic()
        slow = threads.submit(posted, client, "good")
        time.sleep(0.2)
        asked = time.monotonic()
        assert client.get("/api/v3/permissions").status_code == 200
        assert time.monotonic() - asked < 0.5
        assert slow.result() == 502
        assert 0.9 < time.monotonic() - began < 2.5
    provider.drip = False


def test_a_provider_that_is_away_is_502(start: Start) -> None:
    with start(secrets={"token_introspection_uri": "http://127.0.0.1:1/introspect"}) as client:
        assert posted(client, "good") == 502


@pytest.mark.parametrize("secrets", [{"client_secret": "wrong"}, {"client_id": "wrong"}])
def test_a_client_secret_that_is_wrong_is_our_fault_and_not_the_users(
    start: Start, secrets: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with start(secrets=secrets) as client:
        answer = client.post("/api/v2.0/results", json=RESULT, headers=bearer("good"))
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert "client_secrets" in str([record.__dict__.get("reason") for record in caplog.records])


def test_redirects_of_the_provider_are_not_followed_with_our_secret(start: Start, provider: Provider) -> None:
    provider.status = 302
    with start() as client:
        assert posted(client, "good") == 500


def test_no_more_tokens_are_asked_about_at_once_than_there_is_room_for(
    start: Start, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection, "WAITING", 3)
    provider.delay_s = 0.3
    with start() as client, ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(posted, client, f"token-{n}") for n in range(8)]
        answers = sorted(each.result() for each in asked)
    assert answers.count(401) >= 3
    assert answers.count(502) >= 1
    assert set(answers) == {401, 502}


def test_a_token_of_our_own_is_never_shown_to_the_provider(provider: Provider, tmp_path: Path) -> None:
    ours = new_token()
    oidc = OidcTable(client_secrets=provider.secrets_file(tmp_path))
    auth = Auth(oidc=oidc, tokens=(TokenTable(name="bot", sha256=digest(ours)),))
    with serving(auth, here_only=False) as client:
        assert (posted(client, ours), posted(client, new_token())) == (201, 401)
    assert provider.questions == []
