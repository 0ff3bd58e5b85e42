"""NUnit's XML, versions 2 and 3: recognise it, read it. See docs/formats/nunit.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .junit_values import moment, seconds
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "success": Outcome.PASSED,
    "failure": Outcome.FAILED,
    "warning": Outcome.NEEDS_INSPECTION,
    "inconclusive": Outcome.INFO,
    "ignored": Outcome.INFO,
    "explicit": Outcome.INFO,
    "skipped": Outcome.INFO,
    "not run": Outcome.INFO,
    "cancelled": Outcome.ERROR,
    "invalid": Outcome.ERROR,
    "notrunnable": Outcome.ERROR,
}
ROOTS = ("test-run", "test-results")
_LABELS = frozenset({"error", "cancelled", "invalid", "ignored", "explicit"})
_SKIPPED = (
    "environment",
    "culture-info",
    "settings",
    "properties",
    "attachments",
    "assertions",
    "command-line",
)


class NUnit:
    """Reads an NUnit report as a stream: one observation a test case, then one for the whole report."""

    name: ClassVar[str] = "nunit"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is test-run or test-results."""
        return root_name(head) in ROOTS

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES)
        declared = ""
        for each in xml_records(stream, telling, ROOTS, ("test-case",), _SKIPPED):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element):
                yield _case(each, telling)
            elif isinstance(each, Begun) and each.name in ROOTS:
                declared = _root(each.attributes, telling)
        differs = declared.isascii() and declared.isdigit() and int(declared) != telling.words.total()
        yield from telling.end(data={"declared_tests": declared} if differs else None)


def _root(attributes: dict[str, str], telling: Telling) -> str:
    """Take the run's time; give the number of cases that it declares."""
    at = attributes.get("end-time") or f"{attributes.get('date', '')}T{attributes.get('time', '')}"
    telling.time = moment(at)[0]
    telling.duration_s = seconds(attributes.get("duration"))
    return attributes.get("total", "")[:20]


def _case(case: Element, telling: Telling) -> Observation:
    problem = case.at("failure") if any(case.all("failure")) else case.at("reason")
    data = {}
    if label := case.get("label"):
        data["label"] = plain_text.value(label)
    return telling.child(
        case.get("fullname") or case.get("name"),
        _word(case),
        note=plain_text.note(problem.at("message").text, problem.at("stack-trace").text),
        time=moment(case.get("end-time"))[0],
        duration_s=seconds(case.get("duration") or case.get("time")),
        data=data,
    )


def _word(case: Element) -> str:
    """Say how a case went: by its label where that says more, by `executed` and `success` in old files."""
    label, result = case.get("label").lower(), case.get("result").lower()
    if label in _LABELS:
        return label
    if result:
        return result
    if case.get("executed").lower() == "false":
        return "not run"
    success = case.get("success").lower()
    return {"true": "success", "false": "failure"}.get(success, "no result")
