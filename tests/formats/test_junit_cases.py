"""What a case carries: note, data, suites, attempts; and what the file says of itself."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

import pytest

from ci_results.domain.observation import Draft, Observation
from ci_results.errors import InvalidError
from ci_results.formats.junit_note import KEPT_CHARS, NOTE_CHARS

from .reading_junit import about, cases, garbled, read, whole


def one(xml: str) -> Observation:
    (case,) = cases(read(f'<testsuites><testsuite name="pytest">{xml}</testsuite></testsuites>'))
    return case


def test_a_passed_case_shares_one_empty_mapping() -> None:
    xml = "".join(f'<testcase classname="c" name="n{n}" time="1"/>' for n in range(3))
    seen = cases(read(f'<testsuite name="pytest">{xml}</testsuite>'))
    assert {id(each.data) for each in seen} == {id(seen[0].data)}
    assert not seen[0].data


def test_an_observation_made_quickly_is_one_made_properly() -> None:
    (case,) = cases(read('<testsuite><testcase classname="c" name="n" time="0.5"/></testsuite>'))
    known = about()
    assert type(case) is Observation
    assert case == Observation(
        key="c::n",
        testcase="baseos.tier1.c.n",
        outcome="passed",
        item=known.item,
        item_type=known.item_type,
        duration_s=0.5,
        parent="overall",
        run=known.run,
    )
    with pytest.raises(AttributeError):
        case.key = "other"  # type: ignore[misc]


def test_a_draft_has_the_slots_of_an_observation() -> None:
    assert Draft.__slots__ == tuple(each.name for each in fields(Observation))


def test_a_report_whose_time_has_no_zone_is_refused() -> None:
    with pytest.raises(InvalidError, match="has no zone"):
        read("<testsuite/>", time=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("children", "note"),
    [
        ('<failure message="boom">Trace\nline</failure>', "boom\nTrace\nline"),
        ('<failure message="boom">boom\n  at a.py</failure>', "boom\n  at a.py"),
        ('<failure message="boom"/>', "boom"),
        ("<failure>only text</failure>", "only text"),
        ("<failure/>", None),
        ('<failure message="first&#10;E  second">E  second</failure>', "first\nE  second"),
        ('<failure message="first&#10;lost">text</failure>', "first\nlost\ntext"),
        ('<failure message="a"/><error message="b"/>', "a\n\nb"),
        ('<skipped message="no kvm"/>', "no kvm"),
        ("<skipped>no kvm</skipped>", "no kvm"),
        ('<failure message=""/><system-out>the story</system-out>', "the story"),
        ('<failure message="m">t</failure><system-out>not this</system-out>', "m\nt"),
        ("<system-out>not this</system-out>", None),
        ("<failure><stackTrace>at a</stackTrace><system-out>no</system-out></failure>", "at a"),
        ("<failure>a<![CDATA[<b>]]>c</failure>", "a<b>c"),
        ('<flakyFailure message="once"/>', "once"),
        ('<failure message="f"/><rerunFailure message="r"/>', "f"),
    ],
)
def test_the_note_says_what_failed(children: str, note: str | None) -> None:
    assert one(f'<testcase classname="c" name="n" time="1">{children}</testcase>').note == note


def test_a_long_note_keeps_its_beginning_and_its_end_and_tells_its_length() -> None:
    text = "begin" + "x" * 200_000 + "end"
    case = one(f'<testcase name="n"><failure message="m">{text}</failure></testcase>')
    assert case.note is not None
    assert len(case.note) <= NOTE_CHARS
    assert case.note.startswith("m\nbegin")
    assert case.note.endswith("end")
    assert "characters left out" in case.note
    assert int(str(case.data["note_length"])) == pytest.approx(len(text), rel=0.01)


def test_a_text_just_over_the_limit_loses_only_its_middle() -> None:
    text = "a" * KEPT_CHARS
    case = one(f'<testcase name="n"><failure>{text}</failure></testcase>')
    assert case.data["note_length"] == str(KEPT_CHARS)


def test_reruns_and_flaky_passes_show_their_attempts() -> None:
    flaky = one('<testcase name="n"><flakyFailure message="once"/><flakyError/></testcase>')
    assert (flaky.outcome, flaky.data["flaky"], flaky.data["attempts"]) == ("flaky", "true", "3")
    failed = one('<testcase name="n"><failure/><rerunFailure/></testcase>')
    assert (failed.outcome, failed.data["attempts"]) == ("failed", "2")
    assert "flaky" not in failed.data


def test_file_line_and_type_are_kept_of_what_did_not_pass() -> None:
    failed = one('<testcase name="n" file="a.py" line="7"><failure type="AssertionError"/></testcase>')
    assert failed.data == {"file": "a.py", "line": "7", "problem_type": "AssertionError"}
    assert one('<testcase classname="c" name="n" time="1" file="a.py" line="7"/>').data == {}


def test_a_cases_properties_are_kept_and_secrets_among_them_are_not() -> None:
    case = one(
        '<testcase name="n"><properties>'
        '<property name="bug" value="RHBZ#1"/><property name="bug" value="RHBZ#2"/>'
        '<property name="API_TOKEN" value="abc"/><property name="text">said</property>'
        "</properties></testcase>"
    )
    assert case.data == {
        "property.bug": ("RHBZ#1", "RHBZ#2"),
        "property.API_TOKEN": ("(not kept)",),
        "property.text": ("said",),
    }


def test_a_suites_properties_hold_the_environment_and_are_not_kept() -> None:
    seen = read(
        '<testsuite><properties><property name="PASSWORD" value="hunter2"/></properties>'
        '<testcase name="n"/></testsuite>'
    )
    assert "hunter2" not in repr(seen)


def test_nested_suites_are_kept_as_data_and_not_left_to_guess() -> None:
    seen = cases(
        read(
            '<testsuites name="title"><testsuite name="outer"><testsuite name="inner">'
            '<testcase classname="C" name="n" time="1"/></testsuite>'
            '<testcase classname="D" name="m" time="1"/></testsuite>'
            '<testsuite name="C"><testcase classname="C" name="o" time="1"/></testsuite></testsuites>'
        )
    )
    assert [each.data.get("suite") for each in seen] == [("outer", "inner"), ("outer",), None]
    assert [each.testcase.removeprefix("baseos.tier1.") for each in seen] == [
        "outer.inner.C.n",
        "outer.D.m",
        "C.o",
    ]
    assert {each.parent for each in seen} == {"overall"}


def test_a_suite_that_fails_outside_of_its_cases_is_told_as_a_case() -> None:
    seen = read('<testsuite name="db"><error message="no database"/><testcase name="n"/></testsuite>')
    assert [(each.key, each.outcome, each.note) for each in cases(seen)] == [
        ("db", "error", "no database"),
        ("db::n", "passed", None),
    ]


@pytest.mark.parametrize(
    ("xml", "differing"),
    [
        ('<testsuite tests="2" failures="0"><testcase name="n"/></testsuite>', {"declared_tests": "2"}),
        ('<testsuite tests="1" failures="0" errors="0" skipped="0"><testcase name="n"/></testsuite>', {}),
        ('<testsuites tests="9"><testsuite tests="1"><testcase name="n"/></testsuite></testsuites>',
         {"declared_tests": "9"}),
        ('<testsuite tests="1"><testsuite tests="1"><testcase name="n"/></testsuite></testsuite>', {}),
        ('<testsuite tests="many" failures="-1"><testcase name="n"/></testsuite>', {}),
        ('<testsuites><testsuite tests="1"><testcase name="n"/></testsuite>'
         '<testsuite tests="1"><testcase name="n"/></testsuite></testsuites>', {}),
    ],
)  # fmt: skip
def test_declared_counts_that_differ_are_told_and_never_trusted(xml: str, differing: dict[str, str]) -> None:
    data = whole(read(xml)).data
    assert {name: value for name, value in data.items() if name.startswith("declared_")} == differing


def test_the_whole_is_named_after_the_prefix() -> None:
    assert whole(read("<testsuite/>", prefix="baseos.tier1")).testcase == "baseos.tier1"
    assert whole(read("<testsuite/>", prefix="baseos")).testcase == "baseos.junit"


def test_scenario_arch_and_run_go_to_every_observation() -> None:
    seen = read('<testsuite><testcase name="n"/></testsuite>', scenario="uefi", arch="aarch64")
    assert {(each.scenario, each.arch, each.run.key) for each in (*cases(seen), whole(seen)) if each.run} == {
        ("uefi", "aarch64", "tier1#42")
    }


@pytest.mark.parametrize(
    "xml",
    [
        '<j:testsuites xmlns:j="urn:x"><j:testsuite><j:testcase name="a"/></j:testsuite></j:testsuites>',
        '<testsuites xmlns="urn:x"><testsuite><testcase name="a"/></testsuite></testsuites>',
        '<testsuites><testcase name="a"/></testsuites>',
        '<testcase name="a"/>',
        '<testsuite><group><testcase name="a"/></group></testsuite>',
    ],
    ids=["prefixed", "default namespace", "no suite", "case as root", "unknown element between"],
)
def test_a_case_is_found_wherever_it_stands(xml: str) -> None:
    seen = read(xml)
    assert [each.key for each in cases(seen)] == ["a"]
    assert not garbled(seen)


def test_a_case_within_a_case_loses_neither() -> None:
    seen = read('<testsuite><testcase name="a"><failure/><testcase name="b"/></testcase></testsuite>')
    assert [(each.key, each.outcome) for each in cases(seen)] == [("a", "failed"), ("b", "passed")]
