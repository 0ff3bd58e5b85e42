"""The XML of xUnit.net, version 2 and later: recognise it, read it. See docs/formats/xunit_net.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .junit_values import end_of, moment, seconds
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "skip": Outcome.INFO,
    "notrun": Outcome.INFO,
}
ROOTS = ("assemblies", "assembly")


class XUnitNet:
    """Reads an xUnit.net report as a stream: one observation a test, then one for the whole report."""

    name: ClassVar[str] = "xunit_net"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is assemblies, or an assembly of tests."""
        root = root_name(head)
        return root == "assemblies" or (root == "assembly" and b"test-framework" in head)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES)
        for each in xml_records(
            stream, telling, ROOTS, ("test", "error"), ("traits", "output", "attachments")
        ):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element):
                yield _error(each, telling) if each.name == "error" else _test(each, telling)
            elif isinstance(each, Begun) and each.name == "assembly":
                _assembly(each.attributes, telling)
        yield from telling.end()


def _assembly(attributes: dict[str, str], telling: Telling) -> None:
    """Take the end of an assembly's run; the last one's is the report's."""
    took = seconds(attributes.get("time"))
    start, _ = moment(f"{attributes.get('run-date', '')}T{attributes.get('run-time', '')}")
    telling.time = end_of(start, took) if start else telling.time
    if took is not None:
        telling.duration_s = (telling.duration_s or 0.0) + took


def _test(test: Element, telling: Telling) -> Observation:
    failure = test.at("failure")
    data = {"problem_type": plain_text.value(kind)} if (kind := failure.get("exception-type")) else None
    return telling.child(
        test.get("name"),
        test.get("result").lower() or "no result",
        note=plain_text.note(
            failure.at("message").text, failure.at("stack-trace").text, test.at("reason").text
        ),
        duration_s=seconds(test.get("time")),
        data=data,
    )


def _error(error: Element, telling: Telling) -> Observation:
    """Tell of an error outside of any test: a fixture, an assembly that would not load."""
    failure = error.at("failure")
    return telling.child(
        error.get("name") or f"[{error.get('type') or 'error'}]",
        "error",
        note=plain_text.note(failure.at("message").text, failure.at("stack-trace").text, error.text),
    )
