"""For any bytes the reader tells what it read or could not read; it never raises and never passes nothing."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.domain.outcome import Outcome
from ci_results.domain.testcase import check_testcase
from ci_results.formats.junit import JUnit
from ci_results.formats.junit_outcome import OUTCOMES

from .reading import EXAMPLES
from .reading_junit import cases, garbled, read, whole

PIECES = st.sampled_from([
    b"<testsuites>", b"</testsuites>", b"<testsuite name='s' tests='2' timestamp='2026-11-22T10:00:00'>",
    b"</testsuite>", b"<testcase classname='c' name='n' time='0.1'/>", b"<testcase name='n'>", b"</testcase>",
    b"<failure message='m'>", b"</failure>", b"<skipped/>", b"<error>", b"</error>", b"<flakyFailure/>",
    b"<system-out><![CDATA[", b"]]></system-out>", b"<properties><property name='a'>",
    b"</property></properties>",
    b"<?xml version='1.0' encoding='utf-8'?>", b"<?xml version='1.0' encoding='utf-16'?>", b"<!-- ", b" -->",
    b"<!DOCTYPE a [", b"]>", b"&#1;", b"&amp;", b"&x;", b"\x00", b"\x1b", b"\xff\xfe", b"\xef\xbb\xbf",
    b"<", b"'",
])  # fmt: skip
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\t", min_codepoint=32), max_size=40)


def told(seen: list[Observation | Garbled]) -> None:
    """Check what holds for every reading."""
    keys = [each.key for each in seen if isinstance(each, Observation)]
    assert len(keys) == len(set(keys))
    assert all(each.time is None or each.time.tzinfo for each in seen if isinstance(each, Observation))
    assert all(check_testcase(each.testcase) for each in seen if isinstance(each, Observation))
    final = whole(seen)
    assert seen[-1] is final
    if garbled(seen) or not any(each.outcome in ("passed", "flaky") for each in cases(seen)):
        assert OUTCOMES[final.outcome] not in {Outcome.PASSED, Outcome.INFO}


@given(st.binary(max_size=300))
@example(b"\xff\xfe<\x00")
@settings(max_examples=EXAMPLES, deadline=None)
def test_noise_is_read_or_garbled(data: bytes) -> None:
    told(read(data))
    JUnit().recognises(data)


@given(st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join))
@settings(max_examples=EXAMPLES, deadline=None)
def test_pieces_of_reports_in_any_order_are_read_or_garbled(data: bytes) -> None:
    told(read(data))
    JUnit().recognises(data)


@given(st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["", "<failure/>", "<skipped/>"])), max_size=12))
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_case_of_a_well_formed_report_is_lost(rows: list[tuple[str, str, str]]) -> None:
    def quoted(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")

    inside = "".join(
        f'<testcase classname="{quoted(classname)}" name="{quoted(name)}" time="1">{child}</testcase>'
        for classname, name, child in rows
    )
    data = f'<testsuites><testsuite name="s">{inside}</testsuite></testsuites>'
    seen = read(data.encode("utf-8", "replace"))
    words = {"": "passed", "<failure/>": "failed", "<skipped/>": "skipped"}
    if not garbled(seen) and "damage" not in whole(seen).data:
        assert [each.outcome for each in cases(seen)] == [words[child] for _, _, child in rows]
    assert len(cases(seen)) + len(garbled(seen)) >= len(rows)
    told(seen)
