"""Who may submit, by which credentials, and whom results are from."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_server import Client, bearer, serving

from ci_results.config_auth import Auth, LdapTable, OidcTable, ProxyTable, SearchTable, TokenTable
from ci_results.errors import ConfigError
from ci_results.serve.auth.opening import open_access, said_at_start
from ci_results.serve.auth.tokens import digest

from .users import BOT, OTHER, RESULT, SECRET

WRITES: dict[str, dict[str, Any]] = {
    "results": RESULT,
    "testcases": {"name": "baseos.tier1"},
    "groups": {"uuid": "g"},
}


def post(client: Client, what: str = "results", token: str | None = None, **changes: Any) -> int:
    headers = {} if token is None else bearer(token)
    return client.post(f"/api/v2.0/{what}", json={**WRITES[what], **changes}, headers=headers).status_code


# -- who may submit -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", WRITES)
def test_on_this_machine_anybody_may_submit(what: str) -> None:
    with serving(Auth()) as client:
        assert post(client, what) == 201
        assert post(client, what, "nonsense") == 201  # the peer's clients may send what they like


@pytest.mark.parametrize("what", WRITES)
def test_reached_from_elsewhere_a_token_is_needed(what: str) -> None:
    with serving(Auth(tokens=(BOT,)), here_only=False) as client:
        answer = client.post(f"/api/v2.0/{what}", json=WRITES[what])
        assert answer.status_code == 401
        assert "Authorization: Bearer" in answer.json()["message"]
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert post(client, what, OTHER) == 401
        assert post(client, what, SECRET) == 201
        assert client.get(f"/api/v2.0/{what}").status_code == 200


def test_reached_from_elsewhere_and_knowing_nobody_nothing_is_taken() -> None:
    with serving(Auth(), here_only=False) as client:
        assert post(client) == post(client, token=SECRET) == 401


def test_anonymous_posts_may_be_allowed_and_a_bad_token_is_told_still() -> None:
    with serving(Auth(anonymous_posts=True, tokens=(BOT,)), here_only=False) as client:
        assert post(client) == post(client, token=SECRET) == 201
        assert post(client, token=OTHER) == 401


@pytest.mark.parametrize("name", ["bot", "", "anybody", "with space"])
def test_a_client_that_knows_no_tokens_shows_one_as_a_password(name: str) -> None:
    with serving(Auth(tokens=(BOT,)), here_only=False) as client:
        answer = client.post("/api/v2.0/results", json=RESULT, auth=(name, SECRET))
        assert answer.status_code == 201
        assert client.store.result(answer.json()["id"]).source == "api:bot"
        for wrong in (OTHER, "", "jdoe", f"x{SECRET}"):
            assert client.post("/api/v2.0/results", json=RESULT, auth=(name, wrong)).status_code == 401


def test_requests_finds_a_token_in_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login bot password {SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(Auth(tokens=(BOT,)), here_only=False) as client:
        client.trust_env = True
        assert post(client) == 201


def test_a_password_that_is_no_token_is_overlooked_where_anybody_may_submit() -> None:
    with serving(Auth(tokens=(BOT,))) as client:
        answers = [client.post("/api/v2.0/results", json=RESULT, auth=("a", word)) for word in ("b", OTHER)]
        assert [answer.status_code for answer in answers] == [201, 401]


@pytest.mark.parametrize(
    "value",
    [
        "Basic",
        "Basic ====",
        "Basic Y2lyXw",
        "Basic Y2lyXw==",
        "Basic \xff",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer x",
        "Bearer " + "x" * 60_000,
        "Bearer " + "=" * 100,
        "Bearer \xff\xfe",
        "Bearer a b",
        f"Bearer {SECRET},{SECRET}",
        f"Bearer {SECRET}\t{SECRET}",
        f"Basic {SECRET}",
        f"Digest {SECRET}",
        SECRET,
    ],
)
def test_odd_headers_let_nobody_in(value: str) -> None:
    with serving(Auth(tokens=(BOT,)), here_only=False) as client:
        answer = client.post(
            "/api/v2.0/results", json=RESULT, headers={"Authorization": value.encode("latin-1")}
        )
        assert answer.status_code in (400, 401, 431)
        assert client.get("/api/v2.0/results").json()["data"] == []


def test_no_token_is_logged_or_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    permissions = [{"testcases": ["mine.*"], "users": ["bot"]}]
    with serving(Auth(tokens=(BOT,)), permissions, here_only=False) as client:
        answers = [
            client.post("/api/v2.0/results", json=RESULT, headers=bearer(token)).text
            for token in (SECRET, OTHER)
        ]
    for secret in (SECRET, OTHER, digest(SECRET)):
        assert secret not in caplog.text + "".join(answers)
    assert SECRET not in repr(Auth(tokens=(BOT,)))


# -- permissions --------------------------------------------------------------------------------------


@pytest.mark.demand("S-043")
@pytest.mark.parametrize("version", ["2.0", "3"])
def test_a_publisher_writes_the_namespaces_that_are_its_own_and_no_others(version: str) -> None:
    other = TokenTable(name="desktop-bot", sha256=digest(OTHER), groups=("desktop",))
    permissions = [
        {"testcases": ["baseos.*"], "users": ["bot"]},
        {"testcases": ["desktop.*"], "groups": ["desktop"]},
    ]
    typed = {
        "ci_name": "c",
        "ci_team": "t",
        "ci_docs": "http://d.example",
        "ci_email": "a@example.com",
        "item": "i",
    }
    path = "/api/v2.0/results" if version == "2.0" else "/api/v3/results/redhat-modules"
    with serving(Auth(tokens=(BOT, other)), permissions, here_only=False) as client:
        for token, testcase, status in (
            (SECRET, "baseos.tier1", 201),
            (SECRET, "desktop.shell", 403),
            (OTHER, "desktop.shell", 201),
            (OTHER, "baseos.tier1", 403),
            (OTHER, "elsewhere.x", 403),
        ):
            said = {"outcome": "PASSED", "testcase": testcase, **(typed if version == "3" else {})}
            answer = client.post(path, json=said, headers=bearer(token))
            assert answer.status_code == status, (testcase, answer.text)
        found = client.get("/api/v2.0/results").json()["data"]
    assert sorted(each["testcase"]["name"] for each in found) == ["baseos.tier1", "desktop.shell"]


def test_a_testcase_is_described_by_its_owner_only() -> None:
    with serving(Auth(tokens=(BOT,)), [{"testcases": ["baseos.*"], "users": ["bot"]}]) as client:
        assert post(client, "testcases", SECRET) == 201
        assert post(client, "testcases", SECRET, name="desktop.shell") == 403
        assert post(client, "groups", SECRET) == 201


def test_where_permissions_are_they_rule_anonymous_posts_too_and_may_name_them() -> None:
    permissions = [
        {"testcases": ["baseos.*"], "users": ["bot"]},
        {"testcases": ["scratch.*"], "users": ["anonymous"]},
    ]
    with serving(Auth(tokens=(BOT,)), permissions) as client:
        assert post(client) == 401
        assert post(client, token=SECRET) == 201
        assert post(client, testcase="scratch.x") == 201


def test_a_body_that_is_wrong_is_told_before_a_permission_that_lacks() -> None:
    with serving(Auth(tokens=(BOT,)), [{"testcases": ["x"], "users": ["y"]}]) as client:
        assert post(client, token=SECRET, outcome="NO") == 400
        assert post(client, token=SECRET) == 403


# -- batches ------------------------------------------------------------------------------------------


def batch(client: Client, *testcases: str, token: str | None = None, mode: str = "all") -> Any:
    lines = [{**RESULT, "testcase": testcase} for testcase in testcases]
    headers = {} if token is None else bearer(token)
    return client.post("/api/ci/v1/results/batch", params={"mode": mode}, json=lines, headers=headers)


def test_a_batch_needs_a_token_where_a_result_does() -> None:
    with serving(Auth(tokens=(BOT,)), here_only=False) as client:
        assert batch(client, "a.b").status_code == batch(client, "a.b", token=OTHER).status_code == 401
        assert batch(client, "a.b", token=OTHER).headers["www-authenticate"].startswith("Bearer")
        answer = batch(client, "a.b", token=SECRET)
        assert answer.status_code == 201
        assert client.store.result(answer.json()["ids"][0]).source == "api:bot"


@pytest.mark.parametrize("mode", ["all", "each"])
def test_a_batch_with_one_testcase_of_somebody_else_is_refused_whole(mode: str) -> None:
    with serving(Auth(tokens=(BOT,)), [{"testcases": ["baseos.*"], "users": ["bot"]}]) as client:
        assert batch(client, "baseos.a", "desktop.b", token=SECRET, mode=mode).status_code == 403
        assert batch(client, "baseos.a", mode=mode).status_code == 401
        assert client.get("/api/v2.0/results").json()["data"] == []
        assert batch(client, "baseos.a", "baseos.b", token=SECRET, mode=mode).status_code == 201


def test_lines_of_a_strict_token_are_held_to_the_rules_one_by_one() -> None:
    strict = TokenTable(name="bot", sha256=digest(SECRET), strict=True)
    with serving(Auth(tokens=(strict,))) as client:
        answer = batch(client, "a.b", "nodot", token=SECRET, mode="each").json()
    assert answer["stored"] == 1
    assert [each["line"] for each in answer["errors"]] == [2]


# -- whom results come from ---------------------------------------------------------------------------


@pytest.mark.demand("S-111")
def test_a_direct_submission_with_a_token_needs_no_bus_and_leaves_its_message_in_the_outbox() -> None:
    with serving(Auth(tokens=(BOT,)), here_only=False) as client:
        before = client.store.counts()["outbox"]
        answer = client.post("/api/v2.0/results", json=RESULT, headers=bearer(SECRET))
        assert answer.status_code == 201
        assert client.store.result(answer.json()["id"]).source == "api:bot"
        assert client.store.counts()["outbox"] == before + 1


def test_a_result_says_who_submitted_it() -> None:
    with serving(Auth(tokens=(BOT,))) as client:
        numbers = [
            client.post("/api/v2.0/results", json=RESULT, headers=headers).json()["id"]
            for headers in ({}, bearer(SECRET))
        ]
        assert [client.store.result(number).source for number in numbers] == ["api", "api:bot"]


def test_the_same_idempotency_key_of_two_users_is_two_results() -> None:
    other = TokenTable(name="other", sha256=digest(OTHER))
    with serving(Auth(tokens=(BOT, other))) as client:
        numbers = {
            client.post(
                "/api/v2.0/results", json=RESULT, headers={**bearer(token), "Idempotency-Key": "once"}
            ).json()["id"]
            for token in (SECRET, OTHER, SECRET, OTHER)
        }
    assert len(numbers) == 2


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({}, 201, ""),
        ({"testcase": "tier1"}, 400, "namespace"),
        ({"data": {"type": "koji_build"}}, 400, "item"),
        ({"data": {"item": "bash-5.2-1.el10"}}, 400, "type"),
        ({"data": {"item": "bash", "type": "koji_build"}}, 400, "NVR"),
        ({"data": {"item": "x", "type": "ufo"}}, 400, "ufo"),
    ],
)
def test_a_strict_token_is_held_to_the_rules_of_our_own_doors(
    changes: dict[str, Any], status: int, said: str
) -> None:
    strict = TokenTable(name="bot", sha256=digest(SECRET), strict=True)
    with serving(Auth(tokens=(strict,))) as client:
        answer = client.post("/api/v2.0/results", json={**RESULT, **changes}, headers=bearer(SECRET))
        assert answer.status_code == status
        assert said in answer.text
        assert post(client, **changes) == 201


# -- what is said at the start ------------------------------------------------------------------------


def lines(auth: Auth, *, here_only: bool, permissions: int = 0) -> list[str]:
    return list(said_at_start(auth, [None] * permissions, here_only=here_only))  # type: ignore[list-item]


def test_whoever_starts_a_server_is_told_in_a_line_who_may_submit() -> None:
    assert lines(Auth(), here_only=True) == []
    (line,) = lines(Auth(), here_only=False)
    assert "nobody" in line
    assert "ci-results token new" in line
    (line,) = lines(Auth(anonymous_posts=True), here_only=False)
    assert "everybody" in line
    proxy = ProxyTable(header="X-Remote-User", addresses=("10.0.0.5",))
    (line,) = lines(Auth(tokens=(BOT,), proxy=proxy), here_only=False, permissions=2)
    assert line.endswith("within 2 permissions")
    assert "holders of tokens" in line
    assert "10.0.0.5" in line
    assert len(lines(Auth(oidc=OidcTable(client_secrets="x")), here_only=False)) == 2


def test_what_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    good = {
        "issuer": "https://idp.example",
        "client_id": "c",
        "client_secret": "verysecret",
        "token_introspection_uri": "https://idp.example/i",
    }
    for changes, said in (
        ({"issuer": "http://idp.example"}, "web.issuer must be https"),
        ({"client_secret": None}, "web.client_secret must be a text"),
        ({"token_introspection_uri": 3}, "web.token_introspection_uri must be a text"),
        ({"redirect_uris": "x"}, "web.redirect_uris must be a list"),
        ({"redirect_uris": ["https://x.example"]}, "web.redirect_uris must be addresses"),
        ({"auth_uri": "ftp://x"}, "web.auth_uri must be https"),
    ):
        path.write_text(json.dumps({"web": {**good, **changes}}))
        with pytest.raises(ConfigError, match=said) as caught:
            open_access(Auth(oidc=OidcTable(client_secrets=str(path))))
        assert "verysecret" not in str(caught.value)
    for text in ("", "[]", '{"web": []}', "{}"):
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"secrets\.json"):
            open_access(Auth(oidc=OidcTable(client_secrets=str(path))))
    path.write_text(json.dumps({"web": good}))
    with pytest.raises(ConfigError, match=r"nowhere\.pem"):
        open_access(Auth(oidc=OidcTable(client_secrets=str(path), ca="/nowhere.pem")))


@pytest.mark.parametrize(("table", "extra"), [("oidc", "introspection"), ("ldap", "directory")])
def test_an_extra_that_is_not_installed_is_named(
    table: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"ci_results.serve.auth.{extra}", None)
    tables: dict[str, Any] = {
        "oidc": OidcTable(client_secrets="x"),
        "ldap": LdapTable(host="ldap://x", searches=(SearchTable(base="a"),)),
    }
    with pytest.raises(ConfigError, match=rf"pip install 'ci-results\[{table}\]'"):
        open_access(Auth(**{table: tables[table]}))
