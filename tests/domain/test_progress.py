from __future__ import annotations

import doctest
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.domain import progress as module
from ci_results.domain.outcome import UNFINISHED, Outcome
from ci_results.domain.progress import progress, worst

WORDS = st.lists(st.sampled_from([None, "CRASHED", *map(str, Outcome)]))


def test_the_examples_are_true() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.demand("S-135")
@pytest.mark.parametrize(
    ("outcomes", "state", "percent"),
    [
        (["PASSED"] * 40, "passed", 100.0),
        (["PASSED"] * 39 + ["INFO"], "passed", 100.0),
        (["PASSED"] * 39 + ["FAILED"], "failed", 100.0),
        (["PASSED"] * 30 + ["FAILED"] + [None] * 9, "failed", 77.5),
        (["PASSED"] * 31 + [None] * 9, "waiting", 77.5),
        (["PASSED"] * 39 + ["RUNNING"], "waiting", 97.5),
        (["PASSED"] * 39 + ["QUEUED"], "waiting", 97.5),
        (["PASSED"] * 39 + ["ERROR"], "error", 100.0),
        (["PASSED"] * 39 + ["NEEDS_INSPECTION"], "needs inspection", 100.0),
        (["PASSED"] * 39 + ["CRASHED"], "needs inspection", 100.0),
        (["PASSED"] * 1999 + [None], "waiting", 99.9),
        ([None], "waiting", 0.0),
    ],
)
def test_progress_counts_what_is_required_and_says_one_word(
    outcomes: list[str | None], state: str, percent: float
) -> None:
    found = progress(outcomes)
    assert (found.required, found.state, found.percent) == (len(outcomes), state, percent)


@given(WORDS)
def test_every_required_testcase_is_counted_once(outcomes: list[str | None]) -> None:
    counts = asdict(progress(outcomes))
    required, done = counts.pop("required"), counts.pop("done")
    assert required == len(outcomes) == sum(counts.values())
    assert done == required - counts["missing"] - counts["unfinished"]


@given(WORDS)
def test_passed_means_that_all_is_done_and_good(outcomes: list[str | None]) -> None:
    found = progress(outcomes)
    assert (found.state == "passed") is all(word in ("PASSED", "INFO") for word in outcomes)
    assert (found.percent == 100.0) is (found.done == found.required)


@given(WORDS)
def test_a_further_pass_makes_nothing_worse(outcomes: list[str | None]) -> None:
    order = ["passed", "waiting", "needs inspection", "error", "failed"]
    before = progress(outcomes).state
    missing = [place for place, word in enumerate(outcomes) if word is None or word in UNFINISHED]
    for place in missing[:1]:
        outcomes[place] = "PASSED"
    assert order.index(progress(outcomes).state) <= order.index(before)


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (["PASSED", "FAILED", "ERROR"], "FAILED"),
        (["PASSED", "INFO"], "INFO"),
        (["FAILED", "CRASHED"], "CRASHED"),
        ([], None),
    ],
)
def test_of_several_the_worst_counts(outcomes: list[str], word: str | None) -> None:
    assert worst(outcomes) == word
