"""The JSON of GoogleTest, `--gtest_output=json`: recognise it, read it. See docs/formats/gtest.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import junit_names, plain_text
from .json_records import json_records, shape
from .json_values import number, objects, text, took_s, when
from .junit_values import end_of
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "skipped": Outcome.INFO,
    "suppressed": Outcome.INFO,
    "notrun": Outcome.INFO,
}
_TEST = ("testsuites", "[]", "testsuite", "[]")
_FIELDS = ("tests", "timestamp", "time", "random_seed")
_DATA = {"file": "file", "line": "line", "value_param": "value_param", "type_param": "type_param"}
_OUTSIDE = "[outside of tests]"
_PASSED = {"completed": "passed", "run": "passed"}
"""What is said of a test that came to its end; it has passed if it tells of no failure."""


class GTest:
    """Reads a report of GoogleTest as a stream: one observation a test, then one for the whole report."""

    name: ClassVar[str] = "gtest"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has suites of suites, or none beside the counts that GoogleTest writes."""
        found = shape(head)
        if found.get(("testsuites",)) != []:
            return False
        return ("testsuites", "[]", "testsuite") in found or (("disabled",) in found and ("tests",) in found)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES)
        run: dict[str, Any] = {}
        for path, value in json_records(stream, _TEST, *((field,) for field in _FIELDS)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == _TEST:
                yield from _test(value, telling)
            elif path[0] in _FIELDS:
                run[path[0]] = value
                telling.duration_s = took_s(run, "time")
                start = when(run, "timestamp")
                telling.time = end_of(start, telling.duration_s) if start else None
        data = {}
        if seed := text(run, "random_seed"):
            data["random_seed"] = plain_text.value(seed)
        word = remark = None
        declared, found = number(run, "tests"), telling.words.total()
        if declared is not None and declared > found:  # failures outside of tests are not counted there
            data["declared_tests"] = f"{declared:.0f}"
            word, remark = "inspect", f"the report declares {declared:.0f} tests, it holds {found}"
        yield from telling.end(word=word, note=remark, data=data)


def _test(test: object, telling: Telling) -> Iterator[Observation | Garbled]:
    said = (text(test, "result") or text(test, "status")).lower()
    if not isinstance(test, dict) or not said:
        yield from telling.bad(test, "a test without a status: the report may be a list of tests only")
        return
    failures = [text(failure, "failure") for failure in objects(test, "failures")]
    skips = [text(skip, "message") for skip in objects(test, "skipped")]
    start, took = when(test, "timestamp"), took_s(test, "time")
    yield telling.child(
        junit_names.head((text(test, "classname"),)) + (text(test, "name") or _OUTSIDE),
        "failed" if test.get("failures") else _PASSED.get(said, said),
        note=plain_text.note(*failures, *skips),
        time=end_of(start, took) if start else None,
        duration_s=took,
        data={ours: plain_text.value(told) for theirs, ours in _DATA.items() if (told := text(test, theirs))},
    )
