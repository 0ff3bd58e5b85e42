"""A test of an Allure results folder, UUID-result.json: recognise it, read it. See docs/formats/allure.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import inside, number, objects, text, took_ms, when
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "broken": Outcome.ERROR,
    "skipped": Outcome.INFO,
    "unknown": Outcome.NEEDS_INSPECTION,
    "known failure": Outcome.INFO,
    "flaky": Outcome.PASSED,
}
_FIELDS = ("uuid", "historyId", "testCaseId", "name", "fullName", "status", "statusDetails", "stage", "start",
           "stop", "labels", "parameters", "links")  # fmt: skip
_LABELS = (
    "severity",
    "tag",
    "framework",
    "language",
    "owner",
    "epic",
    "feature",
    "story",
    "suite",
    "parentSuite",
)


class Allure:
    """Reads one test's result; a folder of them is a file each, and none tells of the others."""

    name: ClassVar[str] = "allure"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has the uuid, name and status of a test, and one of Allure's own fields."""
        found = shape(head)
        needed = {("uuid",), ("status",), ("name",)} <= set(found)
        return needed and bool({("historyId",), ("labels",), ("testCaseId",), ("fullName",)} & set(found))

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield one observation; what could not be read besides, with a whole that says so."""
        telling = Telling(about, self.name, OUTCOMES)
        test: dict[str, Any] = {}
        for path, value in json_records(stream, *((field,) for field in _FIELDS)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif len(path) == 1:
                test[path[0]] = value
        if text(test, "status"):
            yield _observation(test, telling, alone=not telling.damage)
        elif not telling.damage:
            yield from telling.bad(test, "a result without a status")
        if telling.damage:
            yield from telling.end()


def _observation(test: Mapping[str, Any], telling: Telling, *, alone: bool) -> Observation:
    details = inside(test, "statusDetails")
    status = text(test, "status").lower()
    if status in ("failed", "broken") and (details.get("known") is True or details.get("muted") is True):
        status = "known failure"
    elif status == "passed" and details.get("flaky") is True:
        status = "flaky"
    data: dict[str, str | tuple[str, ...]] = {}
    for name in _LABELS:
        said = [
            plain_text.value(text(each, "value"))
            for each in objects(test, "labels")
            if each.get("name") == name
        ]
        if said:
            data[name] = tuple(said[:100])
    for ours, theirs in (("history", "historyId"), ("uuid", "uuid")):
        if told := text(test, theirs):
            data[ours] = plain_text.value(told)
    start, stop = number(test, "start"), number(test, "stop")
    took = None if start is None or stop is None else took_ms({"took": stop - start}, "took")
    links = (plain_text.link(each.get("url")) for each in objects(test, "links"))
    return telling.child(
        _name(test),
        status,
        note=plain_text.note(text(details, "message"), text(details, "trace")),
        time=when(test, "stop"),
        duration_s=took,
        ref_url=next((link for link in links if link), None),
        parent=None if alone else "overall",
        data=data,
        key=text(test, "uuid") or None,
    )


def _name(test: Mapping[str, Any]) -> str:
    """Name a test by its full name, and its parameters where the name has them.

    >>> _name({"name": "test_param[a]", "fullName": "test_x#test_param"})
    'test_x.test_param[a]'
    """
    name, full = text(test, "name"), text(test, "fullName").replace("#", ".")
    if not full:
        return name
    base = name.partition("[")[0]
    return f"{full}{name[len(base) :]}" if base and full.endswith(base) else full
