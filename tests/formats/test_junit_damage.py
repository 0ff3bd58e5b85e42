"""Damaged files: what can be read is read, what cannot is quarantined with its place, nothing is passed."""

from __future__ import annotations

import io

import pytest

from ci_results.domain.outcome import Outcome
from ci_results.formats.junit import JUnit
from ci_results.formats.junit_outcome import OUTCOMES

from .reading_junit import about, cases, garbled, read, whole

SMALL = (
    '<?xml version="1.0" encoding="utf-8"?>\n<testsuites><testsuite name="s" tests="3">'
    '<testcase classname="c" name="a" time="1"/>'
    '<testcase classname="c" name="ž" time="1"><failure message="m">text</failure></testcase>'
    '<testcase classname="c" name="z"><system-out><![CDATA[out]]></system-out></testcase>'
    "</testsuite></testsuites>"
).encode()
MARKS = (b'"a" time="1"/>', b"</failure></testcase>", b"</system-out></testcase>")
ENDS = [SMALL.index(mark) + len(mark) for mark in MARKS]


def outcome(xml: str | bytes) -> str:
    return OUTCOMES[whole(read(xml)).outcome]


@pytest.mark.demand("S-129")
@pytest.mark.parametrize("cut", range(1, len(SMALL)))
def test_a_file_cut_at_any_byte_keeps_the_cases_before_and_is_never_passed(cut: int) -> None:
    seen = read(SMALL[:cut])
    keys = [each.key for each in cases(seen)]
    complete = [key for key, end in zip(["s.c::a", "s.c::ž", "s.c::z"], ENDS, strict=True) if end <= cut]
    assert keys[: len(complete)] == complete
    assert set(keys) - set(complete) <= {"s.c::ž", "[failed-to-read]"}
    assert OUTCOMES[whole(seen).outcome] in {Outcome.NEEDS_INSPECTION, Outcome.FAILED, Outcome.ERROR}
    assert garbled(seen)


def test_a_case_cut_after_its_failure_has_failed_and_says_that_it_is_incomplete() -> None:
    seen = read('<testsuite><testcase name="a"><failure message="boom"/><system-out>half')
    assert [(each.key, each.outcome, each.note, each.data.get("incomplete")) for each in cases(seen)] == [
        ("a", "failed", "boom", "true")
    ]
    assert garbled(seen)[0].raw.startswith(b'<testcase name="a">')


def test_the_place_of_the_damage_is_told_in_bytes_and_lines() -> None:
    (found,) = garbled(read('<testsuite>\n<testcase name="a"/>\n<testcase name="b" ti'))
    assert found.position == "byte 33, line 3"
    assert found.raw == b'<testcase name="b" ti'
    assert found.kind == "report"


@pytest.mark.parametrize(
    ("damaged", "note"),
    [
        (b"\x1b[31mred\x1b[0m", "[31mred[0m"),
        (b"&#x1b;[31mred", "[31mred"),
        (b"&#0;nul&#xFFFF;&#xD800;", "nul"),
        (b"caf\xe9 cr\xe8me", "caf\ufffd cr\ufffdme"),
        (b"a&nbsp;b", "a&nbsp;b"),
        (b"fish & chips", "fish & chips"),
        (b"a \xed\xa0\x80 surrogate", "a \ufffd\ufffd\ufffd surrogate"),
    ],
    ids=[
        "control characters",
        "reference to one",
        "illegal references",
        "latin-1",
        "entity",
        "ampersand",
        "surrogate",
    ],
)
@pytest.mark.parametrize("where", ["attribute", "text", "cdata"])
def test_what_can_be_cleaned_is_cleaned_and_the_case_kept(damaged: bytes, note: str, where: str) -> None:
    middle = {
        "attribute": b'<failure message="' + damaged + b'"/>',
        "text": b"<failure>" + damaged + b"</failure>",
        "cdata": b"<failure><![CDATA[" + damaged + b"]]></failure>",
    }[where]
    before, after = (
        b'<testcase classname="c" name="a" time="1"/>',
        b'<testcase classname="c" name="z" time="1"/>',
    )
    seen = read(
        b'<testsuites><testsuite name="s">' + before + b'<testcase name="n">' + middle + b"</testcase>"
        + after + b"</testsuite></testsuites>"
    )  # fmt: skip
    assert [each.key for each in cases(seen)] == ["s.c::a", "s::n", "s.c::z"]
    assert not garbled(seen)
    assert OUTCOMES[whole(seen).outcome] == Outcome.FAILED
    if where != "cdata":
        assert cases(seen)[1].note == note


@pytest.mark.parametrize("where", ["name", "between", "output", "before"])
def test_damage_outside_of_cases_loses_none_and_repeats_none(where: str) -> None:
    bad = {name: "\x1b" if name == where else "" for name in ("name", "between")}
    log = "<system-out>\x08</system-out>" if where == "output" else ""
    first = "<!-- \x0b -->" if where == "before" else ""
    case = '<testcase classname="c" name="{}" time="1"/>'
    seen = read(
        f'{first}<testsuites><testsuite name="one" tests="2">{case.format("x")}{bad["between"]}'
        f'{case.format("y")}{log}</testsuite><testsuite name="two{bad["name"]}" tests="1">'
        f"{case.format('z')}</testsuite></testsuites>"
    )
    assert [each.key for each in cases(seen)] == ["one.c::x", "one.c::y", "two.c::z"]
    assert whole(seen).outcome == "damaged"
    assert not [name for name in whole(seen).data if name.startswith("declared_")]


