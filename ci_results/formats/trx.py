"""TRX, the results of Visual Studio's test platform: recognise it, read it. See docs/formats/trx.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO, ClassVar, NamedTuple

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .junit_values import moment, seconds
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element, Ended
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "notexecuted": Outcome.INFO,
    "inconclusive": Outcome.INFO,
    "warning": Outcome.NEEDS_INSPECTION,
    "completed": Outcome.NEEDS_INSPECTION,
    "passedbutrunaborted": Outcome.NEEDS_INSPECTION,
    "timeout": Outcome.ERROR,
    "aborted": Outcome.ERROR,
    "notrunnable": Outcome.ERROR,
    "disconnected": Outcome.ERROR,
    "inprogress": Outcome.RUNNING,
    "pending": Outcome.QUEUED,
}
_RESULTS = (
    "UnitTestResult",
    "TestResultAggregation",
    "GenericTestResult",
    "ManualTestResult",
    "WebTestResult",
    "TestResult",
)
_RECORDS = (*_RESULTS, "UnitTest")
_SKIPPED = ("ResultFiles", "CollectorDataEntries", "Workitems", "Properties", "TestSettings", "TestEntries")
_OTHERS = re.compile(rb"<(?:Successful|Failed)Tests?[\s/>]|<Statistics>")
_MAX_HELD_CHARS = 16 << 20
_FAILED_RUNS = {"failed": "failed", "error": "error", "aborted": "aborted", "timeout": "timeout"}


class TRX:
    """Reads a TRX file: one observation a result, then one for the whole run.

    A method's class is only told behind all results: these are held for it, 16 Mi characters of them;
    beyond that they are named by what they tell themselves.
    """

    name: ClassVar[str] = "trx"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is TestRun, and not that of CppUnit or AUnit."""
        return root_name(head) == "TestRun" and _OTHERS.search(head) is None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES)
        held = _Held(telling)
        word, remark = None, None
        for each in xml_records(stream, telling, ("TestRun",), _RECORDS, _SKIPPED):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element) and each.name == "UnitTest":
                held.define(each)
            elif isinstance(each, Element):
                yield from held.take(each)
            elif isinstance(each, Begun) and each.name == "Times":
                telling.time = moment(each.attributes.get("finish"))[0]
            elif isinstance(each, Begun) and each.name == "ResultSummary":
                said = each.attributes.get("outcome", "")
                word = _FAILED_RUNS.get(said.lower())
                remark = f"the run says {said}" if word else None
            elif isinstance(each, Ended) and each.name == "TestDefinitions":
                yield from held.told()
        yield from held.told()
        yield from telling.end(word=word, note=remark)


class _Result(NamedTuple):
    """What is kept of one result until its class is known."""

    test: str
    name: str
    word: str
    note: str | None
    time: datetime | None
    duration_s: float | None


class _Held:
    """Results that wait for the definitions of their tests."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._classes: dict[str, str] = {}
        self._results: list[_Result] = []
        self._chars = 0
        self._defined = False

    def define(self, test: Element) -> None:
        """Know the class of a test."""
        name = test.at("TestMethod").get("className").partition(",")[0]
        self._chars += len(name) + 64
        if name and self._chars < 4 * _MAX_HELD_CHARS:
            self._classes[test.get("id")] = name

    def take(self, result: Element) -> Iterator[Observation]:
        """Hold a result; tell all that is held where that is too much. Inner results go before theirs."""
        for inner in result.at("InnerResults").children:
            if inner.name in _RESULTS:
                yield from self.take(inner)
        error = result.at("Output", "ErrorInfo")
        said = plain_text.note(error.at("Message").text, error.at("StackTrace").text)
        kept = _Result(
            result.get("testId"),
            result.get("testName"),
            result.get("outcome").lower() or "no outcome",
            said,
            moment(result.get("endTime"))[0],
            seconds(result.get("duration")),
        )
        self._results.append(kept)
        self._chars += 500 + len(said or "")
        if self._chars > _MAX_HELD_CHARS:
            yield from self.told()

    def told(self) -> Iterator[Observation]:
        """Tell the results that are held, by the classes that are known."""
        results, self._results = self._results, []
        for each in results:
            owner = self._classes.get(each.test, "")
            name = each.name if not owner or each.name.startswith(owner) else f"{owner}.{each.name}"
            yield self._telling.child(
                name, each.word, note=each.note, time=each.time, duration_s=each.duration_s
            )
