"""Read a report of any built-in format in a test's line, take the reading apart, and hold it to the rules."""

from __future__ import annotations

import io
import os
from typing import Any

from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.domain.outcome import Outcome
from ci_results.domain.testcase import check_testcase
from ci_results.errors import InvalidError
from ci_results.normalise.normaliser import Normaliser
from ci_results.normalise.text import check_text
from ci_results.plugin.builtin import register_formats
from ci_results.plugin.contract import Format

from .reading_junit import about, garbled

EXAMPLES = 1_000 if "CI_RESULTS_FUZZ_READERS_S" in os.environ else 30
"""How many Hypothesis tries of each property; `tox -e fuzz` tries more."""
FORMATS: dict[str, Format] = {each.name: each for each in register_formats()}

__all__ = ["EXAMPLES", "FORMATS", "about", "children", "garbled", "ours", "read", "told", "whole"]


def read(name: str, report: str | bytes, **changes: Any) -> list[Observation | Garbled]:
    data = report.encode() if isinstance(report, str) else report
    return list(FORMATS[name].read(io.BytesIO(data), about(**changes)))


def children(seen: list[Observation | Garbled]) -> list[Observation]:
    return [each for each in seen if isinstance(each, Observation) and each.key != "overall"]


def whole(seen: list[Observation | Garbled]) -> Observation:
    found = [each for each in seen if isinstance(each, Observation)]
    assert [each.key for each in found[:-1]].count("overall") == 0
    return found[-1]


def ours(name: str, word: str) -> str:
    """Say what a format's word is stored as."""
    return word if word in set(Outcome) else FORMATS[name].outcomes.get(word.lower(), "quarantined")


def told(name: str, seen: list[Observation | Garbled]) -> None:
    """Check what holds for every reading of every format."""
    found = [each for each in seen if isinstance(each, Observation)]
    keys = [each.key for each in found]
    assert len(keys) == len(set(keys))
    assert {each.parent for each in found} <= {None, *keys}
    final = whole(seen)
    assert seen[-1] is final
    normalise = Normaliser("s", FORMATS[name].outcomes)
    for each in found:
        assert each.time is None or each.time.tzinfo
        assert check_testcase(each.testcase)
        assert each.note is None or check_text(each.note, "note", 100_000)
        try:
            normalise(each)
        except InvalidError as err:
            assert "outcome word" in str(err) or "item" in str(err) or "time" in str(err)  # noqa: PT017
    passed = [each for each in children(seen) if ours(name, each.outcome) == Outcome.PASSED]
    if garbled(seen) or (children(seen) and not passed):
        assert ours(name, final.outcome) != Outcome.PASSED
