"""gcc's messages as JSON: recognise them, read them. See docs/formats/gcc_json.md."""

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
from .records import BEGUN
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "diagnostic error": Outcome.FAILED,
    "diagnostic fatal error": Outcome.FAILED,
    "diagnostic internal compiler error": Outcome.ERROR,
    "diagnostic sorry, unimplemented": Outcome.ERROR,
    "diagnostic warning": Outcome.NEEDS_INSPECTION,
    "diagnostic note": Outcome.INFO,
}


class GccJSON:
    """Reads the messages of one compilation: one observation an option that warned, then one for all."""

    name: ClassVar[str] = "gcc_json"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it is a list of messages, each of a kind, with locations and children."""
        found = shape(head)
        wanted = {("[]", "kind"), ("[]", "message"), ("[]", "locations"), ("[]", "column-origin")}
        return found.get(()) == [] and wanted <= set(found)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, "gcc", OUTCOMES, checker=True)
        findings = Findings(OUTCOMES)
        for path, value in json_records(stream, ("[]",)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == ("[]",) and value is not BEGUN:
                yield from _message(value, findings, telling)
        yield from findings.children(telling, ran=True)
        yield from telling.end(note=f"{findings.total} messages", total="checks")


def _message(message: object, findings: Findings, telling: Telling) -> Iterator[Garbled]:
    kind = text(message, "kind")
    if not kind:
        yield from telling.bad(message, "a message without a kind")
        return
    place = inside(next(objects(message, "locations"), None), "caret")
    line = number(place, "line")
    where = f"{text(place, 'file')}:{line:.0f}: " if line is not None else ""
    option = text(message, "option").lstrip("-").replace("error=", "", 1)
    findings.add(option or kind, f"diagnostic {kind}", f"{where}{kind}: {text(message, 'message')}")
