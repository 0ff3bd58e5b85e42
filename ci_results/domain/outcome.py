"""Outcome: what a result says, in ResultsDB's words."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The outcomes every installation knows; configuration may add words of its own."""

    PASSED = "PASSED"
    INFO = "INFO"
    FAILED = "FAILED"
    NEEDS_INSPECTION = "NEEDS_INSPECTION"
    ERROR = "ERROR"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"


UNFINISHED = frozenset({Outcome.QUEUED, Outcome.RUNNING})
"""Outcomes of a run that has not ended: a finished one of the same key supersedes them."""

GOOD = frozenset({Outcome.PASSED, Outcome.INFO})
"""Outcomes that need no waiver, beside decisions: what is good there the configuration of its gate says."""

WORST_FIRST = (
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.NEEDS_INSPECTION,
    Outcome.RUNNING,
    Outcome.QUEUED,
    Outcome.INFO,
    Outcome.PASSED,
)
"""The order in which a parent takes the worst outcome of its children."""
