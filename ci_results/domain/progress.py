"""Progress: how far required testcases have got; failed, in error, unfinished, missing stay apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .outcome import UNFINISHED, WORST_FIRST, Outcome

_RANKS: dict[str, int] = {str(word): rank for rank, word in enumerate(WORST_FIRST)}
_UNFINISHED = frozenset(map(str, UNFINISHED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Counts of required testcases alone, by what their newest results say.

    done        those that have a finished result, whatever it says
    info        finished, and neither passed nor failed: INFO
    other       finished with a word that this installation has added
    unfinished  queued or running; missing: no result at all
    """

    required: int
    done: int
    passed: int
    info: int
    failed: int
    error: int
    needs_inspection: int
    other: int
    unfinished: int
    missing: int

    @property
    def percent(self) -> float:
        """How many of a hundred are done, cut to one digit: 100 only where all are."""
        return (1000 * self.done // self.required) / 10 if self.required else 100.0

    @property
    def state(self) -> str:
        """One word for all, the worst first: "failed", "error", "needs inspection", "waiting", "passed".

        Nothing stands in the way of "passed": each is done, with PASSED or INFO.
        """
        if self.failed:
            return "failed"
        if self.error:
            return "error"
        if self.needs_inspection or self.other:
            return "needs inspection"
        return "waiting" if self.done < self.required else "passed"


def progress(outcomes: Iterable[str | None]) -> Progress:
    """Count the outcomes of required testcases, one each; None = there is no result.

    >>> found = progress([*["PASSED"] * 30, "FAILED", *[None] * 9])
    >>> (found.required, found.done, found.passed, found.failed, found.percent, found.state)
    (40, 31, 30, 1, 77.5, 'failed')
    """
    counts = Counter(outcomes)
    required, missing = counts.total(), counts.pop(None, 0)
    unfinished = sum(counts.pop(word, 0) for word in _UNFINISHED)
    return Progress(
        required=required,
        done=required - missing - unfinished,
        passed=counts.pop(Outcome.PASSED, 0),
        info=counts.pop(Outcome.INFO, 0),
        failed=counts.pop(Outcome.FAILED, 0),
        error=counts.pop(Outcome.ERROR, 0),
        needs_inspection=counts.pop(Outcome.NEEDS_INSPECTION, 0),
        other=counts.total(),
        unfinished=unfinished,
        missing=missing,
    )


def worst(outcomes: Iterable[str]) -> str | None:
    """Return the worst of some outcomes, None of none; a word that we do not know is worse than all.

    >>> worst(["PASSED", "RUNNING"]), worst([])
    ('RUNNING', None)
    """
    return min(outcomes, key=lambda word: _RANKS.get(word, -1), default=None)
