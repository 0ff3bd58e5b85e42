"""A suite of Allure 1, UUID-testsuite.xml: recognise it, read it. See docs/formats/allure.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import junit_names, plain_text
from .junit_values import moment
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "broken": Outcome.ERROR,
    "canceled": Outcome.INFO,
    "skipped": Outcome.INFO,
}
_SKIPPED = ("steps", "attachments", "description")
_LABELS = ("severity", "tag", "framework", "language", "owner", "story", "feature", "issue", "testId")
_LISTED = 100


class AllureXML:
    """Reads a suite as a stream: one observation a test case, then one for the suite."""

    name: ClassVar[str] = "allure_xml"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is a test-suite of Allure's namespace."""
        return root_name(head) == "test-suite" and b"allure" in head

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the suite holds."""
        telling = Telling(about, "allure", OUTCOMES)
        suite = ""
        for each in xml_records(stream, telling, ("test-suite",), ("test-case", "name"), _SKIPPED):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Begun) and each.name == "test-suite":
                telling.time, telling.duration_s = (
                    moment(each.attributes.get("stop"))[0],
                    _took(each.attributes),
                )
            elif isinstance(each, Element) and each.name == "name":
                suite = each.text
            elif isinstance(each, Element):
                yield _case(each, suite, telling)
        yield from telling.end()


def _case(case: Element, suite: str, telling: Telling) -> Observation:
    status = case.get("status").lower()
    failure = case.at("failure")
    data: dict[str, str | tuple[str, ...]] = {}
    for label in case.at("labels").all("label"):
        name = label.get("name")
        if name in _LABELS:
            data[name] = (*data.get(name, ()), plain_text.value(label.get("value")))[:_LISTED]
    parameters = [each for each in case.at("parameters").all("parameter") if each.get("kind") == "argument"]
    if severity := case.get("severity"):
        data["severity"] = plain_text.value(severity)
    said = ",".join(each.get("value") for each in parameters)
    return telling.child(
        f"{junit_names.head((suite,))}{case.at('name').text}{f'[{said}]' if said else ''}",
        "skipped" if status == "pending" else status or "no status",
        note=plain_text.note(failure.at("message").text, failure.at("stack-trace").text),
        time=moment(case.get("stop"))[0],
        duration_s=_took(case.attributes),
        data=data,
    )


def _took(attributes: dict[str, str]) -> float | None:
    """Give the seconds between `start` and `stop`, which are milliseconds since 1970."""
    start, stop = moment(attributes.get("start"))[0], moment(attributes.get("stop"))[0]
    return max((stop - start).total_seconds(), 0.0) if start and stop else None
