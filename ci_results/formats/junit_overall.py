"""The observation that stands for a whole JUnit file, and the one for a file that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..domain.observation import Observation
from .junit_outcome import worst

if TYPE_CHECKING:
    from ..domain.report import Report
    from .junit_cases import Cases

OVERALL = "overall"
"""The key of the observation that stands for the whole file; it is the parent of its cases."""
_TOLD_DAMAGES = 3


def overall(about: Report, cases: Cases, damage: Sequence[str]) -> Observation:
    """Sum the file up; call it when all is read.

    It is named after the prefix, or `PREFIX.junit` where the prefix has no dot. Never passed: a
    file in which nothing was executed, or of which some could not be read.
    """
    counts = cases.counts
    declared = cases.declared
    found = _found(counts)
    data: dict[str, str | tuple[str, ...]] = {"cases": str(found["tests"])}
    data.update({word: str(count) for word, count in sorted(counts.items())})
    differing = declared.differing(found)
    data.update({f"declared_{what}": str(count) for what, count in differing.items()})
    if cases.title:
        data["title"] = cases.title[:1024]
    if declared.timestamp:
        data["timestamp"] = declared.timestamp
        if declared.zone_assumed:
            data["timezone"] = "UTC assumed"
    if damage:
        data["recovered"] = "true"
        data["damage"] = tuple(damage[:_TOLD_DAMAGES])
    word = worst(counts, damaged=bool(damage))
    if damage and not found["tests"]:
        word = "error"
    return Observation(
        key=OVERALL,
        testcase=about.prefix if "." in about.prefix else f"{about.prefix}.junit",
        outcome=word,
        item=about.item,
        item_type=about.item_type,
        time=cases.time,
        duration_s=declared.duration_s,
        note=_note(counts, found, differing, damage),
        scenario=about.scenario,
        arch=about.arch,
        data=data,
        run=about.run,
    )


def synthetic(about: Report, name: str, reason: str) -> Observation:
    """Tell of a file without one readable case as Jenkins does: by one case, `[empty]` or `[failed-to-read]`.

    Its outcome is `error`, where Jenkins says failed: that nothing could be read is no verdict on
    what was tested.
    """
    return Observation(
        key=name,
        testcase=f"{about.prefix}.{name}",
        outcome="error",
        item=about.item,
        item_type=about.item_type,
        time=about.time,
        note=reason,
        scenario=about.scenario,
        arch=about.arch,
        parent=OVERALL,
        run=about.run,
    )


def _found(counts: dict[str, int]) -> dict[str, int]:
    return {
        "tests": sum(counts.values()),
        "failures": counts.get("failed", 0),
        "errors": counts.get("error", 0),
        "skipped": counts.get("skipped", 0),
    }


def _note(
    counts: dict[str, int], found: dict[str, int], differing: dict[str, int], damage: Sequence[str]
) -> str:
    said = [", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "no cases"]
    if set(counts) <= {"skipped"}:
        said.append("nothing executed")
    if "tests" in differing:
        said.append(f"the file declares {differing['tests']} tests, it holds {found['tests']}")
    if damage:
        said.append(f"the file is damaged, read as far as it goes: {damage[0]}")
        if len(damage) > 1:
            said.append(f"{len(damage) - 1} more damages")
    return "; ".join(said)
