"""/api/ci/v1/manual: plans, findings and progress, for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fake_server import Client, bearer, serving

from ci_results.config_auth import Auth
from ci_results.testing.plan_rules import PLAN

from .users import BOT, SECRET

API = "/api/ci/v1/manual"
BODY = {
    "item": "Fedora-44-*",
    "type": "compose",
    "cases": [{"testcase": "desktop.login", "title": "Log in", "owner": None}, {"testcase": "desktop.print"}],
    "actor": "alice",
}
FINDING = {
    "testcase": "desktop.login",
    "item": PLAN.item,
    "type": "compose",
    "outcome": "PASSED",
    "comment": "all well",
    "ref_url": "https://bugs.example/1",
    "actor": "alice",
}


@pytest.fixture
def client() -> Iterator[Client]:
    with serving(Auth()) as found:
        yield found


@pytest.fixture
def ruled() -> Iterator[Client]:
    """A server that others reach; a bot may speak for desktop.login alone."""
    ours = [{"testcases": ["desktop.login"], "users": ["bot"]}]
    with serving(Auth(tokens=(BOT,)), ours, here_only=False) as found:
        yield found


def without(body: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names} | more


@pytest.mark.demand("S-133")
def test_a_plan_is_imported_listed_and_shown_by_version(client: Client) -> None:
    first = client.post(f"{API}/plans/beta", json=BODY)
    assert first.status_code == 201
    said = first.json()
    assert (said["state"], said["version"], said["actor"], said["added"]) == (
        "new", 1, "alice", ["desktop.login", "desktop.print"],
    )  # fmt: skip
    assert client.post(f"{API}/plans/beta", json=BODY).status_code == 200
    shorter = client.post(
        f"{API}/plans/beta", json=without(BODY, cases=[{"testcase": "desktop.dark"}])
    ).json()
    assert (shorter["state"], shorter["version"]) == ("changed", 2)
    assert (shorter["added"], shorter["removed"]) == (["desktop.dark"], ["desktop.login", "desktop.print"])
    assert [each["version"] for each in client.get(f"{API}/plans").json()["plans"]] == [2]
    assert [case["testcase"] for case in client.get(f"{API}/plans/beta").json()["cases"]] == ["desktop.dark"]
    old = client.get(f"{API}/plans/beta?version=1").json()
    assert old["cases"][0] == {
        "testcase": "desktop.login", "title": "Log in", "steps": "",
        "ref_url": None, "owner": None, "contact": None,
    }  # fmt: skip


@pytest.mark.demand("S-133")
def test_every_wrong_case_is_told_and_nothing_is_imported(client: Client) -> None:
    cases = [{"testcase": "a.b"}, {"title": "x"}, {"testcase": "a.c", "steps": 7}]
    wrong = client.post(f"{API}/plans/beta", json=without(BODY, cases=cases))
    assert wrong.status_code == 400
    assert [each["loc"] for each in wrong.json()["validation_error"]] == [
        ["cases", 1, "testcase"], ["cases", 2, "steps"],
    ]  # fmt: skip
    cases = [{"testcase": "login"}, {"testcase": "a.b", "ref_url": "javascript:x"}]
    told = client.post(f"{API}/plans/beta", json=without(BODY, cases=cases)).json()["message"]
    assert "cases, 0: testcase needs a namespace" in told
    assert "cases, 1: link is not http" in told
    assert client.get(f"{API}/plans").json() == {"plans": []}


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("a b", {}, "plan name 'a b'"),
        ("beta", {"item": "x"}, "is no compose id"),
        ("beta", {"type": "nonsense"}, "is not known"),
        ("beta", {"cases": []}, "1 to 1000 testcases"),
        ("beta", {"cases": [{"testcase": "a.b"}] * 2}, "twice"),
        ("beta", {"actor": None}, "say who you are"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused(
    client: Client, name: str, change: dict[str, Any], said: str
) -> None:
    answer = client.post(f"{API}/plans/{name}", json=BODY | change)
    assert answer.status_code == 400
    assert said in answer.json()["message"]


@pytest.mark.demand("S-133", "S-135")
def test_a_finding_is_stored_and_tells_how_far_its_plans_are(client: Client) -> None:
    client.post(f"{API}/plans/beta", json=BODY)
    client.store.save_plan(replace(PLAN, name="other", cases=PLAN.cases[1:]), "jdoe", before=0)
    answer = client.post(f"{API}/results", json=FINDING)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["id"], said["actor"], said["actor_verified"]) == (1, "alice", False)
    (plan,) = said["plans"]
    assert (plan["plan"], plan["state"], plan["progress"]["percent"]) == ("beta", "waiting", 50.0)
    result = client.get("/api/v2.0/results/1").json()
    assert (result["note"], result["ref_url"]) == ("all well", "https://bugs.example/1")
    assert result["data"]["method"] == ["manual"]


@pytest.mark.demand("S-133")
def test_a_retry_with_the_same_key_stores_once(client: Client) -> None:
    key = {"Idempotency-Key": "k1"}
    first, again = (client.post(f"{API}/results", json=FINDING, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert client.post(f"{API}/results", json=FINDING | {"outcome": "FAILED"}, headers=key).status_code == 422
    assert client.post(f"{API}/results", json=FINDING).json()["id"] == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"testcase": "login"}, "namespace"),
        ({"item": "x"}, "is no compose id"),
        ({"outcome": "FINE"}, "must be one of"),
        ({"ref_url": "javascript:x"}, "not http or https"),
        ({"actor": None}, "say who you are"),
        ({"actor": "a\nb"}, "not the name of a user"),
        ({"comment": "a\0b"}, "NUL"),
    ],
)
def test_a_finding_that_breaks_a_rule_is_refused(client: Client, change: dict[str, Any], said: str) -> None:
    answer = client.post(f"{API}/results", json=FINDING | change)
    assert answer.status_code == 400
    assert said in answer.text


@pytest.mark.demand("S-135")
def test_the_status_is_asked_by_plan_item_and_type(client: Client) -> None:
    client.post(f"{API}/plans/beta", json=BODY)
    client.store.save_plan(PLAN, "jdoe", before=1)
    client.store.save_plan(replace(PLAN, name="builds", item_type="ci_build", item="*"), "jdoe", before=0)
    for outcome in ("FAILED", "PASSED"):
        client.post(f"{API}/results", json=FINDING | {"outcome": outcome})

    def asked(**given: str) -> list[str]:
        return [each["plan"] for each in client.get(f"{API}/status", params=given).json()["status"]]

    assert asked() == ["beta"]
    assert asked(item=PLAN.item) == ["builds", "beta"]
    assert asked(item=PLAN.item, type="compose") == asked(plan="beta") == ["beta"]
    assert asked(item="Rawhide-1") == ["builds"]
    (status,) = client.get(f"{API}/status", params={"plan": "beta"}).json()["status"]
    assert [case["outcome"] for case in status["cases"]] == ["PASSED", None]
    assert client.get(f"{API}/status?plan=gone").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [("plans/gone", 404), ("plans/beta?version=2", 404), ("plans/beta?version=x", 400), ("nothing", 404)],
)
def test_what_is_not_there_is_told(client: Client, path: str, status: int) -> None:
    client.post(f"{API}/plans/beta", json=BODY)
    answer = client.get(f"{API}/{path}")
    assert (answer.status_code, list(answer.json())) == (status, ["message"])


@pytest.mark.parametrize("path", ["plans/beta", "results"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"x"', b"{}"])
def test_what_is_no_body_is_refused(client: Client, path: str, body: bytes) -> None:
    answer = client.post(f"{API}/{path}", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert client.store.plans() == []


@pytest.mark.demand("S-133")
def test_a_token_says_who_it_is_and_permissions_hold(ruled: Client) -> None:
    mine, others = without(FINDING, "actor"), without(FINDING, "actor", testcase="desktop.print")
    assert ruled.post(f"{API}/results", json=FINDING).status_code == 401
    ruled.headers.update(bearer(SECRET))
    said = ruled.post(f"{API}/results", json=mine).json()
    assert (said["actor"], said["actor_verified"]) == ("bot", True)
    assert ruled.post(f"{API}/results", json=others).status_code == 403
    borrowed = ruled.post(f"{API}/results", json=FINDING)
    assert borrowed.status_code == 400
    assert "your token says that you are bot" in borrowed.text


def test_nobody_takes_away_what_a_plan_requires_of_others(ruled: Client) -> None:
    ruled.store.save_plan(PLAN, "jdoe", before=0)
    ruled.headers.update(bearer(SECRET))
    smaller = without(BODY, "actor", cases=[{"testcase": "desktop.login"}])
    refused = ruled.post(f"{API}/plans/{PLAN.name}", json=smaller)
    assert refused.status_code == 403
    assert "desktop.print/color" in refused.json()["message"]
    assert ruled.store.plan(PLAN.name).version == 1
    assert ruled.post(f"{API}/plans/mine", json=smaller).status_code == 201
