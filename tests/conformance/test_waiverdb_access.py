"""Who may waive, and what others are told: COMPAT 2.3, 2.4 and 2.10; and the attempts that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_ldap import Directory, nobody_listens
from fake_provider import Provider
from fake_server import Client, bearer, serving

from ci_results.config import Serving
from ci_results.config_auth import Auth, ProxyTable, TokenTable
from ci_results.serve.auth.tokens import PREFIX, digest
from ci_results.store.protocol import Store
from ci_results.waive.rules import People, Rule, Rules

from .places import Api
from .typed import ldap, oidc
from .waivers import wish

URL = "/api/v1.0/waivers/"
TOKENS = {name: f"{PREFIX}token-of-{name}" for name in ("boss", "dev", "other")}
AUTH = Auth(
    tokens=tuple(
        TokenTable(name=name, sha256=digest(token), groups=("qe",) if name == "dev" else ())
        for name, token in TOKENS.items()
    )
)
RULES = Rules(
    superusers=frozenset({"boss"}),
    rules=(
        Rule(testcases=("free.*",)),
        Rule(testcases=("desk[ot]op.*",), request=People(groups=frozenset({"desktop-qe"}))),
        Rule(
            testcases=("dist.*",), testcases_ignore=("dist.open.*",),
            request=People(users=frozenset({"boss"}), groups=frozenset({"qe"})),
        ),
        Rule(
            testcases=("slow.*",), approvals=1, request=People(groups=frozenset({"qe"})),
            approve=People(users=frozenset({"boss"})),
        ),
        Rule(testcases=("others.*",), approvals=1),
    ),
)  # fmt: skip


@pytest.fixture
def known(store: Store) -> Iterator[Client]:
    """A server that others reach, which knows users by tokens."""
    with serving(AUTH, here_only=False, store=store, waive=RULES) as client:
        yield client


def post(client: Client, who: str | None, body: Any = None, **fields: Any) -> Any:
    headers = {} if who is None else bearer(TOKENS[who])
    return client.post(URL, json=wish(**fields) if body is None else body, headers=headers)


# -- who asks


def test_without_a_token_or_with_a_bad_one_nobody_waives(known: Client) -> None:
    for headers in ({}, bearer("nonsense"), {"Authorization": "Basic ZGV2OmFueQ=="}, {"Authorization": "x"}):
        answer = known.post(URL, json=wish(), headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        first, *others = answer.json()["message"].split("\n")
        assert first == "Authentication failed:"
        assert [line.partition(": 401 Unauthorized: ")[0] for line in others] == [
            "- Authentication method token failed"
        ]
    assert known.get(URL).json()["data"] == []


def test_a_bad_body_is_told_before_anybody_asks_who_it_is(known: Client) -> None:
    assert known.post(URL, json={"comment": ""}).status_code == 400
    assert known.post(URL, data="{", headers={"Content-Type": "application/json"}).status_code == 400


def test_a_token_waives_also_as_the_password_of_basic(known: Client) -> None:
    assert post(known, "dev").json()["username"] == "dev"
    answer = known.post(URL, json=wish(), auth=("whoever", TOKENS["dev"]))
    assert (answer.status_code, answer.json()["username"]) == (201, "dev")


def test_reading_needs_nobody(known: Client) -> None:
    number = post(known, "dev").json()["id"]
    assert known.get(f"{URL}{number}").status_code == 200
    assert known.post(f"{URL}+filtered", json={"filters": [{}]}).json()["data"][0]["id"] == number


def test_a_server_that_knows_nobody_takes_waivers_of_nobody(store: Store) -> None:
    for auth in (Auth(), Auth(anonymous_posts=True)):
        with serving(auth, here_only=False, store=store) as client:
            answer = client.post(URL, json=wish(), auth=("dev", "any"))
            assert answer.status_code == 401
            assert answer.json() == {"message": "Authenticated user required. No methods specified."}


def test_on_this_machine_a_mere_name_waives_what_everybody_may(store: Store) -> None:
    with serving(Auth(), store=store, waive=RULES) as client:
        assert client.post(URL, json=wish(testcase="free.x"), auth=("jane", "")).json()["username"] == "jane"
        assert client.post(URL, json=wish(testcase="free.x")).json()["username"] == "anonymous"
        for fields in (
            {"testcase": "dist.x"},
            {"testcase": "others.x"},  # else somebody could ask as one and approve as another
            {"testcase": "free.x", "username": "other"},
        ):
            answer = client.post(URL, json=wish(**fields), auth=("boss", ""))
            assert answer.status_code == 401
            assert "a mere name is not enough" in answer.json()["message"]
        bad = client.post(URL, json=wish(testcase="free.x"), headers={"Authorization": "Basic !!"})
        assert bad.status_code == 401


def test_a_user_that_a_proxy_names_waives(store: Store) -> None:
    auth = Auth(proxy=ProxyTable(header="X-Remote-User", addresses=("127.0.0.1",)))
    with serving(auth, here_only=False, store=store) as client:
        answer = client.post(URL, json=wish(), headers={"X-Remote-User": "kim"})
        assert (answer.status_code, answer.json()["username"]) == (201, "kim")
        assert client.post(URL, json=wish()).status_code == 401
        assert client.get("/api/v1.0/about").json()["auth_method"] == "proxy"
    assert store.waivers.of_waiver(answer.json()["id"])[0].act.via == "api:proxy"


def test_a_user_of_an_oidc_provider_waives(store: Store, provider: Provider, tmp_path: Path) -> None:
    auth = Auth(oidc=oidc(provider, tmp_path, username_field="preferred_username"))
    with serving(auth, here_only=False, store=store) as client:
        answer = client.post(URL, json=wish(), headers=bearer("token-of-jdoe"))
        assert (answer.status_code, answer.json()["username"]) == (201, "p-jdoe")
        refused = client.post(URL, json=wish(), headers=bearer("unknown"))
        assert refused.status_code == 401
        assert "- Authentication method OIDC failed: 401 Unauthorized: " in refused.json()["message"]
        assert client.get("/api/v1.0/about").json() == {"version": "1.4.0", "auth_method": "OIDC"}


# -- who may


@pytest.mark.demand("S-063")
def test_who_may_not_is_told_so_in_the_peers_words_and_the_attempt_is_kept(
    known: Client, store: Store
) -> None:
    answer = post(known, "other", testcase="dist.rpmlint")
    assert answer.status_code == 403
    assert answer.json() == {
        "message": "User other is not authorized to submit results for the test case dist.rpmlint"
    }
    (event,) = store.waivers.events()
    assert (event.act.username, event.act.turn, event.act.via) == ("other", None, "api:token")
    assert event.act.refused
    assert known.get(URL).json()["data"] == []


def test_users_and_groups_may_and_a_glob_that_is_ignored_is_nobodys(known: Client) -> None:
    assert post(known, "boss", testcase="dist.x").status_code == 201
    assert post(known, "dev", testcase="dist.x.y/z").status_code == 201
    assert post(known, "other", testcase="dist.open.x").status_code == 201
    assert post(known, "dev", testcase="desktop.x").status_code == 403


def test_of_a_list_one_that_may_not_be_waived_refuses_all(known: Client) -> None:
    both = [wish(testcase="free.x"), wish(testcase="dist.x")]
    answer = post(known, "other", both)
    assert answer.json()["message"].endswith("test case dist.x")
    assert known.get(URL).json()["data"] == []


def test_only_superusers_act_for_others_and_those_need_the_permission(known: Client, store: Store) -> None:
    answer = post(known, "boss", testcase="free.x", username="jane")
    assert answer.status_code == 201
    assert (answer.json()["username"], answer.json()["proxied_by"]) == ("jane", "boss")
    assert [one["id"] for one in known.get(f"{URL}?proxied_by=boss").json()["data"]] == [answer.json()["id"]]
    assert post(known, "boss", testcase="free.x", username="").json()["proxied_by"] is None
    for name in ("jane", "dev"):
        refused = post(known, "dev", testcase="free.x", username=name)
        assert refused.status_code == 403
        assert refused.json() == {"message": "user dev does not have the proxyuser ability"}
    other = post(known, "boss", testcase="dist.x", username="jane")
    assert other.status_code == 403
    assert other.json()["message"] == "User jane is not authorized to submit results for the test case dist.x"
    assert [event.act.proxied_by for event in store.waivers.events() if event.act.refused] == [
        "dev", "dev", "boss",
    ]  # fmt: skip


def test_groups_of_whoever_is_acted_for_are_those_of_their_tokens(known: Client) -> None:
    assert post(known, "dev", testcase="dist.x").status_code == 201  # as a member of qe
    answer = post(known, "boss", testcase="dist.x", username="dev")
    assert (answer.status_code, answer.json()["username"], answer.json()["proxied_by"]) == (
        201,
        "dev",
        "boss",
    )


def test_groups_of_whoever_is_acted_for_come_from_ldap(store: Store, directory: Directory) -> None:
    auth = Auth(tokens=AUTH.tokens, ldap=ldap(directory.url))
    with serving(auth, here_only=False, store=store, waive=RULES) as client:
        assert post(client, "boss", testcase="desktop.x", username="asmith").status_code == 201
        refused = post(client, "boss", testcase="desktop.x", username="jdoe")
        assert refused.json()["message"].endswith("for the test case desktop.x")
        unknown = post(client, "boss", testcase="desktop.x", username="nobody")
        assert unknown.json()["message"] == (
            "User nobody is not authorized to submit results for the test case desktop.x; failed to find the"
            " user in LDAP"
        )


def test_an_ldap_server_that_is_away_is_502(store: Store) -> None:
    auth = Auth(tokens=AUTH.tokens, ldap=ldap(nobody_listens()))
    with serving(auth, here_only=False, store=store, waive=RULES) as client:
        answer = post(client, "boss", testcase="desktop.x", username="asmith")
        assert (answer.status_code, answer.json()) == (502, {"message": "The LDAP server is not reachable."})


# -- approvals


@pytest.mark.demand("S-063")
def test_where_others_have_to_approve_it_is_a_request_that_nobody_sees_until_they_did(
    known: Client, store: Store
) -> None:
    from ci_results.operations.waive import Desk, approve
    from ci_results.waive.life import Actor

    said = post(known, "dev", testcase="slow.x").json()
    number, subject = said["id"], said["subject_identifier"]
    filters = {"filters": [{"subject_identifier": subject}]}

    def shown() -> list[Any]:
        listed = known.get(URL, params={"subject_identifier": subject}).json()["data"]
        every = known.get(URL, params={"subject_identifier": subject, "include_obsolete": 1}).json()["data"]
        sifted = known.post(f"{URL}+filtered", json=filters).json()["data"]
        return [known.get(f"{URL}{number}").status_code, *(len(each) for each in (listed, every, sifted))]

    assert shown() == [404, 0, 0, 0]
    approve(Desk(store=store, rules=RULES), number, Actor(username="boss", via="cli"), "seen it")
    assert shown() == [200, 1, 1, 1]
    assert known.get(f"{URL}{number}").json() == said


# -- what is said of it


def test_config_names_superusers_and_permissions_are_those_that_hold(known: Client) -> None:
    for path in ("/config", "/config/"):
        assert known.get(f"/api/v1.0{path}").json() == {"permission_mapping": {}, "superusers": ["boss"]}
    for path in ("/permissions", "/permissions/"):
        found = known.get(f"/api/v1.0{path}").json()
        assert [one["testcases"] for one in found] == [list(rule.testcases) for rule in RULES.rules]
        assert found[0] | {"everybody": True} == found[0]
        assert found[2] == {
            "name": "dist.*", "maintainers": [], "testcases": ["dist.*"], "testcases_ignore": ["dist.open.*"],
            "users": ["boss"], "groups": ["qe"], "everybody": False, "approvals": 0,
        }  # fmt: skip
        (one,) = known.get(f"/api/v1.0{path}?testcase=dist.x").json()
        assert one["name"] == "dist.*"
        assert known.get(f"/api/v1.0{path}?testcase=dist.open.x").json() == []


def test_permissions_are_a_page_for_people_too(known: Client) -> None:
    answer = known.get("/api/v1.0/permissions?html=1")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<td>dist.*</td>" in answer.text
    assert known.get("/api/v1.0/permissions?html=maybe").status_code == 400


# -- pages of other hosts


def test_pages_of_origins_that_are_configured_may_ask(store: Store) -> None:
    settings = Serving(cors=("https://gate.example",))
    with serving(Auth(), store=store, settings=settings) as client:
        ours = {"Origin": "https://gate.example"}
        asked = ours | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a, b"}
        for path in (URL, "/waiverdb/api/v1.0/about"):
            preflight = client.options(path, headers=asked)
            assert preflight.status_code == 200
            assert preflight.headers["Access-Control-Allow-Origin"] == "https://gate.example"
            assert preflight.headers["Access-Control-Allow-Methods"] == (
                "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
            )
            assert preflight.headers["Access-Control-Allow-Headers"] == "x-a, b"
            assert preflight.headers["Allow"]
            answer = client.get(path, headers=ours)
            assert answer.headers["Access-Control-Allow-Origin"] == "https://gate.example"
        assert client.post(URL, json={}, headers=ours).headers["Access-Control-Allow-Origin"]
        theirs = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        for answer in (client.options(URL, headers=theirs), client.get(URL, headers=theirs)):
            assert answer.status_code == 200
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_without_origins_nobody_elsewhere_may_ask(api: Api) -> None:
    answer = api.get("//api/v1.0/about", headers={"Origin": "https://gate.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
