"""What ResultsDB is told of a result, and how its refusals read."""

from __future__ import annotations

import doctest
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ci_results.domain.group import Group
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.wire import resultsdb_client
from ci_results.wire.resultsdb_client import idempotency_key, refusal_in, to_body

RESULT = Result(
    source="ci", key="k1", testcase="ns.case", outcome="FAILED", item="bash-5.2-1.fc40",
    item_type="koji_build", submit_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    note="ž", ref_url="https://ci.example/1/k1", scenario="uefi", arch="x86_64", data={"tier": ("1", "2")},
    run=Run(key="job#1", ref_url="https://ci.example/1", data={"job": "job", "many": ("a", "b")}),
    groups=("g2", "g1"),
)  # fmt: skip
BODY = {
    "outcome": "FAILED",
    "testcase": "ns.case",
    "groups": ["g2", "g1"],
    "note": "ž",
    "ref_url": "https://ci.example/1/k1",
    "data": {
        "job": ["job"], "many": ["a", "b"], "tier": ["1", "2"], "item": ["bash-5.2-1.fc40"],
        "type": ["koji_build"], "scenario": ["uefi"], "arch": ["x86_64"],
    },
    "submit_time": "2026-01-02T03:04:05.000000",
}  # fmt: skip
PRAGUE = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"ref_url": None}, {"ref_url": "https://ci.example/1"}),
        ({"ref_url": None, "run": None, "verbatim": True, "data": {"b": ("2",), "a": ("1", "1"), "no": ()}},
         {"ref_url": None, "data": {"b": ["2"], "a": ["1", "1"]}}),
        ({"submit_time": datetime(2026, 7, 1, 2, 0, 0, 7, tzinfo=PRAGUE)},
         {"submit_time": "2026-07-01T00:00:00.000007"}),
        ({"groups": ()}, {"groups": []}),
    ],
    ids=["whole", "the run's address", "verbatim", "another zone", "no group"],
)  # fmt: skip
def test_a_result_becomes_the_body_that_creates_it(changed: dict[str, Any], expected: dict[str, Any]) -> None:
    assert to_body(replace(RESULT, **changed)) == {**BODY, **expected}


def test_a_result_without_a_time_is_of_the_time_of_receipt() -> None:
    assert "submit_time" not in to_body(replace(RESULT, submit_time=None))


def test_what_is_described_goes_as_an_object_the_rest_as_a_name() -> None:
    groups = {"g1": Group(uuid="g1", description="nightly", results=7)}
    body = to_body(RESULT, {"ns.case": "https://docs.example/case", "other": "https://x"}, groups)
    assert body["testcase"] == {"name": "ns.case", "ref_url": "https://docs.example/case"}
    assert body["groups"] == ["g2", {"uuid": "g1", "description": "nightly"}]


def test_the_same_result_has_the_same_key_and_no_other_has() -> None:
    key = idempotency_key(RESULT)
    assert len(key) == 40
    assert idempotency_key(replace(RESULT, data=dict(RESULT.data))) == key
    others = {
        idempotency_key(replace(RESULT, **change))
        for change in ({"key": "k2"}, {"source": "ci2"}, {"run": None}, {"note": "z"}, {"groups": ()})
    }
    assert len({key, *others}) == 6


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"message": "Colon not allowed in key name: ['a:b']"}, "Colon not allowed in key name: ['a:b']"),
        ({"validation_error": [{"loc": ["data", 1], "msg": "no"}, {"loc": [], "msg": "never"}, "odd"]},
         "data.1: no; : never"),
        ({"validation_error": "odd"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_refusal_is_read(answer: dict[str, Any], said: str) -> None:
    assert refusal_in(answer) == said


def test_the_examples_hold() -> None:
    assert doctest.testmod(resultsdb_client).failed == 0
