"""/api/ci/v1/decision and /policies: decisions with their proof, and what is in force."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.operations.policies import FixedPolicies
from ci_results.serve.app import application
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

from .conftest import Client

POLICY = b"""id: basic
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
excluded_packages: [glibc]
rules:
- !PassingTestCaseRule {test_case_name: a.one}
- !AtLeastRule {at_least: 1, testcases: [b.one, b.two]}
---
id: more
product_versions: [fedora-40]
decision_contexts: [push, stable]
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: a.one}
"""
DECISION, POLICIES = "/api/ci/v1/decision", "/api/ci/v1/policies"
ASKED = {"item": "bash-5-1", "product_version": "fedora-40", "decision_context": "push"}


@pytest.fixture(scope="module")
def client(
    serve: Callable[..., AbstractContextManager[requests.Session]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[requests.Session]:
    folder: Path = tmp_path_factory.mktemp("decisions")
    policies = load([("p.yaml", POLICY)], {kind.name: kind for kind in RULE_TYPES})
    with SqliteStore.open(folder / "results.db") as store:
        app = application(Surroundings(store=store, policies=FixedPolicies(policies)), None)
        with serve(app) as found:
            yield found


def put(client: requests.Session, testcase: str, item: str, outcome: str = "PASSED") -> int:
    data = {"item": item, "type": "koji_build"}
    said = {"outcome": outcome, "testcase": testcase, "data": data}
    number: int = client.post("/api/v2.0/results", json=said).json()["id"]
    return number


def asked(client: requests.Session, **more: Any) -> requests.Response:
    return client.get(DECISION, params={key: value for key, value in (ASKED | more).items() if value})


@pytest.mark.demand("S-078", "S-092")
def test_the_verdict_comes_with_its_proof(client: requests.Session) -> None:
    item = "zsh-5-1"
    number = put(client, "a.one", item, "FAILED")
    answer = asked(client, item=item)
    said = answer.json()
    assert (answer.status_code, said["verdict"]) == (200, "no-go")
    (subject,) = said["subjects"]
    assert [each["id"] for each in subject["policies"]] == ["basic", "more"]
    failed, choice = subject["requirements"]
    assert (failed["state"], failed["result"]["id"]) == ("failed", number)
    assert failed["rule"] == {"type": "PassingTestCaseRule", "file": "p.yaml", "line": 7}
    assert (choice["state"], choice["needed"], len(choice["parts"])) == ("missing", 1, 2)
    assert [(each["needed"], len(each["of"])) for each in said["openings"]] == [(1, 1), (1, 2)]
    assert said["progress"]["required"] == 2
    assert said["policies_digest"].startswith("sha256:")
    assert said["as_of"]["seq"] > 0


def test_each_verdict_is_200_and_a_word(client: requests.Session) -> None:
    assert asked(client, item="wait-1-1").json()["verdict"] == "wait"
    for testcase in ("a.one", "b.two"):
        put(client, testcase, "go-1-1")
    assert asked(client, item="go-1-1").json()["verdict"] == "go"
    put(client, "a.one", "error-1-1", "ERROR")
    assert asked(client, item="error-1-1").json()["verdict"] == "error"
    none = asked(client, product_version="rhel-9")
    assert (none.status_code, none.json()["verdict"]) == (200, "no-policy")


def test_get_and_post_say_the_same(client: requests.Session) -> None:
    shown, posted = asked(client).json(), client.post(DECISION, json=ASKED).json()
    assert shown.pop("as_of")["seq"] == posted.pop("as_of")["seq"]
    assert shown == posted
    peers = {"subject_type": "koji_build", "subject_identifier": "bash-5-1"}
    same = client.post(DECISION, json={**ASKED, "item": None, **peers}).json()
    assert same["subjects"] == shown["subjects"]


def test_several_items_are_decided_together(client: requests.Session) -> None:
    several = asked(client, item=["a-1-1", "b-1-1", "a-1-1"]).json()
    assert [each["subject_identifier"] for each in several["subjects"]] == ["a-1-1", "b-1-1"]
    posted = client.post(DECISION, json=ASKED | {"item": ["a-1-1", "b-1-1"]}).json()
    assert posted["subjects"] == several["subjects"]


def test_a_tag_names_what_is_decided_however_much_else_comes_in(client: requests.Session) -> None:
    item = "tag-1-1"
    first = asked(client, item=item)
    put(client, "something.else", "other-1-1")
    again = client.get(
        DECISION, params=ASKED | {"item": item}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    put(client, "a.one", item)
    changed = client.get(
        DECISION, params=ASKED | {"item": item}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def later(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Timer(0.1, work)
    thread.start()
    return thread


def test_who_waits_is_answered_once_it_is_decided(client: requests.Session) -> None:
    item = "patience-1-1"
    put(client, "b.one", item)
    posting = later(lambda: put(Client(client.root), "a.one", item))
    answer = asked(client, item=item, wait=15)
    posting.join()
    assert answer.json()["verdict"] == "go"
    posted = client.post(DECISION, json=ASKED | {"item": item}, params={"wait": 15})
    assert posted.json()["verdict"] == "go"


def test_who_waits_with_a_tag_is_answered_once_the_decision_is_another(client: requests.Session) -> None:
    item = "news-1-1"
    put(client, "a.one", item)
    known = {"If-None-Match": asked(client, item=item).headers["ETag"]}
    posting = later(lambda: put(Client(client.root), "b.one", item))
    answer = client.get(DECISION, params=ASKED | {"item": item, "wait": "15"}, headers=known)
    posting.join()
    assert (answer.status_code, answer.json()["verdict"]) == (200, "go")


def test_who_waits_in_vain_hears_what_it_is(client: requests.Session) -> None:
    first = asked(client, item="vain-1-1", wait="0.05")
    assert first.json()["verdict"] == "wait"
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(DECISION, params=ASKED | {"item": "vain-1-1", "wait": "0.05"}, headers=known)
    assert again.status_code == 304


def test_of_the_past_nobody_waits_for_news(client: requests.Session) -> None:
    answer = asked(client, item="past-1-1", when="2020-01-01T00:00:00.000000", wait=60)
    assert answer.json()["verdict"] == "wait"


def test_too_many_that_wait_are_answered_at_once(
    client: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results.serve.awaiting.MOST", 0)
    assert asked(client, item="many-1-1", wait=60).json()["verdict"] == "wait"


def test_who_waits_when_the_server_ends_hears_what_it_is(
    serve: Callable[..., AbstractContextManager[Client]], tmp_path: Path
) -> None:
    answers: list[requests.Response] = []
    decided = threading.Event()

    def clock() -> datetime:
        decided.set()
        return datetime(2026, 3, 1, tzinfo=UTC)

    policies = FixedPolicies(load([("p.yaml", POLICY)], {kind.name: kind for kind in RULE_TYPES}))
    with SqliteStore.open(tmp_path / "results.db") as store:
        app = application(Surroundings(store=store, policies=policies, clock=clock), None)
        with serve(app) as client:
            waiting = threading.Thread(target=lambda: answers.append(asked(client, wait=15)))
            waiting.start()
            assert decided.wait(10)
        waiting.join()
    assert [(answer.status_code, answer.json()["verdict"]) for answer in answers] == [(200, "wait")]


def test_an_unknown_context_is_404_and_names_those_that_there_are(client: requests.Session) -> None:
    answer = asked(client, decision_context="pusch")
    assert answer.status_code == 404
    assert answer.json()["message"] == "no policy is for pusch; did you mean push; contexts are push, stable"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"item": ""}, "item names what is decided about"),
        ({"product_version": ""}, "product_version is missing; ask e.g. for ?item="),
        ({"decision_context": ""}, "decision_context is missing; ask e.g. for ?item="),
        ({"colour": "red"}, "'colour' is no parameter; known are item, type, product_version"),
        ({"type": ["a", "b"]}, "type is given 2 times: leave one"),
        ({"wait": "61"}, "wait is a number of seconds, 0 to 60"),
        ({"wait": "nan"}, "wait is a number of seconds, 0 to 60"),
        ({"wait": ["1", "2"]}, "wait is a number of seconds, 0 to 60"),
        ({"when": "now"}, 'Invalid "when" parameter'),
        ({"purpose": "x"}, "purpose 'x' is not KIND:VALUE"),
        ({"purpose": "advisry:RHSA-2026:0001"}, "is of no known kind; known are advisory, context"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_address_is_told_what_to_do(client: requests.Session, more: Any, said: str) -> None:
    answer = asked(client, **more)
    assert answer.status_code == 400
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"[]", b"1", b"null", b"{", b"{}", b'{"item": 5}', b'{"item": [""]}'),
        b'{"item": "a-1-1", "type": "", "product_version": "fedora-40", "decision_context": "push"}',
        b'{"item": "a-1-1", "product_version": "fedora-40", "rules": ['
        b'{"type": "PassingTestCaseRule", "test_case_name": "a", "scenario": "\\u0000"}]}',
    ],
    ids=repr,
)
def test_a_wrong_body_is_refused(client: requests.Session, body: bytes) -> None:
    answer = client.post(DECISION, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 415)
    assert answer.json()["message"]


@pytest.mark.demand("S-100", "S-098")
def test_policies_are_shown_in_one_form_with_their_places(client: requests.Session) -> None:
    said = client.get(POLICIES).json()
    assert [(each["id"], each["file"], each["line"]) for each in said["policies"]] == [
        ("basic", "p.yaml", 1), ("more", "p.yaml", 10)
    ]  # fmt: skip
    assert said["policies"][0]["decision_contexts"] == ["push"]
    assert said["policies"][0]["rules"][1] == {
        "rule": "AtLeastRule", "at_least": 1, "testcases": ["b.one", "b.two"], "scenario": None,
        "file": "p.yaml", "line": 8,
    }  # fmt: skip
    assert (said["rules"], said["problem"]) == (None, None)


@pytest.mark.demand("S-099", "S-100")
def test_the_rules_in_force_are_told_in_order_with_what_is_passed_over(client: requests.Session) -> None:
    def rules(**asked: str) -> list[tuple[Any, ...]]:
        found = client.get(POLICIES, params={"product_version": "fedora-40", **asked}).json()["rules"]
        return [(each["line"], each["rule"], each["passed_over"]) for each in found]

    assert rules(decision_context="push") == [
        (7, "PassingTestCaseRule", ""), (8, "AtLeastRule", ""),
        (15, "PassingTestCaseRule", "the same rule stands at p.yaml:7"),
    ]  # fmt: skip
    assert rules(package="glibc")[0] == (1, None, "package glibc is in its excluded_packages")
    assert rules(type="compose") == []
    assert client.get(POLICIES, params={"product_version": "rhel-9"}).json()["policies"] == []


@pytest.mark.parametrize("query", ["colour=red", "type=a&type=b"])
def test_a_filter_that_is_none_is_refused(client: requests.Session, query: str) -> None:
    assert client.get(f"{POLICIES}?{query}").status_code == 400
