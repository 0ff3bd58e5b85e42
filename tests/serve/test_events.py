"""POST /api/ci/v1/events: results are expected since then, each event once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.expectation import EventRule, EventRules
from ci_results.domain.permission import Permission
from ci_results.domain.subject import Subject
from ci_results.operations.policies import FixedPolicies
from ci_results.serve.app import application
from ci_results.serve.auth.access import Access
from ci_results.serve.surroundings import Surroundings
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.wire.events import EXAMPLE, MOST

PATH = "/api/ci/v1/events"
NOW = datetime(2026, 3, 1, 13, tzinfo=UTC)
BASH = Subject("koji_build", "bash-5.2-1.fc40")
POLICY = b"""
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
- !PassingTestCaseRule {test_case_name: dist.abi}
"""
POLICIES = load([("p.yaml", POLICY)], {kind.name: kind for kind in RULE_TYPES})
RULES = EventRules(
    rules=(EventRule(kind="compose.*", testcases=("compose.boot",), owner="releng", due_after_h=6),)
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:{tmp_path / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("events")
    opened = open_store(url)
    yield opened
    opened.close()


def client(store: Store, **more: Any) -> TestClient:
    policies = FixedPolicies(POLICIES)
    around = Surroundings(
        store=store, events=RULES, policies=policies, inline=False, clock=lambda: NOW, **more
    )
    return TestClient(application(around, None), base_url="http://127.0.0.1")


@pytest.mark.demand("S-052", "S-053")
def test_a_build_that_is_done_lets_results_be_expected(store: Store) -> None:
    answer = client(store).post(PATH, json=EXAMPLE)
    assert answer.status_code == 201
    due = {"since": "2026-03-01T12:00:00.000000Z", "due": "2026-03-02T12:00:00.000000Z", "owner": "jdoe"}
    (event,) = answer.json()["events"]
    assert event.pop("seq") == 1
    assert event == {
        "id": "build-2519", "source": "koji", "subject_type": "koji_build",
        "subject_identifier": "bash-5.2-1.fc40", "new": True,
        "expected": [{"testcase": "dist.abi", **due}, {"testcase": "dist.rpmlint", **due}],
    }  # fmt: skip
    assert {testcase for _, testcase in store.expectations.of([BASH])} == {"dist.abi", "dist.rpmlint"}


@pytest.mark.demand("S-057")
def test_an_event_that_is_sent_again_changes_nothing(store: Store) -> None:
    with client(store) as here:
        first = here.post(PATH, json=EXAMPLE).json()["events"][0]
        dump = list(store.dump())
        again = here.post(PATH, json=[EXAMPLE, EXAMPLE])
        assert again.status_code == 200
        assert again.json()["events"] == [{**first, "new": False}] * 2
        assert list(store.dump()) == dump
        other = here.post(PATH, json={**EXAMPLE, "owner": "rm"})
        assert other.status_code == 422
        assert "id of its own" in other.json()["message"]


def test_the_envelope_of_cloudevents_says_the_same(store: Store) -> None:
    naming = {name: EXAMPLE[name] for name in ("id", "source", "type", "time")}
    data = {name: value for name, value in EXAMPLE.items() if name not in naming}
    cloud = {"specversion": "1.0", "datacontenttype": "application/json", **naming, "data": data}
    with client(store) as here:
        for kind, body in (("cloudevents", cloud), ("cloudevents-batch", [cloud, EXAMPLE])):
            headers = {"content-type": f"application/{kind}+json; charset=utf-8"}
            answer = here.post(PATH, json=body, headers=headers)
            assert answer.status_code in (200, 201), answer.text
    assert len(answer.json()["events"]) == 2
    assert not any(each["new"] for each in answer.json()["events"])


@pytest.mark.demand("S-054")
def test_a_further_kind_needs_the_configuration_only(store: Store) -> None:
    happened = {
        "id": "1", "source": "pungi", "type": "compose.finished", "time": "2026-03-01T10:00:00+02:00",
        "subject_type": "compose", "subject_identifier": "Fedora-44-20260301.0",
    }  # fmt: skip
    answer = client(store).post(PATH, json=happened)
    assert answer.json()["events"][0]["expected"] == [
        {
            "testcase": "compose.boot", "since": "2026-03-01T08:00:00.000000Z",
            "due": "2026-03-01T14:00:00.000000Z", "owner": "releng",
        }
    ]  # fmt: skip


def test_an_event_without_a_time_happened_now_and_its_subject_has_the_name_of_its_type(store: Store) -> None:
    happened = {key: value for key, value in EXAMPLE.items() if key != "time"} | {
        "subject_type": "brew-build"
    }
    with client(store) as here:
        event = here.post(PATH, json=happened).json()["events"][0]
        assert event["subject_type"] == "koji_build"
        assert event["expected"][0]["since"] == "2026-03-01T13:00:00.000000Z"
        assert here.post(PATH, json=happened).status_code == 200


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"id": None}, ["id"]),
        ({"id": ""}, ["id"]),
        ({"id": 5}, ["id"]),
        ({"source": "a\0"}, ["source"]),
        ({"subject_identifier": "\ud800"}, ["subject_identifier"]),
        ({"subject_identifier": "x" * 1025}, ["subject_identifier"]),
        ({"time": "yesterday"}, ["time"]),
        ({"time": "2026-03-01T12:00:00"}, ["time"]),
        ({"time": "2026-02-31T12:00:00Z"}, ["time"]),
        ({"time": "0001-01-01T00:00:00+23:59"}, ["time"]),
        ({"time": "9999-12-31T23:59:59-23:59"}, ["time"]),
        ({"time": 1772366400}, ["time"]),
        ({"testcases": "dist.abi"}, ["testcases"]),
        ({"testcases": ["dist.abi", 5]}, ["testcases", 1]),
        ({"testcases": ["nodot"]}, []),
        ({"owner": "a\nb"}, []),
        ({"subject_type": " "}, []),
        ({"due": "2026-01-01T00:00:00Z"}, []),
        ({"specversion": "1.0"}, ["data"]),
        ({"specversion": "2.0", "data": {}}, ["specversion"]),
        ({"specversion": "1.0", "data": {"subject_type": "x"}}, ["data", "subject_identifier"]),
    ],
)
def test_what_is_wrong_is_told_by_its_place_and_nothing_is_stored(
    store: Store, change: dict[str, Any], loc: list[Any]
) -> None:

    headers = {"content-type": "application/json"}
    with client(store) as here:
        for body, at in (({**EXAMPLE, **change}, loc), ([EXAMPLE, {**EXAMPLE, **change}], [1, *loc])):
            answer = here.post(PATH, content=json.dumps(body), headers=headers)
            assert answer.status_code == 400, answer.text
            assert [each["loc"] for each in answer.json()["validation_error"]] == [at]
    assert list(store.dump()) == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"5", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 5_000, "application/json", 400),
        (b"[{}," + b"{}," * MOST + b"{}]", "application/json", 400),
        (b"id=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
    ],
)
def test_hostile_bodies_are_told_what_to_do(store: Store, body: bytes, kind: str, status: int) -> None:
    answer = client(store).post(PATH, content=body, headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    assert "validation_error" in answer.json() or answer.json()["message"]


@pytest.mark.demand("S-127")
def test_who_names_testcases_needs_a_permission_and_who_may_not_submit_may_not_tell(store: Store) -> None:
    permissions = (Permission(testcases=("baseos.*",), users=frozenset({"bot"})),)
    here = client(store, access=Access(permissions=permissions))
    assert here.post(PATH, json=EXAMPLE).status_code == 201
    assert here.post(PATH, json={**EXAMPLE, "id": "2", "testcases": ["dist.abi"]}).status_code == 401
    closed = client(store, access=Access(anonymous=False))
    assert closed.post(PATH, json={**EXAMPLE, "id": "3"}).status_code == 401
    assert len(store.expectations.of([BASH])) == 2
