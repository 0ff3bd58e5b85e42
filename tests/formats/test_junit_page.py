"""docs/formats/junit.md says what the reader does: each row of its tables is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ci_results.formats.junit_outcome import OUTCOMES

from .reading_junit import cases, read, whole

PAGE = (Path(__file__).parents[2] / "docs" / "formats" / "junit.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the first table under a heading, without its head."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("row", rows("What a case says"), ids=lambda row: row[0])
def test_a_case_of_the_page_says_what_the_page_says(row: list[str]) -> None:
    xml, word, ours = row
    (case,) = cases(read(f"<testsuite>{xml}</testsuite>"))
    assert case.outcome == word
    assert OUTCOMES.get(word, "quarantined") == ours


@pytest.mark.parametrize("row", rows("What the whole file says"), ids=lambda row: row[0])
def test_a_file_of_the_page_says_what_the_page_says(row: list[str]) -> None:
    xml, word, ours = row
    assert whole(read(xml)).outcome == word
    assert OUTCOMES[word] == ours


@pytest.mark.parametrize("row", rows("Names"), ids=lambda row: row[1])
def test_a_case_of_the_page_is_named_as_the_page_says(row: list[str]) -> None:
    xml, testcase = row
    (case,) = cases(read(xml, prefix="baseos"))
    assert case.testcase == testcase


@pytest.mark.parametrize("row", rows("Keys"), ids=lambda row: row[1])
def test_the_cases_of_the_page_have_the_keys_that_the_page_says(row: list[str]) -> None:
    xml, keys = row
    assert [each.key for each in cases(read(xml))] == keys.split("`, `")


def test_every_word_of_ours_is_on_the_page() -> None:
    told = {row[1] for heading in ("What a case says", "What the whole file says") for row in rows(heading)}
    assert set(OUTCOMES) <= told
