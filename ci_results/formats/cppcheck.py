"""cppcheck's findings as XML (`--xml`): recognise it, read it. See docs/formats/cppcheck.md."""

from __future__ import annotations

import re
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
from .xml_elements import Element, Ended
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "severity error": Outcome.FAILED,
    "severity warning": Outcome.NEEDS_INSPECTION,
    "severity style": Outcome.INFO,
    "severity performance": Outcome.INFO,
    "severity portability": Outcome.INFO,
    "severity information": Outcome.INFO,
}
_OWN = re.compile(rb"<cppcheck\s")


class Cppcheck:
    """Reads findings: one observation a check that found something, then one for the whole report."""

    name: ClassVar[str] = "cppcheck"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is results, with the version of cppcheck in it."""
        return root_name(head) == "results" and _OWN.search(head) is not None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES, checker=True)
        findings = Findings(OUTCOMES)
        version = ""
        for each in xml_records(stream, telling, ("results",), ("error", "cppcheck")):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Ended):
                telling.ran += each.name == "errors"
            elif isinstance(each, Element):
                if each.name == "cppcheck":
                    version = each.get("version")
                elif not each.get("id") or not each.get("severity"):
                    yield from telling.bad(each.attributes, "an error without an id or a severity")
                else:
                    findings.add(each.get("id"), f"severity {each.get('severity').lower()}", _line(each))
        yield from findings.children(telling, ran=True)
        data = {"tool_version": plain_text.value(version)} if version else {}
        yield from telling.end(note=f"{findings.total} findings", data=data, total="checks")


def _line(error: Element) -> str:
    place = error.at("location")
    where = f"{place.get('file')}:{place.get('line')}: " if place.get("file") else ""
    inconclusive = " [inconclusive]" if error.get("inconclusive") == "true" else ""
    return f"{where}{error.get('severity')}: {error.get('msg')}{inconclusive}"
