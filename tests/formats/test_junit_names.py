"""Names of JUnit cases: what they are made of, and keys that never collide."""

from __future__ import annotations

import doctest

import pytest

from ci_results.domain.testcase import MAX_LENGTH, check_testcase
from ci_results.formats import junit_names
from ci_results.formats.junit_names import Keys, head, tidy

from .reading_junit import cases, read, whole


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(junit_names).failed == 0


@pytest.mark.parametrize(
    ("path", "classname", "expected"),
    [
        ((), None, ""),
        ((), "a.B", "a.B."),
        (("unit",), "a.B", "unit.a.B."),
        (("a.B",), "a.B", "a.B."),
        (("a",), "a.B", "a.B."),
        (("a",), "ab.C", "a.ab.C."),
        (("outer", "outer.inner"), "outer.inner.C", "outer.inner.C."),
        (("pytest",), "tests.test_a", "tests.test_a."),
        (("", "x", ""), None, "x."),
    ],
    ids=lambda value: repr(value),
)
def test_suites_and_classname_stand_before_the_name_said_once(
    path: tuple[str, ...], classname: str | None, expected: str
) -> None:
    assert head(path, classname) == expected


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


def test_cases_of_one_name_are_numbered_and_none_is_dropped() -> None:
    case = '<testcase classname="c" name="n" time="1"/>'
    seen = cases(
        read(f'<testsuite>{case}{case}<testcase classname="c" name="m" time="1"/>{case}</testsuite>')
    )
    assert [each.key for each in seen] == ["c.n", "c.n#2", "c.m", "c.n#3"]
    assert {each.testcase for each in seen} == {"baseos.tier1.c.n", "baseos.tier1.c.m"}
    assert [each.data.get("occurrence") for each in seen] == [None, "2", None, "3"]


def test_a_case_called_overall_does_not_take_the_key_of_the_whole() -> None:
    seen = read('<testsuite><testcase name="overall"/></testsuite>')
    assert [each.key for each in cases(seen)] == ["overall#2"]
    assert whole(seen).key == "overall"


def test_a_name_that_looks_numbered_does_not_take_the_key_of_a_repeat() -> None:
    seen = read('<testsuite><testcase name="a#2"/><testcase name="a"/><testcase name="a"/></testsuite>')
    assert [each.key for each in cases(seen)] == ["a#2", "a", "a#3"]


@pytest.mark.parametrize("expected", [0, 50_000], ids=["growing", "room made at once"])
@pytest.mark.parametrize("largest", [1 << 14, 1 << 20], ids=["in heaps", "in the table"])
def test_keys_stay_unique_however_many_there_are(
    largest: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keys, "_LARGEST", largest)
    keys = Keys("overall")
    keys.expect(expected)
    assert all(keys.add(f"case {n}") for n in range(40_000))
    assert not any(keys.add(f"case {n}") for n in range(40_000))
    assert [keys.claim(f"case {n % 2}") for n in range(6)] == [
        "case 0#2", "case 1#2", "case 0#3", "case 1#3", "case 0#4", "case 1#4",
    ]  # fmt: skip
    assert keys.claim("overall") == "overall#2"


def test_numbering_a_name_met_20_000_times_takes_no_quadratic_time() -> None:
    keys = Keys()
    assert [keys.claim("a") for _ in range(20_000)][-1] == "a#20000"


def test_tidy_leaves_a_plain_name_alone() -> None:
    name = "tests.test_login[žluťoučký-☃]"
    assert tidy(name) is name
