"""Our reader against junitparser's, on every sample that both can read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import junitparser
import pytest

from .reading_junit import cases, garbled, read

SAMPLES = Path(__file__).parent / "samples"
FILES = sorted(path for path in SAMPLES.glob("*/*.xml"))
OURS = {"flaky": "passed"}
ELSEWHERE = {
    "junit-nasty/hand__status-attr.xml": "the outcome is in attributes, which junitparser does not read",
    "junit/real__gtest.xml": "disabled tests are told by status=notrun alone",
    "junit/jenkins__junit-report-nested-testsuites.xml": "a suite's own error is a case to us",
    "junit-nasty/hand__xxe-param.xml": "we refuse a document type",
}
"""Where we say otherwise than the peer, and why."""


def peer(path: Path) -> Counter[str]:
    """Count outcomes as junitparser reads them; ours is the word for its classes."""
    counts: Counter[str] = Counter()
    root = junitparser.JUnitXml.fromfile(str(path))
    for case in _cases(root):
        kinds = {type(each) for each in case.result}
        if junitparser.Failure in kinds:
            counts["failed"] += 1
        elif junitparser.Error in kinds:
            counts["error"] += 1
        elif junitparser.Skipped in kinds:
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def _cases(suites: object) -> list[junitparser.TestCase]:
    found: list[junitparser.TestCase] = []
    for each in suites if isinstance(suites, junitparser.JUnitXml) else [suites]:
        if isinstance(each, junitparser.TestCase):
            found.append(each)
        else:
            found += list(each)
    return found


def readable() -> list[Path]:
    """Give the samples in which junitparser finds cases, without those where we say otherwise."""
    found = []
    for path in FILES:
        try:
            counts = peer(path)
        except Exception:  # noqa: BLE001, S112 - the peer raises whatever its XML library does
            continue
        if counts and str(path.relative_to(SAMPLES)) not in ELSEWHERE:
            found.append(path)
    return found


@pytest.mark.parametrize("path", readable(), ids=lambda path: str(path.relative_to(SAMPLES)))
def test_where_junitparser_can_read_a_file_we_count_the_same_outcomes(path: Path) -> None:
    seen = read(path.read_bytes())
    assert not garbled(seen)
    assert Counter(OURS.get(each.outcome, each.outcome) for each in cases(seen)) == peer(path)


def test_most_samples_were_compared() -> None:
    assert len(readable()) > 40
