"""What rpmlint prints: recognise it, read it. See docs/formats/rpmlint.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from .findings import Findings
from .telling import Telling
from .text_lines import Lines, first_lines
from .whole import WHOLE

OUTCOMES: dict[str, str] = {**WHOLE, "e": Outcome.FAILED, "w": Outcome.INFO, "i": Outcome.INFO}
_FINDING = re.compile(r"(\S.{0,1000}?): ([EWI]): ([\w.+-]{1,200})(?:\s+(.*))?$")
_SUMMARY = re.compile(
    r"\s*(\d{1,9}) packages? and (\d{1,9}) specfiles? checked; (\d{1,9}) errors?, (\d{1,9}) warnings?(.*)$"
)
_BADNESS = re.compile(r" (\d{1,9}) badness")
_TOOK = re.compile(r"has taken (\d{1,9}(?:\.\d+)?) s")
_VERSION = re.compile(r"rpmlint: ([\d.]{1,20})$")
_SESSION = "rpmlint session starts"


class Rpmlint:
    """Reads rpmlint's output: one observation a check that found something, then one for all."""

    name: ClassVar[str] = "rpmlint"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether its first lines hold rpmlint's greeting, its summary, or nothing but findings."""
        lines = [line for line in first_lines(head) if line.strip()]
        if any(_SESSION in line for line in lines[:20]) or any(_SUMMARY.match(line) for line in lines[:200]):
            return True
        return len(lines) > 1 and all(_FINDING.match(line) for line in lines[:2])

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the output holds."""
        telling = Telling(about, self.name, OUTCOMES, checker=True)
        findings, lines = Findings(OUTCOMES), Lines(stream)
        summary: re.Match[str] | None = None
        data: dict[str, str] = {}
        for line in lines:
            if found := _FINDING.match(line):
                where, level, check, details = found.groups()
                findings.add(check, level, f"{where}: {details}" if details else where)
            elif ended := _SUMMARY.match(line):
                summary = ended
            elif version := _VERSION.match(line):
                data["rpmlint"] = version[1]
        if lines.cut or summary is None:
            reason = "the output is longer than 1 GiB" if lines.cut else "the output ends without its summary"
            yield telling.unread(
                Garbled(raw=b"", reason=reason, position=f"line {lines.number}", kind="report")
            )
        yield from findings.children(telling, ran=True)
        word, remark = _summed_up(summary, data, telling)
        yield from telling.end(word=word, note=remark, data=data, total="checks")


def _summed_up(
    summary: re.Match[str] | None, data: dict[str, str], telling: Telling
) -> tuple[str | None, str | None]:
    """Take what the last line says; errors that it counts make the whole fail, shown or not."""
    if summary is None:
        return None, None
    packages, specfiles, errors, warnings, rest = summary.groups()
    data.update(packages=packages, specfiles=specfiles, errors=errors, warnings=warnings)
    if badness := _BADNESS.search(rest):
        data["badness"] = badness[1]
    if took := _TOOK.search(rest):
        telling.duration_s = float(took[1])
    if int(packages) or int(specfiles):
        telling.ran += 1
    else:
        telling.ran = 0
    return "E" if int(errors) else None, f"{errors} errors, {warnings} warnings"
