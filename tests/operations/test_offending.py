from __future__ import annotations

import doctest
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.operations import offending
from ci_results.operations.offending import AROUND, LONGEST, excerpt

LINES = "".join(f"line {number}\n" for number in range(1, 31)).encode()


def hits(raw: bytes, position: str | None, *, piece: bool = False) -> list[tuple[str, str]]:
    return [(line.label, line.text) for line in excerpt(raw, position, piece=piece) if line.hit]


@pytest.mark.demand("S-030")
@pytest.mark.parametrize(
    ("raw", "position", "piece", "expected"),
    [
        (LINES, "line 12", False, [("12", "line 12")]),
        (LINES, "byte 8, line 2", False, [("2", "line 2")]),
        (LINES, "line 99", False, []),
        (LINES, None, False, []),
        (b"<a>\n<b/>\n", "byte 4000, line 310", True, [("310", "<a>")]),
        (b"<a>\n<b/>\n", "line 310", True, [("310", "<a>")]),
        (b"<a>\n<b/>\n", "byte 4004, line 311, kept from byte 4000, line 310", True, [("311", "<b/>")]),
        (b"", "byte 0, line 1", True, []),
    ],
    ids=["line", "byte", "beyond", "unknown", "piece", "piece by line", "piece kept from before", "empty"],
)
def test_the_line_that_is_meant_is_marked_under_its_number(
    raw: bytes, position: str | None, piece: bool, expected: list[tuple[str, str]]
) -> None:
    assert hits(raw, position, piece=piece) == expected


def test_lines_around_the_offending_one_are_shown() -> None:
    shown = [line.label for line in excerpt(LINES, "line 12")]
    assert shown == [str(number) for number in range(12 - AROUND, 12 + AROUND + 1)]


def test_binary_shows_as_digits_around_the_byte() -> None:
    raw = gzip.compress(bytes(range(256)) * 20, mtime=0)
    (row,) = hits(raw, "byte 40")
    assert row[0] == "00000020"
    assert row[1].startswith(raw[32:40].hex(" "))


def test_a_long_line_is_cut_around_the_byte() -> None:
    raw = b"a" * 5000 + b"HERE" + b"b" * 5000
    ((_, text),) = hits(raw, "byte 5000")
    assert "HERE" in text
    assert len(text) == LONGEST + 2


def test_what_would_steer_a_terminal_or_turn_the_line_round_is_shown_instead() -> None:
    ((_, text),) = hits("a\x1b[2J\u202eb".encode(), "line 1")
    assert text == "a\u241b[2J\\u202eb"


@given(
    st.binary(max_size=300), st.none() | st.text(max_size=30) | st.from_regex(r"byte [0-9]{1,3}, line [0-9]")
)
def test_any_bytes_and_any_position_show_printable_lines(raw: bytes, position: str | None) -> None:
    for piece in (False, True):
        shown = excerpt(raw, position, piece=piece)
        assert len(shown) <= 2 * AROUND + 1
        assert sum(line.hit for line in shown) <= 1
        assert not any(char < " " and char != "\t" for line in shown for char in line.text)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(offending).failed == 0
