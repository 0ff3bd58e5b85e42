"""What valgrind's tools found (`--xml=yes`): recognise it, read it. See docs/formats/valgrind.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .findings import Findings
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Element
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "drd error": Outcome.FAILED,
    "helgrind error": Outcome.FAILED,
    "memcheck error": Outcome.FAILED,
    "definitely lost": Outcome.FAILED,
    "possibly lost": Outcome.NEEDS_INSPECTION,
    "indirectly lost": Outcome.INFO,
    "still reachable": Outcome.INFO,
    "fatal signal": Outcome.FAILED,
    "not finished": Outcome.ERROR,
}
_LEAKS = {
    "Leak_DefinitelyLost": "definitely lost",
    "Leak_PossiblyLost": "possibly lost",
    "Leak_IndirectlyLost": "indirectly lost",
    "Leak_StillReachable": "still reachable",
}
_RECORDS = ("tool", "args", "status", "error", "fatal_signal")


class Valgrind:
    """Reads one process's errors: one observation a kind that was found, then one for the process."""

    name: ClassVar[str] = "valgrind"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is valgrindoutput."""
        return root_name(head) == "valgrindoutput"

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES, checker=True)
        findings = Findings(OUTCOMES)
        tool = program = state = signal = ""
        for each in xml_records(stream, telling, ("valgrindoutput",), _RECORDS):
            if isinstance(each, Garbled):
                yield each
            elif not isinstance(each, Element):
                continue
            elif each.name == "tool":
                tool = each.text.strip()
            elif each.name == "args":
                program = each.at("argv", "exe").text.strip()
            elif each.name == "status":
                state = each.at("state").text.strip()
            elif each.name == "fatal_signal":
                signal = each.at("signame").text.strip() or "a signal"
            elif each.name == "error":
                yield from _error(each, tool, findings, telling)
        yield from findings.children(telling, ran=True)
        telling.ran += state == "FINISHED"
        said = f"{findings.total} errors"
        word = None
        if signal:
            word, said = "fatal signal", f"{said}; the program was ended by {signal}"
        elif state != "FINISHED":
            word, said = "not finished", f"{said}; it does not say that the program finished"
        told = {"tool": tool, "program": program}
        data = {name: plain_text.value(value) for name, value in told.items() if value}
        yield from telling.end(word=word, note=said, data=data, total="kinds")


def _error(error: Element, tool: str, findings: Findings, telling: Telling) -> Iterator[Garbled]:
    kind = error.at("kind").text.strip()
    if not kind:
        yield from telling.bad(error.at("what").text, "an error without a kind")
        return
    what = error.at("what").text or error.at("xwhat", "text").text
    place = _place(error.at("stack"))
    line = f"{place}: {what.strip()}" if place else what.strip()
    findings.add(kind, _LEAKS.get(kind, f"{tool or 'memcheck'} error"), line)


def _place(stack: Element) -> str:
    """Say the first line of code on a stack, past valgrind's own; else the function on top."""
    frames = list(stack.all("frame"))
    for frame in frames:
        if frame.at("line").text and "vgpreload" not in frame.at("obj").text:
            return f"{frame.at('file').text.strip()}:{frame.at('line').text.strip()}"
    return frames[0].at("fn").text.strip() if frames else ""
