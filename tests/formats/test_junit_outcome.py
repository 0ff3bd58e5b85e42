"""What a case's children and attributes make of it, and the cases of the whole file."""

from __future__ import annotations

import doctest

import pytest

from ci_results.domain.outcome import WORST_FIRST, Outcome
from ci_results.formats import junit_note, junit_outcome
from ci_results.formats.junit_outcome import OUTCOMES, worst

from .reading_junit import cases, garbled, read, whole

BAD = '<failure message="f"/>'


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(junit_outcome).failed == 0
    assert doctest.testmod(junit_note).failed == 0


@pytest.mark.parametrize(
    ("attributes", "children", "word"),
    [
        ("", "", "passed"),
        ("", "<system-out>x</system-out>", "passed"),
        ("", "<failure/>", "failed"),
        ("", "<error/>", "error"),
        ("", "<error/><failure/>", "failed"),
        ("", "<skipped/>", "skipped"),
        ("", "<skipped/><failure/>", "failed"),
        ("", '<failure/><skipped type="todo"/>', "skipped"),
        ("", "<flakyFailure/>", "flaky"),
        ("", "<flakyError/><flakyFailure/>", "flaky"),
        ("", "<failure/><rerunFailure/>", "failed"),
        ("", "<error/><rerunError/>", "error"),
        ('status="run" result="completed"', "", "passed"),
        ('status="notrun" result="suppressed"', "", "skipped"),
        ('status="disabled"', "", "skipped"),
        ('status="disabled"', "<failure/>", "failed"),
        ('status="fail"', "", "failed"),
        ('result="failed"', "", "failed"),
        ('failure="expected 1"', "", "failed"),
        ('status="Timeout"', "", "error"),
        ('status="notrun"', '<skipped message="Unable to find executable: x"/>', "error"),
        ('status="passed"', "<flakyFailure/>", "flaky"),
        ('status="exploded"', "", "exploded"),
    ],
)
@pytest.mark.demand("S-129")
def test_a_case_says(attributes: str, children: str, word: str) -> None:
    (case,) = cases(read(f'<testsuite><testcase name="n" {attributes}>{children}</testcase></testsuite>'))
    assert case.outcome == word


def test_a_status_that_nobody_knows_is_quoted_and_mapped_to_nothing() -> None:
    seen = read('<testsuite><testcase name="n" status="Exploded"/></testsuite>')
    assert cases(seen)[0].outcome == "exploded"
    assert "exploded" not in OUTCOMES
    assert OUTCOMES[whole(seen).outcome] == Outcome.NEEDS_INSPECTION


@pytest.mark.parametrize(
    ("inside", "outcome", "note"),
    [
        ("<testcase name='a'/><testcase name='b'/>", Outcome.PASSED, "2 passed"),
        ("<testcase name='a'/><testcase name='b'><skipped/></testcase>", Outcome.INFO, "1 passed, 1 skipped"),
        (f"<testcase name='a'>{BAD}</testcase><testcase name='b'><error/></testcase>", Outcome.FAILED,
         "1 error, 1 failed"),
        ("<testcase name='a'/><testcase name='b'><error/></testcase>", Outcome.ERROR, "1 error, 1 passed"),
        ("", Outcome.NEEDS_INSPECTION, "no cases; nothing executed"),
        ("<testcase name='a'><skipped/></testcase>", Outcome.NEEDS_INSPECTION, "1 skipped; nothing executed"),
        ("<testcase name='a' status='notrun'/>", Outcome.NEEDS_INSPECTION, "1 skipped; nothing executed"),
        ("<testcase name='a'><flakyFailure/></testcase>", Outcome.PASSED, "1 flaky"),
    ],
)  # fmt: skip
@pytest.mark.demand("S-058")
def test_the_whole_file_takes_the_worst_of_its_cases_and_is_never_passed_by_nothing(
    inside: str, outcome: Outcome, note: str
) -> None:
    seen = whole(read(f"<testsuites><testsuite>{inside}</testsuite></testsuites>"))
    assert OUTCOMES[seen.outcome] == outcome
    assert seen.note == note


@pytest.mark.parametrize("other", sorted(OUTCOMES))
@pytest.mark.parametrize("word", ["failed", "error"])
def test_nothing_hides_a_failure_or_an_error(word: str, other: str) -> None:
    ours = Outcome(OUTCOMES[worst({word: 1, other: 5}, damaged=True)])
    assert WORST_FIRST.index(ours) <= WORST_FIRST.index(Outcome(OUTCOMES[word]))


@pytest.mark.parametrize(
    "words", [{"passed": 3}, {"flaky": 1}, {"passed": 1, "skipped": 1}, {"skipped": 2}, {}]
)
def test_a_damaged_file_is_at_best_needs_inspection(words: dict[str, int]) -> None:
    assert OUTCOMES[worst(words, damaged=True)] == Outcome.NEEDS_INSPECTION


@pytest.mark.demand("S-058")
@pytest.mark.parametrize(
    "xml", ["<testsuites/>", "<testsuite/>", '<testsuites tests="0"><testsuite/></testsuites>']
)
def test_a_file_without_a_case_gives_one_observation_that_needs_inspection(xml: str) -> None:
    seen = read(xml)
    assert len(seen) == 1
    assert OUTCOMES[whole(seen).outcome] == Outcome.NEEDS_INSPECTION
    assert not garbled(seen)
