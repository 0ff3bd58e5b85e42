"""Defects as csdiff and csmock write them in JSON: recognise it, read it. See docs/formats/csdiff.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .findings import Findings
from .json_records import json_records, shape
from .json_values import number, objects, text, when
from .telling import Telling
from .whole import WHOLE

TOOL = "covscan"
"""What its testcases are called: `dist.covscan`."""
OUTCOMES: dict[str, str] = {
    **WHOLE,
    "added": Outcome.NEEDS_INSPECTION,
    "defect": Outcome.NEEDS_INSPECTION,
    "found in full": Outcome.INFO,
    "scan failed": Outcome.ERROR,
}
"""`added` to the base of a diff; `found in full` by a scan that names no base; `defect` where nobody says."""
_TOOLS = {
    "CBMC_WARNING": "cbmc",
    "CLANG_WARNING": "clang",
    "COMPILER_WARNING": "gcc",
    "CPPCHECK_WARNING": "cppcheck",
    "GCC_ANALYZER_WARNING": "gcc-analyzer",
    "GITLEAKS_WARNING": "gitleaks",
    "INFER_WARNING": "infer",
    "PROSPECTOR_WARNING": "prospector",
    "PYLINT_WARNING": "pylint",
    "SEMGREP_WARNING": "semgrep",
    "SHELLCHECK_WARNING": "shellcheck",
    "SMATCH_WARNING": "smatch",
    "SNYK_CODE_WARNING": "snyk-code",
    "UNICONTROL_WARNING": "unicontrol",
    "VALGRIND_WARNING": "valgrind",
}
_DEFECTS = ("defects",)
_DEFECT = ("defects", "[]")
_SCAN = ("scan",)
_BASE = "diff-base-"
_TOLD = ("project-name", f"{_BASE}project-name", "mock-config", "tool", "tool-version", "enabled-plugins")


class Csdiff:
    """Reads a list of defects: one observation a tool that found something, then one for all."""

    name: ClassVar[str] = "csdiff"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has `defects` of checkers with events, or none and a `scan`."""
        found = shape(head)
        if found.get(_DEFECTS, _DEFECTS if found.get(_SCAN) == {} else None) not in ([], _DEFECTS):
            return False
        if (*_DEFECT, "checker") in found:
            return (*_DEFECT, "events") in found
        known = {("scan", "tool"), ("scan", "project-name"), ("scan", "mock-config"), ("scan", "exit-code")}
        return bool(known & set(found)) or set(found) == {(), _DEFECTS}

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, TOOL, OUTCOMES, checker=True)
        defects = Defects()
        scan: Mapping[str, Any] = {}
        listed = False
        for path, value in json_records(stream, _DEFECT, _SCAN):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == _DEFECTS:
                listed = True
            elif path == _SCAN:
                scan = value if isinstance(value, Mapping) else {}
            else:
                yield from _defect(value, defects, telling)
        telling.time = when(scan, "time-finished") or when(scan, "time-created")
        diff = any(name.startswith(_BASE) for name in scan)
        yield from defects.told("added" if diff else "found in full" if scan else "defect", telling, listed)
        exit_code = number(scan, "exit-code")
        data = {plain_text.attribute(name): plain_text.value(scan[name]) for name in _TOLD if name in scan}
        if diff:
            data["newnvr"] = plain_text.value(text(scan, "project-name"))
            data["oldnvr"] = plain_text.value(text(scan, f"{_BASE}project-name"))
        said = [f"{defects.total} {'added ' if diff else ''}defects"]
        if exit_code:
            said.append(f"the scan ended with exit code {exit_code:.0f}")
        yield from telling.end(
            word="scan failed" if exit_code else None, note="; ".join(said), data=data, total="tools"
        )


class Defects:
    """Defects summed up by the tool that found them; what they mean is only known at the end."""

    def __init__(self) -> None:
        self._findings = Findings(OUTCOMES)

    @property
    def total(self) -> int:
        """How many there are."""
        return self._findings.total

    def add(self, checker: str, line: str, tool: str = "") -> None:
        """Count a defect of one checker."""
        self._findings.add(plain_text.value(tool or tool_of(checker)), "defect", line)

    def told(self, word: str, telling: Telling, listed: bool) -> Iterator[Observation]:
        """Yield one child a tool, of that word; no defects in a list that is there is a pass."""
        yield from self._findings.children(telling, ran=True, word=word)
        if listed:
            telling.ran += 1


def tool_of(checker: str) -> str:
    """Say which tool a checker belongs to, where nobody says; what is not known is Coverity's.

    >>> tool_of("SHELLCHECK_WARNING"), tool_of("RESOURCE_LEAK")
    ('shellcheck', 'coverity')
    """
    return _TOOLS.get(checker, "coverity")


def _defect(defect: object, defects: Defects, telling: Telling) -> Iterator[Garbled]:
    checker = text(defect, "checker")
    if not checker:
        yield from telling.bad(defect, "a defect without a checker")
        return
    events = list(objects(defect, "events"))
    key = number(defect, "key_event_idx")
    if key is not None and 0 <= key < len(events):
        event = events[int(key)]
    else:
        loudest = (each for each in events if text(each, "verbosity_level") == "0")
        event = next(loudest, events[0] if events else {})
    cwe = text(defect, "cwe").removeprefix("CWE-")
    place = text(event, "file_name")
    if line := number(event, "line"):
        place = f"{place}:{line:.0f}"
    named = f"{checker} (CWE-{cwe})" if cwe else checker
    said = f"{place}: {named}: {text(event, 'event')}: {text(event, 'message')}"
    important = " [important]" if number(defect, "imp") else ""
    defects.add(checker, said + important, text(defect, "tool"))
