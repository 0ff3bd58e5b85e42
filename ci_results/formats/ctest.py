"""CTest's Test.xml, as it is sent to CDash: recognise it, read it. See docs/formats/ctest.md."""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode
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
from .xml_elements import Begun, Element, Ended
from .xml_head import root_name
from .xml_records import xml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "disabled": Outcome.INFO,
    "skipped": Outcome.INFO,
    "could not run": Outcome.ERROR,
}
_TESTING = re.compile(rb"<(?:[\w.-]+:)?Testing[\s/>]")
_TIMES = ("StartTestTime", "EndTestTime")
_MAX_OUTPUT = 64 << 10
_LABELS = 100


class CTest:
    """Reads a Test.xml as a stream: one observation a test, then one for the whole run."""

    name: ClassVar[str] = "ctest"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is Site, and Testing is in it, not Build or Coverage."""
        return root_name(head) == "Site" and _TESTING.search(head) is not None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES)
        listing, listed = False, 0
        times: dict[str, str] = {}
        for each in xml_records(stream, telling, ("Site",), ("Test", *_TIMES)):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Begun | Ended):
                listing = each.name == "TestList" and isinstance(each, Begun)
            elif each.name in _TIMES:
                times[each.name] = each.text
                telling.time = moment(each.text)[0] or telling.time
            elif listing:
                listed += 1
            else:
                yield _test(each, telling)
        start, end = (moment(times.get(name))[0] for name in _TIMES)
        if start and end:
            telling.duration_s = max((end - start).total_seconds(), 0.0)
        missing = listed > telling.words.total()
        yield from telling.end(
            word="inspect" if missing else None,
            note=f"the run lists {listed} tests, it tells of {telling.words.total()}" if missing else None,
            data={"declared_tests": str(listed)} if missing else None,
        )


def _test(test: Element, telling: Telling) -> Observation:
    results = test.at("Results")
    said = {each.get("name"): each.at("Value").text for each in results.all("NamedMeasurement")}
    word = _word(test.get("Status").lower(), said.get("Completion Status", ""))
    data: dict[str, str | tuple[str, ...]] = {}
    labels = [plain_text.value(label.text) for label in test.at("Labels").all("Label")]
    if labels:
        data["label"] = tuple(labels[:_LABELS])
    for ours, theirs in (("exit_code", "Exit Code"), ("exit_value", "Exit Value")):
        if told := said.get(theirs):
            data[ours] = plain_text.value(told)
    reason = said.get("Exit Code") if word == "failed" else said.get("Completion Status")
    return telling.child(
        (test.at("FullName").text or test.at("Name").text).removeprefix("./"),
        word,
        note=None
        if word == "passed"
        else plain_text.note(reason, _output(results.at("Measurement", "Value"))),
        duration_s=seconds(said.get("Execution Time")),
        data=data,
    )


def _word(status: str, completion: str) -> str:
    """Say how a test went: what was not run was skipped on purpose, or else could not be.

    >>> _word("notrun", "Disabled"), _word("notrun", "SKIP_RETURN_CODE=77"), _word("notrun", "Missing data")
    ('disabled', 'skipped', 'could not run')
    """
    if status != "notrun":
        return status or "no status"
    if completion == "Disabled":
        return "disabled"
    return "skipped" if completion.startswith("SKIP") else "could not run"


def _output(value: Element) -> str:
    """Give what the test printed, unpacked; at most 64 KiB of what is packed."""
    if value.get("encoding") != "base64":
        return value.text
    try:
        packed = b64decode(value.text)
        if value.get("compression"):
            packed = zlib.decompressobj(wbits=47).decompress(packed, _MAX_OUTPUT)
        return packed.decode("utf-8", "replace")
    except (binascii.Error, zlib.error, ValueError):
        return "[its output is packed, and cannot be unpacked here: look at CTest's own log]"
