"""What `cov-format-errors --json-output` writes: recognise it, read it. See docs/formats/coverity.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from .findings import Findings
from .json_records import json_records, shape
from .json_values import inside, number, objects, text
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {**WHOLE, "issue": Outcome.NEEDS_INSPECTION}
_ISSUES = ("issues",)
_ISSUE = ("issues", "[]")
_SUPPRESSED = ("suppressedIssueCount",)


class Coverity:
    """Reads Coverity's issues: one observation a checker that found something, then one for all."""

    name: ClassVar[str] = "coverity"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it calls itself Coverity's, or has issues with merge keys and checkers."""
        found = shape(head)
        if str(found.get(("type",), "")).startswith("Coverity"):
            return _ISSUES in found or ("formatVersion",) in found
        return (*_ISSUE, "checkerName") in found and (*_ISSUE, "mergeKey") in found

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES, checker=True)
        findings = Findings(OUTCOMES)
        data = {}
        listed = False
        for path, value in json_records(stream, _ISSUE, _SUPPRESSED):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == _ISSUES:
                listed = True
            elif path == _SUPPRESSED:
                data["suppressed"] = str(value)[:20]
            elif checker := text(value, "checkerName"):
                findings.add(checker, "issue", _line(value))
            else:
                yield from telling.bad(value, "an issue without a checker")
        yield from findings.children(telling, ran=True)
        telling.ran += listed
        yield from telling.end(note=f"{findings.total} issues", data=data, total="checks")


def _line(issue: object) -> str:
    events = list(objects(issue, "events"))
    main = next((each for each in events if each.get("main") is True), events[-1] if events else {})
    cwe = text(inside(issue, "checkerProperties"), "cweCategory")
    named = f"CWE-{cwe}: " if cwe and cwe != "none" else ""
    place = text(issue, "strippedMainEventFilePathname") or text(issue, "mainEventFilePathname")
    if line := number(issue, "mainEventLineNumber"):
        place = f"{place}:{line:.0f}"
    return f"{place}: {named}{text(main, 'eventTag')}: {text(main, 'eventDescription')}"
