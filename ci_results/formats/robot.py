"""Robot Framework's output.xml: recognise it, read it. See docs/formats/robot.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import junit_names, plain_text
from .junit_values import end_of, moment, seconds
from .telling import Telling
from .whole import WHOLE
from .xml_elements import Begun, Element, Ended
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "skip": Outcome.INFO,
    "not run": Outcome.INFO,
    "noncritical fail": Outcome.NEEDS_INSPECTION,
}
_STEPS = ("kw", "for", "while", "if", "try", "group", "iter", "branch", "variable", "return", "break",
          "continue", "error", "msg")  # fmt: skip
_SKIPPED = (*_STEPS, "doc", "metadata", "meta", "statistics", "errors", "timeout")
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_TAGS = 100


class Robot:
    """Reads an output.xml as a stream: one observation a test, then one for the whole run."""

    name: ClassVar[str] = "robot"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is robot."""
        return root_name(head) == "robot"

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES)
        path: list[str] = []
        for each in xml_records(stream, telling, ("robot",), ("test", "status"), _SKIPPED):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element) and each.name == "test":
                yield _test(each, tuple(path), telling)
            elif isinstance(each, Element):
                # The outermost suite ends last: its time is that of the run.
                telling.time, telling.duration_s = _ended(each)
            elif isinstance(each, Begun) and each.name == "suite":
                path.append(each.attributes.get("name", ""))
            elif isinstance(each, Ended) and each.name == "suite" and path:
                path.pop()
        yield from telling.end()


def _test(test: Element, path: tuple[str, ...], telling: Telling) -> Observation:
    status = Element("status", {})
    for status in test.all("status"):  # noqa: B007 - the last one is the test's
        pass
    word = status.get("status").lower() or "no status"
    if word == "fail" and "no" in (status.get("critical"), test.get("critical")):
        word = "noncritical fail"
    tags = [plain_text.value(tag.text) for tag in (*test.all("tag"), *test.at("tags").all("tag"))]
    data: dict[str, str | tuple[str, ...]] = {"tag": tuple(tags[:_TAGS])} if tags else {}
    if line := test.get("line"):
        data["line"] = plain_text.value(line)
    time, took = _ended(status)
    return telling.child(
        junit_names.head(path) + test.get("name"),
        word,
        note=plain_text.note(status.text),
        time=time,
        duration_s=took,
        data=data,
    )


def _ended(status: Element) -> tuple[datetime | None, float | None]:
    """Give the end and the duration that a status tells: `start` and `elapsed`, before 7.0 two times."""
    if status.get("start"):
        start, took = moment(status.get("start"))[0], seconds(status.get("elapsed"))
        return (end_of(start, took) if start else None), took
    start, end = _stamp(status.get("starttime")), _stamp(status.get("endtime"))
    return end, max((end - start).total_seconds(), 0.0) if start and end else None


def _stamp(text: str) -> datetime | None:
    """Read `20231116 17:35:01.772`, which names no zone and is taken as UTC."""
    found = _STAMP.fullmatch(text)
    return moment(f"{found[1]}-{found[2]}-{found[3]}T{found[4]}")[0] if found else None
