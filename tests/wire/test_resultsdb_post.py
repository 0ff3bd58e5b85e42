"""What clients post to ResultsDB: read as the peer reads it, refused in its words."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from ci_results.domain.submission import Submission
from ci_results.wire import resultsdb_schemas
from ci_results.wire.resultsdb_post import (
    ColonInKeyError,
    group,
    result_table,
    submission,
    submit_time,
    testcase,
)
from ci_results.wire.validation import RefusedBody, Wrong

TABLE = result_table(("PASSED", "INFO", "FAILED"))
ONE_OF = "Value error, must be one of: PASSED, INFO, FAILED"
NO_NAME = "Value error, testcase name must be non-empty"


def read(**fields: Any) -> Submission:
    return submission({"outcome": "PASSED", "testcase": "ns.a", **fields}, TABLE, lambda n: f"new{n}")


def told(**fields: Any) -> list[tuple[tuple[str | int, ...], str, str]]:
    with pytest.raises(RefusedBody) as refused:
        read(**fields)
    return [(tuple(one["loc"]), one["type"], one["msg"]) for one in refused.value.problems]


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- times -----------------------------------------------------------------------------------------

NOON = "2026-03-01T12:00:00"


@pytest.mark.parametrize(
    ("given", "time"),
    [
        ("2026-03-01T12:00:00.0", NOON),
        ("2026-03-01T12:00:00.5", "2026-03-01T12:00:00.500000"),
        ("2026-03-01T12:00:00.123456", "2026-03-01T12:00:00.123456"),
        ("2026-03-01T12:00:00.000001Z", "2026-03-01T12:00:00.000001"),
        ("2026-03-01T12:00:00.0+02:00", "2026-03-01T10:00:00"),
        ("2026-03-01T12:00:00.0-0530", "2026-03-01T17:30:00"),
        ("2026-03-01T12:00:00.0+00", NOON),
        ("2026-03-01T12:00:00.0-03", "2026-03-01T15:00:00"),
        (1772366400000, NOON),
        (1772366400000.0, NOON),
        ("1772366400000", NOON),
        (" 1772366400001 ", "2026-03-01T12:00:00.001"),
        (0, "1970-01-01T00:00:00"),
        (True, "1970-01-01T00:00:00.001"),
        (False, "1970-01-01T00:00:00"),
        (-1, "1969-12-31T23:59:59.999"),
        ("0001-01-01T00:00:00.0", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
    ],
    ids=repr,
)
def test_a_time_is_milliseconds_or_iso_with_a_fraction(given: Any, time: str) -> None:
    assert submit_time(given) == time_of(time)


@pytest.mark.parametrize(
    "given",
    [
        "now", "", NOON, f"{NOON}Z", "2026-03-01", "2026-03-01 12:00:00.0", f"{NOON}.", f"{NOON}.1234567",
        f"{NOON}.0 Z", f"{NOON}.0z", f"{NOON}.0+1:00", f"{NOON}.0+24:00", f"{NOON}.0+02:00:00",
        "2026-02-30T12:00:00.0",
        "2026-03-01T25:00:00.0", "0001-01-01T00:00:00.0+01:00", "9999-12-31T23:59:59.0-01:00", "1.5", 1.5, [],
        {}, ["2026"], 10**18, -(10**18), 10**30, "9" * 20, float("inf"), float("nan"), "١٢", "1_000",
    ],
    ids=lambda given: f"{given!r:.40}",
)  # fmt: skip
def test_any_other_time_is_refused_with_its_value(given: Any) -> None:
    with pytest.raises(Wrong) as wrong:
        submit_time(given)
    assert wrong.value.kind == "value_error"
    assert wrong.value.message == (
        "Value error, Expected timestamp in milliseconds or datetime (in format YYYY-MM-DDTHH:MM:SS.ffffff),"
        f" got {given!r}"
    )


def test_null_is_now() -> None:
    assert read(submit_time=None).submit_time is None
    assert read().submit_time is None


# -- outcome, testcase, texts ----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["PASSED", "passed", "  Passed\n", "pASSED"])
def test_an_outcome_is_trimmed_and_upper_cased(word: str) -> None:
    assert read(outcome=word).outcome == "PASSED"


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("outcome", "", (("outcome",), "string_too_short", "String should have at least 1 character")),
        ("outcome", "  ", (("outcome",), "string_too_short", "String should have at least 1 character")),
        ("outcome", None, (("outcome",), "string_type", "Input should be a valid string")),
        ("outcome", 1, (("outcome",), "string_type", "Input should be a valid string")),
        ("outcome", "PASS", (("outcome",), "value_error", ONE_OF)),
        ("testcase", "", (("testcase",), "value_error", NO_NAME)),
        ("testcase", None, (("testcase",), "value_error", NO_NAME)),
        ("testcase", {}, (("testcase",), "value_error", NO_NAME)),
        ("testcase", {"name": ""}, (("testcase",), "value_error", NO_NAME)),
        ("testcase", {"name": None}, (("testcase",), "value_error", NO_NAME)),
        ("testcase", {"ref_url": "https://x"}, (("testcase",), "value_error", NO_NAME)),
        ("testcase", 0, (("testcase",), "dict_type", "Input should be a valid dictionary")),
        ("testcase", False, (("testcase",), "dict_type", "Input should be a valid dictionary")),
        ("testcase", [], (("testcase",), "dict_type", "Input should be a valid dictionary")),
        ("testcase", ["a"], (("testcase",), "dict_type", "Input should be a valid dictionary")),
        (
            "testcase",
            {"name": 1},
            (("testcase", "name"), "string_type", "Input should be a valid string"),
        ),
        (
            "testcase",
            {"name": "a", "ref_url": 1},
            (("testcase", "ref_url"), "string_type", "Input should be a valid string"),
        ),
        ("note", 1, (("note",), "string_type", "Input should be a valid string")),
        ("ref_url", ["a"], (("ref_url",), "string_type", "Input should be a valid string")),
        ("ref_url", "a\0", (("ref_url",), "value_error", "Value error, must not contain NUL")),
        ("data", [], (("data",), "dict_type", "Input should be a valid dictionary")),
        ("data", "a=b", (("data",), "dict_type", "Input should be a valid dictionary")),
        ("groups", "a", (("groups",), "list_type", "Input should be a valid list")),
        ("groups", {"uuid": "a"}, (("groups",), "list_type", "Input should be a valid list")),
        ("groups", ["a", 1], (("groups", 1), "dict_type", "Input should be a valid dictionary or string")),
        ("groups", [None], (("groups", 0), "dict_type", "Input should be a valid dictionary or string")),
        ("groups", [{"uuid": 1}], (("groups", 0, "uuid"), "string_type", "Input should be a valid string")),
        ("data", {"k": "\0"}, (("data", "k"), "value_error", "Value error, must not contain NUL")),
        ("data", {"\0": "v"}, (("data", "\0"), "value_error", "Value error, must not contain NUL")),
        (
            "data",
            {"k": ["a", "\ud800"]},
            (("data", "k"), "value_error", "Value error, must not contain lone surrogates"),
        ),
    ],
    ids=lambda value: f"{value!r:.40}" if not isinstance(value, str) else value,
)
def test_a_bad_field_is_refused(field: str, value: Any, problem: Any) -> None:
    assert told(**{field: value}) == [problem]


@pytest.mark.demand("S-042")
def test_missing_fields_are_named() -> None:
    with pytest.raises(RefusedBody) as refused:
        submission({}, TABLE, str)
    assert [(one["loc"], one["type"], one["msg"], one["input"]) for one in refused.value.problems] == [
        (["outcome"], "missing", "Field required", {}),
        (["testcase"], "missing", "Field required", {}),
    ]


@pytest.mark.parametrize("body", [[], "a", 1, None, True, [{}]], ids=repr)
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    for decode in (lambda: submission(body, TABLE, str), lambda: testcase(body), lambda: group(body, str)):
        with pytest.raises(RefusedBody) as refused:
            decode()
        assert [(one["loc"], one["type"]) for one in refused.value.problems] == [([], "dict_type")]


@pytest.mark.parametrize(
    ("given", "name", "ref_urls"),
    [
        ("dist.rpmlint", "dist.rpmlint", {}),
        (" ", " ", {}),
        ({"name": "a"}, "a", {}),
        ({"name": "a", "ref_url": "https://x"}, "a", {"a": "https://x"}),
        ({"name": "a", "ref_url": None}, "a", {"a": None}),
        ({"name": "a", "ref_url": "", "more": 1}, "a", {"a": ""}),
    ],
    ids=repr,
)
def test_a_testcase_is_a_name_or_an_object(given: Any, name: str, ref_urls: dict[str, Any]) -> None:
    found = read(testcase=given)
    assert (found.testcase, found.ref_urls) == (name, ref_urls)


# -- groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "groups", "described"),
    [
        (None, (), {}),
        ([], (), {}),
        (["a", "b", "a"], ("a", "b"), {}),
        (["x" * 64], ("x" * 64,), {}),
        (
            [{"uuid": "a", "description": "d", "ref_url": None}],
            ("a",),
            {"a": {"description": "d", "ref_url": None}},
        ),
        ([{"uuid": "a"}, "a"], ("a",), {}),
        (["k", {"description": "d"}], ("k", "new1"), {"new1": {"description": "d"}}),
        ([{"uuid": None}, {"uuid": ""}], ("new0", "new1"), {}),
        (
            [{"uuid": "a", "description": "1"}, {"uuid": "a", "ref_url": "u"}],
            ("a",),
            {"a": {"description": "1", "ref_url": "u"}},
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_groups_are_uuids_or_objects(given: Any, groups: tuple[str, ...], described: dict[str, Any]) -> None:
    found = read(groups=given)
    assert (found.groups, found.described) == (groups, described)


# -- data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("as it is ", ("as it is ",)),
        ("", ("",)),
        (1, ("1",)),
        (1.5, ("1.5",)),
        (1.0, ("1.0",)),
        (10**30, (str(10**30),)),
        (True, ("True",)),
        (None, ("None",)),
        ({"a": 1}, ("{'a': 1}",)),
        (["y", "y", "x"], ("y", "y", "x")),
        ([["y"]], ("['y']",)),
        ([1, None, False, {"a": [1]}], ("1", "None", "False", "{'a': [1]}")),
        ({"a": "\ud800\0"}, ("{'a': '\\ud800\\x00'}",)),
    ],
    ids=repr,
)
def test_data_becomes_text_as_python_writes_it(given: Any, texts: tuple[str, ...]) -> None:
    assert read(data={"k": given}).data == {"k": texts}


def test_an_empty_list_stores_nothing_and_order_is_kept() -> None:
    found = read(data={"z": "1", "none": [], "a": "2", "": "3"})
    assert list(found.data.items()) == [("z", ("1",)), ("a", ("2",)), ("", ("3",))]


def test_null_data_and_an_empty_object_are_none() -> None:
    assert read(data=None).data == read(data={}).data == {}


def test_keys_with_a_colon_are_refused_together() -> None:
    with pytest.raises(ColonInKeyError) as refused:
        read(data={"bad:key": "x", "good": "y", ":": "z"})
    assert str(refused.value) == "Colon not allowed in key name: ['bad:key', ':']"


# -- testcases and groups of their own ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"name": "a"}, ("a", None)),
        ({"name": "a", "ref_url": None}, ("a", None)),
        ({"name": "a", "ref_url": ""}, ("a", "")),
        ({"name": "a/b c", "ref_url": "u", "_auth_token": None}, ("a/b c", "u")),
    ],
    ids=repr,
)
def test_a_posted_testcase(body: Any, found: tuple[str, str | None]) -> None:
    assert testcase(body) == found


@pytest.mark.parametrize(
    ("body", "loc", "kind"),
    [
        ({}, ["name"], "missing"),
        ({"name": ""}, ["name"], "string_too_short"),
        ({"name": None}, ["name"], "string_type"),
        ({"name": "x" * 1025}, ["name"], "string_too_long"),
        ({"name": "a", "ref_url": 1}, ["ref_url"], "string_type"),
    ],
    ids=lambda value: f"{value!r:.30}",
)
def test_a_bad_testcase_is_refused(body: Any, loc: list[str], kind: str) -> None:
    with pytest.raises(RefusedBody) as refused:
        testcase(body)
    assert [(one["loc"], one["type"]) for one in refused.value.problems] == [(loc, kind)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, ("new0", {})),
        ({"uuid": None}, ("new0", {})),
        ({"uuid": ""}, ("new0", {})),
        ({"uuid": "a" * 64}, ("a" * 64, {})),
        ({"uuid": "a", "description": "", "ref_url": None}, ("a", {})),
        ({"uuid": "a", "description": "d", "ref_url": "u"}, ("a", {"description": "d", "ref_url": "u"})),
    ],
    ids=repr,
)
def test_a_posted_group(body: Any, found: tuple[str, dict[str, str]]) -> None:
    assert group(body, lambda n: f"new{n}") == found


def test_the_schema_takes_each_29_february_that_there_is_and_no_other() -> None:
    pattern = resultsdb_schemas.SUBMIT_TIME["anyOf"][0]["pattern"]
    for year in range(1000, 3000):
        found = re.search(pattern, f"{year}-02-29T12:00:00.0") is not None
        assert found is calendar.isleap(year), year
