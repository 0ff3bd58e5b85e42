"""What a JUnit case says of itself: its outcome as one lower-case word, from its children and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..domain.outcome import Outcome

OUTCOMES: dict[str, str] = {
    "passed": Outcome.PASSED,
    "flaky": Outcome.PASSED,
    "skipped": Outcome.INFO,
    "partial": Outcome.INFO,
    "failed": Outcome.FAILED,
    "error": Outcome.ERROR,
    "softfail": Outcome.NEEDS_INSPECTION,
    "empty": Outcome.NEEDS_INSPECTION,
    "damaged": Outcome.NEEDS_INSPECTION,
    "unclear": Outcome.NEEDS_INSPECTION,
}
"""Our words. `partial`, `empty`, `damaged` and `unclear` are said only of a whole file."""

FAILING = frozenset({"failure", "error"})
RETRIED = frozenset({"rerunfailure", "rerunerror", "flakyfailure", "flakyerror"})
PROBLEMS = FAILING | RETRIED | {"skipped"}
"""Local names, lower case, of the children that decide an outcome."""

_SKIPPED = frozenset(
    {
        "skipped",
        "skip",
        "notrun",
        "not_run",
        "disabled",
        "suppressed",
        "ignored",
        "pending",
        "untested",
        "todo",
    }
)
_FAILED = frozenset({"fail", "failed", "failure", "error", "broken"})
_ERROR = frozenset({"timeout", "timedout", "timed out", "aborted", "abort", "crash", "crashed", "cancelled"})
_PASSED = frozenset(
    {"", "run", "pass", "passed", "ok", "success", "successful", "completed", "fixed", "executed"}
)
_ALONE = {"failure": "failed", "error": "error", "skipped": "skipped"}
_NEVER_STARTED = "unable to find executable"


@dataclass(slots=True)
class Problem:
    """One deciding child: `kind` is its lower-case local name, `left_out` counts text that was not kept."""

    kind: str
    message: str
    type: str
    text: str = ""
    left_out: int = 0


def verdict(problems: Sequence[Problem], attributes: Mapping[str, str]) -> str:
    """Say a case's outcome: passed, failed, error, skipped, flaky, or a status word we do not know.

    Children go before attributes, and failures before skips: a googletest case marked
    `status="disabled"` that holds a failure has failed. An unknown status is quoted, not taken
    for a pass: a guess could open a gate.

    >>> verdict([], {"status": "notrun"})
    'skipped'
    """
    if len(problems) == 1 and "status" not in attributes and "result" not in attributes:
        alone = problems[0]
        if alone.kind in _ALONE and not (alone.kind == "skipped" and _never_started(alone)):
            return _ALONE[alone.kind]
    kinds = {problem.kind for problem in problems}
    if any(problem.kind == "skipped" and problem.type == "todo" for problem in problems):
        return "skipped"
    if "failure" in kinds:
        return "failed"
    if "error" in kinds:
        return "error"
    said = [attributes.get("status", "").strip().lower(), attributes.get("result", "").strip().lower()]
    if "skipped" in kinds or not _SKIPPED.isdisjoint(said):
        return "error" if any(map(_never_started, problems)) else "skipped"
    if "failure" in attributes or not _FAILED.isdisjoint(said):
        return "failed"
    if not _ERROR.isdisjoint(said):
        return "error"
    for word in said:
        if word not in _PASSED:
            return word
    return "flaky" if kinds & RETRIED else "passed"


def _never_started(problem: Problem) -> bool:
    return problem.message[: len(_NEVER_STARTED)].lower() == _NEVER_STARTED


def worst(counts: Mapping[str, int], *, damaged: bool) -> str:
    """Say the outcome of a whole file from the numbers of its cases' words.

    Worst first: failed, error, damaged (some of the file could not be read), unclear (a word that
    is not ours), empty (nothing was executed), flaky, partial (some were skipped), passed.

    >>> worst({"passed": 3, "skipped": 1}, damaged=False), worst({"skipped": 2}, damaged=False)
    ('partial', 'empty')
    """
    held = {word for word, count in counts.items() if count}
    for word in ("failed", "error"):
        if word in held:
            return word
    if damaged:
        return "damaged"
    if held - {"passed", "flaky", "skipped"}:
        return "unclear"
    if held <= {"skipped"}:
        return "empty"
    if "flaky" in held:
        return "flaky"
    return "partial" if "skipped" in held else "passed"
