"""The own XML of unit test frameworks: CppUnit, AUnit, Boost.Test, Qt Test, FPCUnit, Check.

See docs/formats/unit_xml.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import junit_names, plain_text
from .junit import OF_CHECK
from .junit_values import moment, seconds
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element, Ended
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "skipped": Outcome.INFO,
    "xfail": Outcome.INFO,
    "blacklisted": Outcome.INFO,
    "unexpected pass": Outcome.FAILED,
}
_MARKS = {
    "TestRun": re.compile(rb"<(?:Successful|Failed)Tests?[\s/>]|<Statistics>"),
    "TestLog": re.compile(rb"<Test(?:Suite|Case)[\s/>]"),
    "TestCase": re.compile(rb"<(?:TestFunction|QtVersion)[\s/>]"),
    "TestResults": re.compile(rb"<(?:TestListing|NumberOfRunTests)[\s/>]"),
    "testsuites": OF_CHECK,
}
"""The first elements, and what tells that they are of these frameworks."""
_RECORDS = ("Test", "FailedTest", "TestCase", "TestFunction", "test", "title", "datetime", "Tests",
            "NumberOfRunTests")  # fmt: skip
_FPCUNIT = {"ok": "passed", "ignored": "skipped"}
_CHECK = {"success": "passed", "failure": "failed"}
_QT = {"pass": "passed", "fail": "failed", "xpass": "unexpected pass", "skip": "skipped"}
_BOOST = {"Error": "failed", "FatalError": "failed", "Exception": "error"}


class UnitXML:
    """Reads such a report as a stream: one observation a test, then one for the whole report."""

    name: ClassVar[str] = "unit_xml"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it begins as one of these frameworks does."""
        mark = _MARKS.get(root_name(head) or "")
        return mark is not None and mark.search(head) is not None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        reading = _Reading(Telling(about, self.name, OUTCOMES))
        for each in xml_records(stream, reading.telling, _MARKS, _RECORDS, ("stack", "Environment")):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element):
                yield from reading.record(each)
            elif isinstance(each, Begun):
                reading.begin(each)
            else:
                reading.finish(each)
        yield from reading.end()


class _Reading:
    """Where a report stands: in which suites, among which tests."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self._path: list[str] = []
        self._failed = False
        self._declared = ""

    def begin(self, begun: Begun) -> None:
        self._failed = begun.name == "FailedTests"
        if begun.name in ("TestSuite", "TestCase", "suite"):
            self._path.append(begun.attributes.get("name") or begun.attributes.get("Name") or "")

    def finish(self, ended: Ended) -> None:
        if ended.name in ("TestSuite", "TestCase", "suite") and self._path:
            self._path.pop()

    def record(self, record: Element) -> Iterator[Observation]:
        match record.name:
            case "TestCase":
                yield self._boost(record)
            case "TestFunction":
                yield from self._qt(record)
            case "test":
                yield self._check(record)
            case "Test" | "FailedTest":
                yield self._cppunit(record)
            case "title" if self._path:
                self._path[-1] = record.text
            case "datetime":
                self.telling.time = moment(record.text)[0]
            case "Tests" | "NumberOfRunTests":
                self._declared = record.text.strip()[:20]

    def end(self) -> Iterator[Observation]:
        found = self.telling.words.total()
        declared = int(self._declared) if self._declared.isascii() and self._declared.isdigit() else found
        differ = declared > found
        yield from self.telling.end(
            word="inspect" if differ else None,
            note=f"the report declares {declared} tests, it holds {found}" if differ else None,
            data={"declared_tests": str(declared)} if differ else None,
        )

    def _child(self, name: str, word: str, note: str | None, took: float | None, at: Element) -> Observation:
        data = {ours: plain_text.value(at.get(ours)) for ours in ("file", "line") if at.get(ours)}
        head = junit_names.head(self._path)
        return self.telling.child(head + name, word, note=note, duration_s=took, data=data)

    def _boost(self, case: Element) -> Observation:
        said = [each for each in case.children if each.name in _BOOST]
        words = [_BOOST[each.name] for each in said]
        word = "failed" if "failed" in words else "error" if words else "passed"
        if case.get("skipped").lower() in ("yes", "true"):
            word = "skipped"
        micros = seconds(case.at("TestingTime").text)
        note = plain_text.note(*(each.text for each in said), case.get("reason"))
        took = None if micros is None else micros / 1e6
        return self._child(case.get("name"), word, note, took, said[0] if said else case)

    def _qt(self, function: Element) -> Iterator[Observation]:
        """Yield each verdict of a function: one for each row of its data."""
        some = False
        for each in function.children:
            if each.name == "Incident" or (each.name == "Message" and each.get("type") == "skip"):
                some = True
                row, kind = each.at("DataTag").text, each.get("type").lower()
                word = "blacklisted" if kind.startswith("b") else _QT.get(kind, kind or "no result")
                name = f"{function.get('name')}({row})" if row else function.get("name")
                where = each if word != "passed" else Element("", {})
                yield self._child(name, word, plain_text.note(each.at("Description").text), None, where)
        if not some:
            yield self._child(function.get("name"), "no result", None, None, function)

    def _check(self, test: Element) -> Observation:
        word = test.get("result").lower() or "no result"
        note = None if word == "success" else plain_text.note(test.at("message").text, test.at("fn").text)
        name = ".".join(filter(None, (test.at("description").text, test.at("id").text)))
        iteration = test.at("iteration").text
        name = f"{name}[{iteration}]" if iteration not in ("", "0") else name
        took = seconds(test.at("duration").text)
        return self._child(name, _CHECK.get(word, word), note, took, Element("", {}))

    def _cppunit(self, test: Element) -> Observation:
        """Tell of a test of CppUnit or AUnit, whose place says how it went, or of FPCUnit, which says it."""
        result = test.get("Result").lower()
        failed = self._failed or test.name == "FailedTest"
        kind = test.at("FailureType").text.lower()
        word = "passed" if not failed else "error" if kind == "error" else "failed"
        if self._path or result:
            word = _FPCUNIT.get(result, result or "no result")
        spot = test.at("Location")
        where = Element("", {"file": spot.at("File").text, "line": spot.at("Line").text})
        note = plain_text.note(test.at("Message").text, test.at("ExceptionMessage").text)
        took = seconds(test.get("ElapsedTime"))
        return self._child(test.get("Name") or test.at("Name").text, word, note, took, where)