@pytest.mark.parametrize(
    "broken",
    [
        '<testcase name="b" classname="say "hi""/>',
        '<testcase name="b" name="c"/>',
        '<testcase name="b"><failure></testcase>',
        '<testcase name="b">1 < 2</testcase>',
        '<testcase name=b time="1"/>',
        '<testcase name="b" <testcase',
    ],
    ids=["quotes", "attribute twice", "end tag missing", "less than", "no quotes", "tag within tag"],
)
def test_a_case_that_cannot_be_mended_is_quarantined_alone(broken: str) -> None:
    case = '<testcase classname="c" name="{}" time="1"/>\n'
    inside = f"{case.format('a')}{broken}\n{case.format('z')}"
    seen = read(f'<testsuites><testsuite name="s">\n{inside}</testsuite></testsuites>')
    keys = [each.key for each in cases(seen)]
    assert keys[0] == "s.c::a"
    assert keys[-1] == "s.c::z"
    assert len(keys) == len(set(keys))
    assert broken.encode() in b"".join(each.raw for each in garbled(seen))
    assert "line 3" in str(garbled(seen)[0].position)
    assert whole(seen).outcome in {"damaged", "failed"}


def test_two_documents_in_one_file_are_both_read() -> None:
    one = '<?xml version="1.0"?><testsuite name="{0}"><testcase classname="c" name="n"/></testsuite>\n'
    seen = read(one.format("s") + one.format("t"))
    assert [each.key for each in cases(seen)] == ["s.c::n", "t.c::n"]
    assert whole(seen).outcome == "damaged"
    assert not garbled(seen)


def test_text_after_the_document_is_quarantined() -> None:
    seen = read('<testsuite><testcase name="n"/></testsuite>\nBuild step failed\n')
    assert [each.key for each in cases(seen)] == ["n"]
    assert garbled(seen)[0].raw == b"Build step failed\n"
    assert whole(seen).outcome == "damaged"


@pytest.mark.parametrize(
    ("before", "word"),
    [(b"\n\n  ", "passed"), (b"\xef\xbb\xbf\xef\xbb\xbf", "passed"), (b"[INFO] <done> 1 < 2\n", "damaged")],
    ids=["blank lines", "two marks", "log"],
)
def test_what_stands_before_the_document_is_skipped_and_words_are_told(before: bytes, word: str) -> None:
    seen = read(before + b'<?xml version="1.0"?><testsuite><testcase name="n"/></testsuite>')
    assert [each.key for each in cases(seen)] == ["n"]
    assert whole(seen).outcome == word


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("cp1252", "windows-1252"),
        ("latin-1", "ISO-8859-1"),
        ("iso8859-2", "iso-8859-2"),
        ("shift_jis", "Shift_JIS"),
        ("utf-8", "utf-16"),
    ],
)
def test_an_encoding_that_is_declared_or_marked_is_no_damage(encoding: str, declared: str) -> None:
    name = "テスト" if encoding == "shift_jis" else "é"
    if encoding == "iso8859-2":
        name = "ž"
    text = f'<?xml version="1.0" encoding="{declared}"?><testsuite><testcase name="{name}"/></testsuite>'
    seen = read(text.encode(encoding))
    assert [each.key for each in cases(seen)] == [name]
    assert whole(seen).outcome == "passed"


def test_an_encoding_that_nobody_knows_is_read_as_utf_8_and_marked() -> None:
    seen = read(
        '<?xml version="1.0" encoding="klingon"?><testsuite><testcase name="é"/></testsuite>'.encode()
    )
    assert [each.key for each in cases(seen)] == ["é"]
    assert whole(seen).outcome == "damaged"


def test_damage_far_into_a_file_costs_nothing_before_or_after_it() -> None:
    case = '<testcase classname="c" name="n{}" time="1"/>'
    parts = [case.format(n) for n in range(30_000)]
    parts[20_000] = '<testcase classname="c" name="n20000" time="1">\x00</testcase>'
    parts[25_000] = '<testcase classname="c" name="n25000" time="1"><'
    seen = read(f'<testsuite name="s">{"".join(parts)}</testsuite>')
    assert [each.key for each in cases(seen)] == [f"s.c::n{n}" for n in range(30_000) if n != 25_000]
    assert len(garbled(seen)) == 1
    assert int(whole(seen).data["cases"]) == 29_999  # type: ignore[arg-type]


def test_damage_within_a_huge_output_is_found_again() -> None:
    log = "line of a log\n" * 500_000
    seen = read(
        f'<testsuite><testcase name="a"/><testcase name="b"><system-out>{log}\x01</system-out></testcase>'
        '<testcase name="c"/></testsuite>'
    )
    keys = [each.key for each in cases(seen)]
    assert keys[0] == "a"
    assert keys[-1] == "c"
    assert garbled(seen) or "b" in keys
    assert all(len(each.raw) <= 1 << 20 for each in garbled(seen))


def test_after_a_thousand_errors_the_rest_is_quarantined_and_that_is_said() -> None:
    seen = read("<testsuite>" + '<testcase name="a"/><testcase <' * 1500 + "</testsuite>")
    assert 1000 <= len(garbled(seen)) <= 1001
    assert "more than 1,000 errors" in garbled(seen)[-1].reason


def test_cases_come_before_the_damage_is_met() -> None:
    case = b'<testcase classname="c" name="n%d" time="1"/>'
    data = b"<testsuite>" + b"".join(case % n for n in range(20_000)) + b"<"
    stream = io.BytesIO(data)
    next(iter(JUnit().read(stream, about())))
    assert stream.tell() < len(data) // 2
