"""Defects as text: csdiff's `.err`, and what compilers print. See docs/formats/csdiff_text.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from .csdiff import TOOL, Defects
from .telling import Telling
from .text_lines import Lines, first_lines
from .whole import WHOLE

OUTCOMES: dict[str, str] = {**WHOLE, "defect": Outcome.NEEDS_INSPECTION}

_ERROR = re.compile(r"Error: ([^:()]{1,200}?)(?: \(([^)]{1,200})\))?:(?: \[#def\d+\])?( \[important\])?\s*$")
_EVENT = re.compile(r"(\S.{0,1000}?):(?:(\d+|<unknown>):)?(?:\d+:)? ([\w\[\]=+.#-]{1,200}): (.*)")
_PATH = re.compile(r"path:(.{1,1000}?):(\d+):$")
_LEVELS = "warning|error|fatal error|style|performance|portability|information|note"
_ONE = re.compile(rf"(\S.{{0,1000}}?):(\d+):(?:\d+:)? ({_LEVELS}): (.*)")
_TOOL = re.compile(r" <--\[([\w.+-]{1,80})\]\s*$")
_FLAG = re.compile(r"\[([^\[\]\s]{1,120})\]\s*$")
_SHELLCHECK = re.compile(r"SC\d{4}$")


class CsdiffText:
    """Reads defects line by line: one observation a tool that found something, then one for all."""

    name: ClassVar[str] = "csdiff_text"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether its first line begins a defect: `Error: CHECKER:` or `file:1:2: warning: text`."""
        lines = [line for line in first_lines(head) if line.strip() and not line.startswith("#")][:2]
        if lines and _ERROR.match(lines[0]):
            return len(lines) < 2 or bool(_EVENT.match(lines[1]) or _PATH.match(lines[1]))
        return bool(lines and _ONE.match(lines[0]))

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, TOOL, OUTCOMES, checker=True)
        lines = Lines(stream)
        reading = _Reading()
        for line in lines:
            reading.take(line.rstrip())
        reading.close()
        defects = reading.defects
        if lines.cut or not defects.total:
            reason = "the report is longer than 1 GiB" if lines.cut else "no defect is in it"
            yield telling.unread(Garbled(raw=b"", reason=reason, kind="report"))
        yield from defects.told("defect", telling, listed=False)
        yield from telling.end(note=f"{defects.total} defects", total="tools")


class _Reading:
    """The defects so far, and the one that is open."""

    def __init__(self) -> None:
        self.defects = Defects()
        self._open: str | None = None
        self._named = ""
        self._line = ""
        self._path = ""

    def take(self, line: str) -> None:
        if not line:
            self.close()
        elif line.startswith("#"):
            return
        elif error := _ERROR.match(line):
            self.close()
            self._open = error[1]
            self._named = f"{error[1]} ({error[2]})" if error[2] else error[1]
        elif self._open is not None:
            self._event(line)
        elif one := _ONE.match(line):
            self._one(one[1], one[2], one[3], one[4])

    def _event(self, line: str) -> None:
        """Take an event of the open defect; the last that is no comment or trace is what it is about."""
        if path := _PATH.match(line):
            self._path = f"{path[1]}:{path[2]}"
        elif self._path:
            self._line, self._path = f"{self._path}: {self._named}: {line}", ""
        elif event := _EVENT.match(line):
            place = f"{event[1]}:{event[2]}" if event[2] and event[2].isdigit() else event[1]
            if not self._line or event[3].lower() in self._open_word():
                self._line = f"{place}: {self._named}: {event[3]}: {event[4]}"

    def _open_word(self) -> frozenset[str]:
        """Events that say what the defect is: those called like the checker, and plain warnings."""
        return frozenset({(self._open or "").lower(), "warning", "error"})

    def _one(self, path: str, number: str, level: str, said: str) -> None:
        tool = _TOOL.search(said)
        said = _TOOL.sub("", said)
        flag = _FLAG.search(said)
        if level == "note" and not flag:
            return  # it explains the line before
        name = tool[1] if tool else _tool(flag[1] if flag else "")
        self.defects.add("COMPILER_WARNING", f"{path}:{number}: {level}: {said}", name)

    def close(self) -> None:
        """End the open defect."""
        if self._open is not None:
            self.defects.add(self._open, self._line or self._named)
        self._open, self._line, self._path = None, "", ""


def _tool(flag: str) -> str:
    """Say which tool prints such a flag behind its message."""
    if _SHELLCHECK.match(flag):
        return "shellcheck"
    if flag.startswith("-Wanalyzer"):
        return "gcc-analyzer"
    return "compiler" if not flag or flag.startswith("-W") else "cppcheck"
