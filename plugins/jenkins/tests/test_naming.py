"""How testcases are called."""

from __future__ import annotations

import doctest

import pytest
from ci_results_jenkins import naming
from ci_results_jenkins.recorded_master import RecordedMaster

from ci_results import SourceSession
from ci_results.normalise.normaliser import Normaliser

from .conftest import harvest


def test_the_examples_hold() -> None:
    assert doctest.testmod(naming).failed == 0


@pytest.mark.parametrize(
    ("name", "tidied"),
    [
        ("plain.name[1]", "plain.name[1]"),
        ("žluťoučký 🚀", "žluťoučký 🚀"),
        ("tab\tnl\nx", "tab nl x"),
        ("bell\x07 \u202e", "bell\\x07 \\u202e"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_name_becomes_printable(name: str, tidied: str) -> None:
    assert naming.tidy(name) == tidied


def test_two_long_names_stay_two_and_fit() -> None:
    one, other = (naming.tidy("x" * 2000 + end) for end in "ab")
    assert one != other
    assert len(one) == len(other) == naming.MAX_LENGTH


def test_an_odd_name_of_a_case_is_no_reason_for_the_quarantine(
    master: RecordedMaster, http: SourceSession
) -> None:
    seen = harvest(master, http, jobs=("odd-junit",)).observations
    normalise = Normaliser("ci", dict.fromkeys({one.outcome.lower() for one in seen}, "PASSED"))
    assert "ci.odd-junit.a.b.tab nl x" in {normalise(one).testcase for one in seen}
