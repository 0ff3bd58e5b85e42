"""One result as a message of ResultsDB tells it, saved as a file. See docs/formats/resultsdb_message.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import text, when
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "failure": Outcome.FAILED,
}
_FIELDS = ("testcase", "outcome", "ref_url", "note", "data", "submit_time")
_PLACES: tuple[tuple[str, ...], ...] = ((), ("msg",), ("body",), ("body", "msg"))
"""Where the result lies: alone, or in the envelopes of buses."""
_ITEMS = ("item", "type", "arch", "scenario")


class ResultsDBMessage:
    """Reads one result: one observation, named as it says itself, without a parent."""

    name: ClassVar[str] = "resultsdb_message"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether a testcase, an outcome and an item lie together in it."""
        found = shape(head)
        return any(
            (*place, "outcome") in found
            and ((*place, "testcase") in found)
            and (*place, "data", "item") in found
            for place in _PLACES
        )

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield one observation; what could not be read besides, with a whole that says so."""
        telling = Telling(about, self.name, OUTCOMES)
        told: dict[str, Any] = {}
        wanted = [(*place, field) for place in _PLACES for field in _FIELDS]
        for path, value in json_records(stream, *wanted, ("body", "msg_id"), ("msg_id",)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path[-1] in (*_FIELDS, "msg_id"):
                told.setdefault(path[-1], value)
        if _name(told) and text(told, "outcome"):
            yield _observation(told, telling)
        elif not telling.damage:
            yield from telling.bad(told, "a result without a testcase or an outcome")
        if telling.damage:
            yield from telling.end()


def _observation(told: Mapping[str, Any], telling: Telling) -> Observation:
    data: dict[str, str | tuple[str, ...]] = {}
    given = told.get("data")
    for name, value in given.items() if isinstance(given, Mapping) else ():
        values = value if isinstance(value, list) else [value]
        said = tuple(plain_text.value(each) for each in values[:100] if isinstance(each, str | int | float))
        data[plain_text.attribute(str(name))] = said
    taken = {name: (data.pop(name, ("",)) or ("",))[0] for name in _ITEMS}
    testcase = told.get("testcase")
    if isinstance(testcase, Mapping) and (link := plain_text.link(testcase.get("ref_url"))):
        data["testcase_url"] = link
    name = _name(told)
    return telling.child(
        name,
        text(told, "outcome"),
        testcase=name,
        key=text(told, "msg_id") or None,
        note=plain_text.note(text(told, "note")),
        time=when(told, "submit_time"),
        ref_url=plain_text.link(told.get("ref_url")),
        item=taken["item"] or None,
        item_type=taken["type"] or None,
        arch=taken["arch"] or None,
        scenario=taken["scenario"] or None,
        parent="overall" if telling.damage else None,
        data=data,
    )


def _name(told: Mapping[str, Any]) -> str:
    """Give the testcase's name; one without a namespace is none."""
    testcase = told.get("testcase")
    name = text(testcase, "name") if isinstance(testcase, Mapping) else text(told, "testcase")
    head, dot, tail = name.partition(".")
    return name if head and dot and tail else ""
