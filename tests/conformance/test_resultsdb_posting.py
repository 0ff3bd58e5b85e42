"""ResultsDB's API 2.0: posting results."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .places import Api, name

ONE_OF = "Value error, must be one of: PASSED, INFO, FAILED, NEEDS_INSPECTION, ERROR, QUEUED, RUNNING, BORKED"
EXPECTED = "Expected timestamp in milliseconds or datetime (in format YYYY-MM-DDTHH:MM:SS.ffffff)"
NO_TIME = f"Value error, {EXPECTED}, got {{}}"


def refused(api: Api, **fields: Any) -> list[tuple[list[Any], str, str]]:
    body = json.dumps({"outcome": "PASSED", "testcase": "ns.a"} | fields)
    answer = api.post("/results", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["validation_error"]
    return [(one["loc"], one["type"], one["msg"]) for one in answer.json()["validation_error"]]


def read(api: Api, result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/results/{result['id']}").json()
    return found


@pytest.mark.demand("S-006", "S-110")
def test_a_result_is_answered_whole_with_201_and_reads_the_same(api: Api) -> None:
    mark = name("ns")
    body = {"testcase": mark, "outcome": "PASSED", "data": {"item": "bash-5.2-1.fc40.x86_64"}}
    answer = api.post("/results", json=body)
    assert answer.status_code == 201
    found = answer.json()
    assert read(api, found) == found
    received = datetime.fromisoformat(found.pop("submit_time")).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - received) < timedelta(minutes=1)
    number = found.pop("id")
    assert found == {
        "groups": [], "outcome": "PASSED", "note": None, "ref_url": None,
        "testcase": {"name": mark, "ref_url": None, "href": f"{api.base}/testcases/{mark}"},
        "data": {"item": ["bash-5.2-1.fc40.x86_64"]}, "href": f"{api.base}/results/{number}",
    }  # fmt: skip


def test_ids_grow_from_1(fresh: Api) -> None:
    assert [fresh.result()["id"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.demand("S-042", "S-006")
@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, ["outcome", "testcase"]),
        ({"outcome": "PASSED"}, ["testcase"]),
        ({"testcase": "ns.a", "data": {"item": "a"}}, ["outcome"]),
    ],
    ids=repr,
)
def test_what_is_missing_is_named_with_the_whole_object(
    api: Api, body: dict[str, Any], missing: list[str]
) -> None:
    answer = api.post("/results", json=body)
    assert answer.status_code == 400
    problems = answer.json()["validation_error"]
    assert [(one["loc"], one["type"], one["msg"]) for one in problems] == [
        ([field], "missing", "Field required") for field in missing
    ]
    assert all(one["input"] == body for one in problems)


@pytest.mark.demand("S-042")
@pytest.mark.parametrize("testcase", ["", {}, {"name": ""}, None, {"name": None}], ids=repr)
def test_a_result_has_a_testcase(api: Api, testcase: Any) -> None:
    message = "Value error, testcase name must be non-empty"
    assert refused(api, testcase=testcase) == [(["testcase"], "value_error", message)]


def test_every_bad_field_is_told_at_once_in_the_order_of_the_fields(api: Api) -> None:
    assert refused(
        api, submit_time="now", data=[], note=1, groups="g", testcase=5, outcome="odd", ref_url=True
    ) == [
        (["outcome"], "value_error", ONE_OF),
        (["testcase"], "dict_type", "Input should be a valid dictionary"),
        (["groups"], "list_type", "Input should be a valid list"),
        (["note"], "string_type", "Input should be a valid string"),
        (["data"], "dict_type", "Input should be a valid dictionary"),
        (["ref_url"], "string_type", "Input should be a valid string"),
        (["submit_time"], "value_error", NO_TIME.format("'now'")),
    ]


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ("PASSED", "PASSED"),
        (" needs_inspection ", "NEEDS_INSPECTION"),
        ("Queued", "QUEUED"),
        ("borked", "BORKED"),
    ],
)
def test_an_outcome_is_any_known_word_in_any_case(api: Api, given: str, outcome: str) -> None:
    assert read(api, api.result(outcome=given))["outcome"] == outcome


def test_an_outcome_of_blanks_is_too_short(api: Api) -> None:
    problem = (["outcome"], "string_too_short", "String should have at least 1 character")
    assert refused(api, outcome=" ") == [problem]


def test_a_bare_name_leaves_where_the_testcase_is_described_and_an_object_replaces_it(api: Api) -> None:
    mark = name("ns")
    for given, stored in (
        ({"name": mark, "ref_url": "https://1"}, "https://1"),
        (mark, "https://1"),
        ({"name": mark}, "https://1"),
        ({"name": mark, "ref_url": "https://2"}, "https://2"),
        ({"name": mark, "ref_url": None}, None),
    ):
        assert api.result(testcase=given)["testcase"]["ref_url"] == stored


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"b": "2", "a": ["y", "y", "x"]}, {"b": ["2"], "a": ["y", "y", "x"]}),
        ({"n": 1, "f": 1.5, "t": True, "z": None}, {"n": ["1"], "f": ["1.5"], "t": ["True"], "z": ["None"]}),
        ({"o": {"a": 1}, "l": [["y"], 2]}, {"o": ["{'a': 1}"], "l": ["['y']", "2"]}),
        ({"empty": [], "blank": "", "": "no key"}, {"blank": [""], "": ["no key"]}),
        ({"big": 12345678901234567890123}, {"big": ["12345678901234567890123"]}),
        ({"param x": "1", "a/b": "2", "productmd.compose.id": "F"}, None),
        ({"ž": "😀", "quote": "\"'\\", "line": "a\nb\t\u0001"}, None),
        ({"long": "x" * 100_000}, None),
        ({}, {}),
        (None, {}),
    ],
    ids=lambda value: f"{value!r:.60}",
)
def test_data_is_lists_of_texts_in_the_clients_order(api: Api, given: Any, stored: Any) -> None:
    found = read(api, api.result(data=given))["data"]
    wanted = stored if stored is not None else {key: [value] for key, value in given.items()}
    assert list(found.items()) == list(wanted.items())


def test_a_key_with_a_colon_is_refused_and_nothing_is_stored(api: Api) -> None:
    mark, group = name("ns"), name("g")
    body = {"outcome": "PASSED", "testcase": mark, "groups": [group], "data": {"a:b": "1", "c": "2", ":": 3}}
    answer = api.post("/results", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"message": "Colon not allowed in key name: ['a:b', ':']"}
    assert api.get(f"/testcases/{mark}").status_code == 404
    assert api.get(f"/groups/{group}").status_code == 404


@pytest.mark.parametrize(
    ("given", "served"),
    [
        ("2020-03-01T12:00:00.5", "2020-03-01T12:00:00.500000"),
        ("2020-03-01T12:00:00.000000Z", "2020-03-01T12:00:00"),
        ("2020-03-01T12:00:00.1+02:00", "2020-03-01T10:00:00.100000"),
        ("2020-03-01T12:00:00.1+0200", "2020-03-01T10:00:00.100000"),
        ("2020-03-01T12:00:00.1+00", "2020-03-01T12:00:00.100000"),
        (1583064000123, "2020-03-01T12:00:00.123000"),
        ("1583064000000", "2020-03-01T12:00:00"),
        (True, "1970-01-01T00:00:00.001000"),
        (0, "1970-01-01T00:00:00"),
        ("1950-01-01T00:00:00.0", "1950-01-01T00:00:00"),
        ("2199-12-31T23:59:59.999999", "2199-12-31T23:59:59.999999"),
    ],
    ids=repr,
)
def test_a_claimed_time_is_served_as_it_is(api: Api, given: Any, served: str) -> None:
    assert read(api, api.result(submit_time=given))["submit_time"] == served


@pytest.mark.parametrize(
    "given", ["now", "", "2020-03-01T12:00:00", "2020-03-01", 1.5, [1], {"a": "b"}, 10**30], ids=repr
)
def test_any_other_time_is_refused_with_its_value(api: Api, given: Any) -> None:
    assert refused(api, submit_time=given) == [(["submit_time"], "value_error", NO_TIME.format(repr(given)))]


@pytest.mark.parametrize("field", ["note", "ref_url", "data", "groups", "submit_time"])
def test_null_is_as_if_it_were_not_there(api: Api, field: str) -> None:
    api.result(**{field: None})


def test_unknown_fields_are_ignored(api: Api) -> None:
    api.result(_auth_token=None, id=5, href="x", extra={"a": [1]})


@pytest.mark.parametrize(
    ("groups", "loc"), [([1], [0]), (["a", None], [1]), ([["a"]], [0])], ids=lambda value: repr(value)
)
def test_a_group_that_is_neither_text_nor_object_is_refused(api: Api, groups: Any, loc: list[int]) -> None:
    ((where, kind_of_error, _message),) = refused(api, groups=groups)
    assert (where, kind_of_error) == (["groups", *loc], "dict_type")


@pytest.mark.parametrize("field", ["note", "ref_url", "testcase"])
@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["NUL", "lone surrogate"])
def test_text_that_no_store_can_hold_is_refused(api: Api, field: str, text: str) -> None:
    ((where, kind_of_error, _message),) = refused(api, **{field: text})
    assert (where, kind_of_error) == ([field], "value_error")
    assert refused(api, data={"k": [text]})[0][0] == ["data", "k"]


def test_a_refused_value_is_told_back_whatever_it_is(api: Api) -> None:
    for value in (10**30, [[1.5, None]], "\ud800", float("nan")):
        assert refused(api, note=value)


def test_a_result_needs_neither_item_nor_namespace_as_with_the_peer(api: Api) -> None:
    found = api.result(testcase="rpmlint", data={})
    assert found["testcase"]["name"] == "rpmlint"
    assert found["data"] == {}
