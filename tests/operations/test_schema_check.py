from __future__ import annotations

import doctest
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.cli.published import published
from ci_results.errors import InvalidError, NotFoundError
from ci_results.operations import schema_check
from ci_results.operations.schema_check import Fault, check, whole
from ci_results.wire import dataclass_schema

SCHEMAS = published(["BORKED"])
RESULT = {
    "testcase": "dist.rpmlint",
    "outcome": "PASSED",
    "data": {"item": "bash-5.2-1.fc40", "type": "koji_build"},
}


def faults(value: object, name: str | None = None) -> list[tuple[str, str, str]]:
    found = check(json.dumps(value).encode(), SCHEMAS, name).faults
    return [(fault.path, fault.expected, fault.found) for fault in found]


@pytest.mark.demand("S-031")
@pytest.mark.parametrize(
    ("change", "path", "expected", "found"),
    [
        ({"outcome": "GOOD"}, "$.outcome", "one of PASSED, INFO, FAILED", "'GOOD'"),
        ({"outcome": None}, "$.outcome", "one of PASSED", "None"),
        ({"testcase": ""}, "$.testcase", "text (at least 1 characters", "''"),
        ({"testcase": {"ref_url": "x"}}, "$.testcase", "name", "{'ref_url': 'x'}"),
        ({"note": 7}, "$.note", "text", "7"),
        ({"data": {"a:b": "c"}}, "$.data", "a name matching", "'a:b'"),
        ({"submit_time": "yesterday"}, "$.submit_time", "text", "'yesterday'"),
    ],
)
def test_a_wrong_field_is_told_with_its_place_and_what_is_expected(
    change: dict[str, Any], path: str, expected: str, found: str
) -> None:
    ((where, wanted, seen),) = faults({**RESULT, **change})
    assert (where, seen) == (path, found)
    assert expected in wanted


def test_a_missing_field_is_named() -> None:
    value = {"testcase": "a.b", "data": {"item": "x"}, "note": "y"}
    assert faults(value) == [("$", "member outcome", "none among testcase, data, note")]


def test_all_faults_are_told_not_the_first_alone() -> None:
    assert [path for path, *_ in faults({**RESULT, "outcome": "GOOD", "note": 7})] == ["$.note", "$.outcome"]


@pytest.mark.demand("S-031")
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (RESULT, "NewResult"),
        ([RESULT, RESULT], "NewResults"),
        ({"uuid": "nightly", "description": "x"}, "NewGroup"),
        ({"message": "Not found"}, "Message"),
        ({"build": "a-1-1"}, None),
        ({"item": "a-1-1", "testcase": "a.b", "outcome": "GOOD", "advisory": "RHBA-2019:1"}, "EtVerdict"),
        ({"id": 1, "sink": "far", "testcase": "a.b", "reason": None}, None),
        ([{"id": 1, "sink": "far", "testcase": "a.b", "reason": None}], "cli/sink-retry"),
        ({**RESULT, "outcome": "GOOD"}, "NewResult"),
        (7, None),
    ],
    ids=lambda each: str(each)[:30],
)
def test_the_schema_is_recognised_by_content(value: object, name: str | None) -> None:
    raw = json.dumps(value).encode()
    if name is None:
        with pytest.raises(InvalidError, match="--schema NAME"):
            check(raw, SCHEMAS)
    else:
        assert check(raw, SCHEMAS).schema == name


def test_lines_are_told_by_their_numbers() -> None:
    bad = {**RESULT, "outcome": "GOOD"}
    raw = "\n".join(json.dumps(each) for each in (RESULT, RESULT, bad)).replace("\n", "\n\n").encode()
    found = check(raw, SCHEMAS)
    assert (found.schema, found.values) == ("NewResult", 3)
    (fault,) = found.faults
    assert isinstance(fault, Fault)
    assert (fault.line, fault.path) == (5, "$.outcome")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is no JSON|is empty"),
        (b"hello", "is no JSON"),
        (b'{"a": 1}\n{"a"', "line 2 is no JSON"),
        (b"[" * 100_000, "nested too deep|no JSON"),
        (b"\xff\xfe", "no JSON"),
    ],
)
def test_what_is_no_json_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        check(raw, SCHEMAS)


def test_an_unknown_schema_is_refused() -> None:
    with pytest.raises(NotFoundError, match="ci-results schema list"):
        check(b"{}", SCHEMAS, "Nonsense")


@pytest.mark.demand("S-031")
@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_a_schema_complete_in_itself(name: str) -> None:
    from jsonschema import Draft202012Validator

    found = whole(name, SCHEMAS)
    Draft202012Validator.check_schema(found)
    assert "#/components/" not in json.dumps(found)
    assert found["$schema"] == schema_check.DRAFT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(value=json_values, name=st.sampled_from(sorted(SCHEMAS)))
def test_any_json_is_judged(value: object, name: str) -> None:
    for fault in check(json.dumps(value).encode(), SCHEMAS, name).faults:
        assert fault.path.startswith("$")
        assert fault.expected


def test_words_of_the_configuration_are_taken() -> None:
    assert faults({**RESULT, "outcome": "BORKED"}) == []


def test_the_examples_are_true() -> None:
    assert doctest.testmod(schema_check).failed == 0
    assert doctest.testmod(dataclass_schema).failed == 0
