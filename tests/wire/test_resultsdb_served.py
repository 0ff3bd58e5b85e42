"""What a ResultsDB serves is read, or refused with what is wrong."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from typing import Any

import pytest

from ci_results.errors import InvalidError
from ci_results.wire import resultsdb_served
from ci_results.wire.resultsdb_served import ServedResults, served_group, served_testcase, served_time

RESULT = {
    "id": 17,
    "groups": ["g2", "g1"],
    "testcase": {"name": "rpmlint", "ref_url": None, "href": "http://r/testcases/rpmlint"},
    "submit_time": "2022-08-24T06:54:57",
    "outcome": "PASSED",
    "note": None,
    "ref_url": "https://ci.example/17",
    "data": {"item": ["bash-5.2-1.fc40"], "many": ["a", "a", "b"]},
    "href": "http://r/results/17",
}


def test_a_result_is_read_as_it_was_posted() -> None:
    number, said = ServedResults().read(RESULT)
    assert (number, said.testcase, said.outcome, said.groups) == ("17", "rpmlint", "PASSED", ("g2", "g1"))
    assert said.submit_time == datetime(2022, 8, 24, 6, 54, 57, tzinfo=UTC)
    assert said.data == {"item": ("bash-5.2-1.fc40",), "many": ("a", "a", "b")}
    assert (said.note, said.ref_url) == (None, "https://ci.example/17")


def test_a_word_that_the_configuration_adds_is_read() -> None:
    assert ServedResults(["CRASHED"]).read({**RESULT, "outcome": "CRASHED"})[1].outcome == "CRASHED"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": None}, "a result has no id: None"),
        ({"id": True}, "a result has no id: True"),
        ({"outcome": "CRASHED"}, "outcome word 'CRASHED' is not known; add it to `outcomes`"),
        ({"outcome": None}, "outcome: Input should be a valid string"),
        ({"submit_time": None}, "submit_time is no time: None"),
        ({"submit_time": "yesterday"}, "submit_time is no time: 'yesterday'"),
        ({"testcase": {"ref_url": None}}, "testcase: Value error, testcase name must be non-empty"),
        ({"note": "a\0b"}, "note: Value error, must not contain NUL"),
        ({"data": {"a:b": ["c"]}}, "Colon not allowed in key name: ['a:b']"),
        ({"data": {"a": ["\ud800"]}}, "data.a: Value error, must not contain lone surrogates"),
        ({"groups": [{}]}, "group 0 has no uuid"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_reason(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError) as caught:
        ServedResults().read({**RESULT, **changed})
    assert str(caught.value) == said


@pytest.mark.parametrize("element", [None, [], "x", 7])
def test_no_object_is_refused(element: Any) -> None:
    for read in (ServedResults().read, served_testcase, served_group):
        with pytest.raises(InvalidError, match="no object"):
            read(element)


def test_testcases_and_groups_are_read() -> None:
    assert served_testcase({"name": "a/b", "ref_url": "https://x", "href": ""}) == ("a/b", "https://x")
    assert served_group({"uuid": "g", "description": "nightly", "results_count": 3}) == (
        "g", {"description": "nightly", "ref_url": None},
    )  # fmt: skip
    with pytest.raises(InvalidError, match="name: Field required"):
        served_testcase({"ref_url": None})
    with pytest.raises(InvalidError, match="uuid: Input should be a valid string"):
        served_group({"uuid": 7})


def test_times_have_any_zone() -> None:
    assert served_time("2022-08-24T08:54:57.5+02:00") == datetime(2022, 8, 24, 6, 54, 57, 500_000, UTC)


def test_the_examples_hold() -> None:
    assert doctest.testmod(resultsdb_served).failed == 0
