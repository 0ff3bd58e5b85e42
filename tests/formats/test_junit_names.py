"""Names of JUnit cases: what they are made of."""

from __future__ import annotations

import doctest

import pytest

from ci_results.domain.testcase import MAX_LENGTH, check_testcase
from ci_results.formats import junit_names
from ci_results.formats.junit_names import parts, tidy

from .reading_junit import cases, read


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(junit_names).failed == 0


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        ((), (), []),
        ((), ("a.B", "n"), ["a.B", "n"]),
        (("unit",), ("a.B",), ["unit", "a.B"]),
        (("a.B",), ("a.B",), ["a.B"]),
        (("a",), ("a.B",), ["a.B"]),
        (("a",), ("ab.C",), ["a", "ab.C"]),
        (("outer", "outer.inner"), ("outer.inner.C",), ["outer.inner.C"]),
        (("pytest",), ("tests.test_a",), ["tests.test_a"]),
        (("", "x", ""), (), ["x"]),
    ],
    ids=lambda value: repr(value),
)
def test_what_the_next_part_says_again_is_left_out(
    path: tuple[str, ...], more: tuple[str, ...], expected: list[str]
) -> None:
    assert parts(path, *more) == expected


@pytest.mark.parametrize(
    ("xml", "testcase"),
    [
        ('<testcase classname="org.acme.Login" name="works"/>', "org.acme.Login.works"),
        ('<testcase classname="Login works" name="Login works"/>', "Login works"),
        ('<testcase name="works"/>', "works"),
        ('<testcase classname="org.acme.Login" name=""/>', "org.acme.Login"),
        ("<testcase/>", "unnamed"),
        ('<testcase class="Login" name="works" time="1"/>', "Login.works"),
        ('<testcase classname="a&#10;b" name="c&#9;d" time="1"/>', "a b.c d"),
        ('<testcase classname="a" name="tricky\u202e&#x200b;" time="1"/>', "a.tricky\\u202e\\u200b"),
    ],
    ids=[
        "usual",
        "classname is the name",
        "no classname",
        "no name",
        "nothing",
        "class",
        "blanks",
        "invisible",
    ],
)
def test_a_case_is_named_by_prefix_classname_and_name(xml: str, testcase: str) -> None:
    (case,) = cases(read(f"<testsuites>{xml}</testsuites>"))
    assert case.testcase == f"baseos.tier1.{testcase}"
    assert check_testcase(case.testcase)


def test_a_name_that_had_to_be_changed_is_kept_whole_in_the_data() -> None:
    name = "x" * 3000
    first, second = cases(
        read(
            f'<testsuite><testcase name="{name}"/>'
            f'<testcase classname="c" name="{name}y" time="1"/></testsuite>'
        )
    )
    assert len(first.testcase) == len(second.testcase) == MAX_LENGTH
    assert first.testcase != second.testcase
    assert first.data["name"] == name[:1024]
    assert first.testcase.startswith("baseos.tier1.xxx")


def test_the_time_stamp_that_unittest_xml_reporting_puts_behind_a_suite_is_no_part_of_it() -> None:
    (case,) = cases(read('<testsuite name="tests.Login-20261122130051"><testcase name="works"/></testsuite>'))
    assert case.testcase == "baseos.tier1.tests.Login.works"


def test_tidy_leaves_a_plain_name_alone() -> None:
    name = "tests.test_login[žluťoučký-☃]"
    assert tidy(name) is name
