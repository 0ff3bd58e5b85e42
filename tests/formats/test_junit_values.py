"""Durations and times in every spelling that writers of JUnit XML use."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta

import pytest

from ci_results.formats import junit_values
from ci_results.formats.junit_values import moment, seconds

from .reading_junit import ENDED, cases, read, whole

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
CASE = '<testcase classname="c" name="n" time="1"/>'


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(junit_values).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5", 1.5),
        (" 2 ", 2.0),
        ("1,234.56", 1234.56),
        ("1,234,567.8", 1234567.8),
        ("1.234,5", 1234.5),
        ("0,5", 0.5),
        ("1e-05", 1e-05),
        ("0.5s", 0.5),
        ("12 ms", 0.012),
        ("00:01:02.5", 62.5),
        ("01:02", 62.0),
        ("-0.001", 0.0),
        ("", None),
        (None, None),
        ("NaN", None),
        ("Infinity", None),
        ("-inf", None),
        ("1700000000000", None),
        ("<<computed>>", None),
        ("1.2.3", None),
        ("9" * 5000, None),
    ],
)
def test_a_duration_is_read_or_left_out(text: str | None, expected: float | None) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected", "assumed"),
    [
        ("2026-11-22T10:00:00Z", TEN, False),
        ("2026-11-22T11:00:00+01:00", TEN, False),
        ("2026-11-22T11:00:00.000000000+0100", TEN, False),
        ("2026-11-22T10:00:00", TEN, True),
        ("2026-11-22 10:00:00", TEN, True),
        ("2026-11-22T10:00:00.5", TEN + timedelta(seconds=0.5), True),
        ("2026-11-22 11:00:00 +0100", TEN, False),
        ("2026-11-22 10:00:00 UTC", TEN, False),
        ("Sun, 22 Nov 2026 10:00:00 GMT", TEN, False),
        ("Sun, 22 Nov 2026 11:00:00 +0100", TEN, False),
        ("Sun Nov 22 11:00:00 CET 2026", TEN, False),
        ("Sun Nov 22 10:00:00 2026", TEN, True),
        ("1795341600", TEN, False),
        ("1795341600000", TEN, False),
        ("1970-01-01T00:00:00.000", None, False),
        ("yesterday", None, False),
        ("", None, False),
        (None, None, False),
        ("2026-13-45T99:00:00", None, False),
        ("Sun, 99 Nov 2026 10:00:00 GMT", None, False),
        ("99999999999999999", None, False),
    ],
)
def test_a_time_stamp_is_read_or_left_out(text: str | None, expected: datetime | None, assumed: bool) -> None:
    assert moment(text) == (expected, assumed)


def test_all_of_a_file_share_the_end_of_its_run() -> None:
    seen = read(
        '<testsuites><testsuite name="a" timestamp="2026-11-22T10:00:00Z" time="90">'
        f'{CASE}</testsuite><testsuite name="b" timestamp="2026-11-22T11:00:00Z" time="5">{CASE}</testsuite>'
        "</testsuites>"
    )
    assert {each.time for each in cases(seen)} == {TEN + timedelta(seconds=90)}
    assert whole(seen).time == TEN + timedelta(seconds=90)
    assert whole(seen).duration_s == 95


def test_the_callers_time_wins_over_the_files() -> None:
    seen = read(f'<testsuite timestamp="2026-11-22T10:00:00Z">{CASE}</testsuite>', time=ENDED)
    assert {each.time for each in (*cases(seen), whole(seen))} == {ENDED}


def test_a_time_without_a_zone_is_taken_for_utc_and_says_so() -> None:
    seen = read(f'<testsuite timestamp="2026-11-22T10:00:00">{CASE}</testsuite>')
    assert whole(seen).time == TEN
    assert whole(seen).data["timezone"] == "UTC assumed"


def test_without_any_time_the_store_takes_the_time_of_receipt() -> None:
    seen = read(f"<testsuite>{CASE}</testsuite>")
    assert [each.time for each in (*cases(seen), whole(seen))] == [None, None]


def test_a_time_that_comes_after_the_first_case_changes_nothing() -> None:
    seen = read(
        f"<testsuites><testsuite>{CASE}</testsuite>"
        f'<testsuite timestamp="2026-11-22T10:00:00Z">{CASE}</testsuite></testsuites>'
    )
    assert {each.time for each in (*cases(seen), whole(seen))} == {None}
