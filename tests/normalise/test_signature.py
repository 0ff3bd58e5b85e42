"""Signatures: what docs/signatures.md says, and what no text may do to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.normalise.signature import _CHANGING, _SUSPECT, READ, VERSION, _blank, blanked, signature

DOCUMENT = (Path(__file__).parents[2] / "docs" / "signatures.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `(.+)` \| `(.+)` \|$", DOCUMENT, flags=re.MULTILINE)


@pytest.mark.parametrize(("text", "counts"), EXAMPLES)
def test_the_examples_of_the_document_hold(text: str, counts: str) -> None:
    assert blanked(text) == counts


def test_the_document_has_examples_and_names_what_is_read() -> None:
    assert len(EXAMPLES) >= 10
    assert f"first {READ:,} characters" in DOCUMENT
    assert f"version {VERSION}" in DOCUMENT


def test_these_are_the_signatures_of_version_1() -> None:
    """A change here needs a new VERSION: stored signatures are compared with new ones."""
    assert VERSION == "1"
    assert signature("FAILED", "AssertionError: 1 != 2") == "1-67e28b95410726"
    assert signature("ERROR", "Timeout after 31.5 s at 0x7f3a") == "1-f8b4926b7d3d2b"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("took 31.5 s", "took 7 s", id="a number"),
        pytest.param("at 0x7f3a", "at 0x12345", id="an address"),
        pytest.param("/tmp/pytest-1/x.log", "/tmp/pytest-of-ci/22/y", id="a temporary file"),
        pytest.param("/home/a/b/test.py:12", "/builds/c/test.py:7", id="the folder of a checkout"),
        pytest.param("at 12:00:01", "at 9:30", id="a time"),
        pytest.param("a  b\n\tc", "a b c", id="blanks"),
        pytest.param("\x1b[31mno\x1b[0m", "no", id="a colour"),
        pytest.param(f"{'x ' * READ}a", f"{'x ' * READ}b", id="what comes late"),
    ],
)
def test_what_changes_from_run_to_run_does_not_count(one: str, other: str) -> None:
    assert signature("FAILED", one) == signature("FAILED", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("AssertionError", "TypeError", id="a word"),
        pytest.param("/usr/lib/a.so missing", "/usr/lib/b.so missing", id="the name of a file"),
        pytest.param("a b", "ab", id="a blank"),
        pytest.param("", "x", id="nothing"),
    ],
)
def test_what_tells_failures_apart_counts(one: str, other: str) -> None:
    assert signature("FAILED", one) != signature("FAILED", other)


def test_another_outcome_is_another_failure() -> None:
    assert signature("FAILED", "x") != signature("ERROR", "x")


@given(
    st.lists(
        st.sampled_from(
            ["at 0x7f3a", "  E  assert 3 == 42", "\tx", "", "a.py:7", "word " * 60, "\x85\x1cb 1"]
        )
    )
)
def test_a_text_is_blanked_word_by_word_whatever_lines_were_met_before(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert blanked(text) == " ".join(map(blanked, text.split()))


@given(st.text())
def test_any_text_has_one(text: str) -> None:
    found = signature("FAILED", text)
    assert re.fullmatch(r"1-[0-9a-f]{14}", found)
    assert signature("FAILED", text) == found


@given(st.text(alphabet=st.sampled_from("ab 1/.:-\\~x0\n")))
def test_blanking_is_done_with_one_pass_over_each_word(text: str) -> None:
    assert not re.search(r"(?<![<\w])\d", blanked(text).replace("<n>", ""))


@pytest.mark.parametrize("part", ["a", "0", "/a", "a/", "1-", "1:", "a-", ".", "http:", "~/", "[0;", "é1"])
def test_a_text_that_tries_a_pattern_in_vain_is_read_all_the_same(part: str) -> None:
    """Were the pattern to go back over what it has read, this would take hours, and time out."""
    assert signature("FAILED", part * 1_000_000) == signature("FAILED", (part * READ)[:READ])


@given(
    st.text(st.sampled_from("0123456789abcdefxXAF:.,-/\\~_()TZ+\u0663"), max_size=24).filter(_SUSPECT.search)
)
def test_a_word_in_which_only_numbers_change_is_blanked_as_any_other(word: str) -> None:
    assert blanked(word) == _CHANGING.sub(_blank, word)
