"""rpminspect's results as text, where nothing else was kept: recognise it, read it.

The text is wrapped for a terminal, and details may hold its own labels: the JSON is better. See
docs/formats/rpminspect.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from .rpminspect import OUTCOMES, WORDS, Inspection, telling_of
from .text_lines import Lines, first_lines

_HEADING = re.compile(r"([a-z][a-z0-9-]{1,40}):$")
_RESULT = re.compile(r"Result: ([A-Za-z]{2,20})\s*$")
_WAIVER = re.compile(r"Waiver Authorization: (.{1,80})$")
_LABEL = re.compile(r"(?:Details|Suggested Remedy):\s*$")
_ENTRY = re.compile(r"\d{1,5}\) ")
_SAID_CHARS = 4_096


class RpminspectText:
    """Reads rpminspect's text, as Rpminspect reads its JSON."""

    name: ClassVar[str] = "rpminspect_text"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether an underlined inspection comes first, and a result in rpminspect's words after it."""
        lines = [line for line in first_lines(head) if line.strip()]
        if len(lines) < 3 or not _underlined(lines[0], lines[1]):
            return False
        found = (_RESULT.match(line) for line in lines)
        return any(result and result[1] in WORDS for result in found)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = telling_of(about)
        lines = Lines(stream)
        inspection, entry = Inspection(""), _Entry()
        before = ""
        for line in lines:
            if _underlined(before, line):
                entry.close(inspection)
                yield from inspection.told(telling)
                inspection, entry = Inspection(before.rstrip()[:-1]), _Entry()
                before = ""
            else:
                entry.take(before, inspection)
                before = line
        entry.take(before, inspection)
        entry.close(inspection)
        yield from inspection.told(telling)
        if lines.cut or not telling.words:
            reason = "the report is longer than 1 GiB" if lines.cut else "no inspection is in it"
            yield telling.unread(Garbled(raw=b"", reason=reason, kind="report"))
        yield from telling.end(total="inspections")


class _Entry:
    """One result of the text: what stands before and behind its `Result:`."""

    def __init__(self) -> None:
        self._word = self._authority = ""
        self._said: list[str] = []
        self._chars = 0

    def take(self, line: str, inspection: Inspection) -> None:
        if result := _RESULT.match(line):
            if result[1] in WORDS:
                if self._word:
                    self.close(inspection)
                self._word = result[1]
                return
        elif waiver := _WAIVER.match(line):
            self._authority = waiver[1].strip()
            return
        elif _LABEL.match(line):
            return
        elif _ENTRY.match(line) and self._word:
            self.close(inspection)
        if line.strip() and self._chars < _SAID_CHARS:
            self._said.append(line.strip())
            self._chars += len(line)

    def close(self, inspection: Inspection) -> None:
        """Hand over what was read, if it had a word."""
        if self._word:
            inspection.add(self._word, "\n".join(self._said), self._authority)
        self._word = self._authority = ""
        self._said, self._chars = [], 0


def _underlined(heading: str, line: str) -> bool:
    found = _HEADING.match(heading.rstrip())
    return bool(found) and line.rstrip() == "-" * len(heading.rstrip())
