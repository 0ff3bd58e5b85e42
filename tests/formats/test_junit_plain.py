"""Plain cases are told without the parser: never anything else than it would have made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.formats import junit_cases
from ci_results.formats.junit_plain import PLAIN

from .reading import EXAMPLES
from .reading_junit import cases, garbled, read

NEVER = re.compile("(?!)")
OUTPUTS = ("", "<system-out>a\nb [x]</system-out>", "<system-out>]]</system-out>", "<failure/>")
PLAIN_CASE = st.builds(
    '<testcase classname="{}" name="t{}" time="{}">{}</testcase>\n'.format,
    st.sampled_from(["a.b", "a.b", "a.c", "a:", "t1"]),
    st.integers(0, 9),
    st.sampled_from(["0", "1.5", "99999999"]),
    st.sampled_from(OUTPUTS),
)
OTHER = st.sampled_from([
    '<testcase classname="a.b" name="x" time="1"/>', '<testcase classname="a.b" name="x::y" time="1"/>',
    '<testcase classname="a.b" name="é" time="1"/>',
    f'<testcase classname="a.b" name="{"n" * 1020}" time="1"/>',
    '<testcase classname="a.b" name="a.b" time="1"/>', '<testcase classname="a.b" name="q" time="1e3"/>',
    '<testcase name="x" classname="a.b" time="1"/>', "</testsuite><testsuite name='s2'>", "<testcase>",
    "<!-- ", " -->", "<![CDATA[", "]]>", "<", "&", "<system-out>", "</system-out>", "</testcase>", "\r\n",
    "\x00",
])  # fmt: skip


def by_the_parser(xml: str) -> list[Observation | Garbled]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(junit_cases, "PLAIN", NEVER)
        return read(xml)


@given(st.lists(st.one_of(PLAIN_CASE, PLAIN_CASE, PLAIN_CASE, OTHER), max_size=40).map("".join))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_told_without_the_parser_is_what_it_would_have_told(inside: str) -> None:
    xml = f"<testsuites><testsuite name='s'>{inside}</testsuite></testsuites>"
    assert read(xml) == by_the_parser(xml)


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(("<!--", "-->"), id="a comment"),
        pytest.param(("<![CDATA[", "]]>"), id="CDATA"),
        pytest.param(("<?run ", "?>"), id="a processing instruction"),
        pytest.param(
            ('<testcase classname="a" name="b"><system-out><![CDATA[', "]]></system-out></testcase>"),
            id="output",
        ),
    ],
)
def test_what_only_looks_like_a_case_is_none(around: tuple[str, str]) -> None:
    first = '<testcase classname="a.b" name="t0" time="1"/>'
    looks = "".join(f'<testcase classname="a.b" name="t{n}" time="1"/>' for n in range(1, 5))
    seen = read(f"<testsuite name='s'>{first}{around[0]}{looks}{around[1]}</testsuite>")
    assert [case.testcase.rpartition(".")[2] for case in cases(seen)] == (
        ["t0", "b"] if "system" in around[0] else ["t0"]
    )


def test_the_place_of_damage_after_plain_cases_is_told_right() -> None:
    plain = "".join(f'<testcase classname="a.b" name="t{n}" time="1"/>\n' for n in range(50))
    xml = f"<testsuite name='s'>\n{plain}<oops &&&>\n</testsuite>"
    seen = read(xml)
    assert seen == by_the_parser(xml)
    assert len(cases(seen)) == 50
    assert [each.position for each in garbled(seen)] == [f"about byte {xml.index('<oops')}, line 52"]


@pytest.mark.parametrize(
    "xml",
    [
        '<testcase classname="a" name="b" time="1"><failure/></testcase>',
        '<testcase classname="a" name="b" time="1"><system-out>a &amp; b</system-out></testcase>',
        '<testcase classname="a" name="b" time="1"><system-out>]]></system-out></testcase>',
        '<testcase classname="a" name="b&quot;" time="1"/>',
        '<testcase classname="a" name="b\t" time="1"/>',
        '<testcase classname="a" name="b" time="1" status="notrun"/>',
        '<testcase classname="a" name="b" time="123456789"/>',
        '<testcase classname="a" name="" time="1"/>',
        '<testcase classname="a" name="b" time="٣"/>',
    ],
)
def test_a_case_that_needs_a_second_look_is_not_plain(xml: str) -> None:
    assert PLAIN.match(xml) is None


def test_plain_cases_within_an_open_one_end_it_first() -> None:
    first, inner = (
        "".join(f'<testcase classname="a.b" name="{letter}{n}" time="1"/>' for n in range(4))
        for letter in "tu"
    )
    begun = "<testcase classname='a.b' name='o' time='1'><failure>f</failure>"
    xml = f"<testsuite>{first}{begun}{inner}</testcase></testsuite>"
    seen = read(xml)
    assert seen == by_the_parser(xml)
    assert [case.outcome for case in cases(seen)] == ["passed"] * 4 + ["failed"] + ["passed"] * 4
