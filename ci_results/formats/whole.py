"""What a report says as a whole: one word from the outcomes of its children, the worst first."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.outcome import Outcome

WHOLE: dict[str, str] = {
    "passed": Outcome.PASSED,
    "partial": Outcome.INFO,
    "informed": Outcome.INFO,
    "failed": Outcome.FAILED,
    "error": Outcome.ERROR,
    "inspect": Outcome.NEEDS_INSPECTION,
    "damaged": Outcome.NEEDS_INSPECTION,
    "unclear": Outcome.NEEDS_INSPECTION,
    "empty": Outcome.NEEDS_INSPECTION,
    "running": Outcome.RUNNING,
    "queued": Outcome.QUEUED,
}
"""The words said of whole reports; each format has them beside its own."""


def whole(outcomes: Mapping[str, int], *, ran: int, damaged: bool, unclear: bool = False) -> str:
    """Say the word of a whole report from the numbers of its children's outcomes.

    ran      how many children tell of something that was executed; without any nothing has passed
    damaged  whether some of the report could not be read; unclear: whether a word was not known

    >>> whole({"PASSED": 3, "INFO": 1}, ran=3, damaged=False), whole({"INFO": 2}, ran=0, damaged=False)
    ('partial', 'empty')
    """
    if outcomes.get(Outcome.FAILED):
        return "failed"
    if outcomes.get(Outcome.ERROR):
        return "error"
    if damaged:
        return "damaged"
    if unclear:
        return "unclear"
    if outcomes.get(Outcome.NEEDS_INSPECTION):
        return "inspect"
    if outcomes.get(Outcome.RUNNING):
        return "running"
    if outcomes.get(Outcome.QUEUED):
        return "queued"
    if not ran:
        return "empty"
    if outcomes.get(Outcome.INFO):
        return "partial" if ran < sum(outcomes.values()) else "informed"
    return "passed"
