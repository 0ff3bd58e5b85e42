"""Avocado's results.json: recognise it, read it. See docs/formats/avocado.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import number, text, took_s, when
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "warn": Outcome.NEEDS_INSPECTION,
    "skip": Outcome.INFO,
    "cancel": Outcome.INFO,
    "interrupted": Outcome.ERROR,
}
_TEST = ("tests", "[]")
_FIELDS = ("job_id", "total", "interrupt", "time")
_NO_REASON = "<unknown>"


class Avocado:
    """Reads a job's results: one observation a test, then one for the whole job."""

    name: ClassVar[str] = "avocado"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has a job's id, its log and its counts, as avocado writes them."""
        found = shape(head)
        return ("job_id",) in found and ("debuglog",) in found and ("errors",) in found

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES)
        job: dict[str, Any] = {}
        for path, value in json_records(stream, _TEST, *((field,) for field in _FIELDS)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == _TEST:
                yield from _test(value, telling)
            elif path[0] in _FIELDS:
                job[path[0]] = value
        telling.duration_s = took_s(job, "time")
        data = {"job_id": plain_text.value(job["job_id"])} if "job_id" in job else {}
        declared, found = number(job, "total"), telling.words.total()
        word = remark = None
        if declared is not None and declared != found:
            data["declared_tests"] = f"{declared:.0f}"
            word, remark = "inspect", f"the job has {declared:.0f} tests, {found} are told"
        yield from telling.end(word=word, note=remark, data=data)


def _test(test: object, telling: Telling) -> Iterator[Observation | Garbled]:
    name, status = text(test, "name"), text(test, "status").lower()
    if not isinstance(test, dict) or not name or not status:
        yield from telling.bad(test, "a test without a name or a status")
        return
    # time_start and time_end are of a clock that begins anywhere; the actual ones are since 1970.
    ended = when(test, "actual_time_end")
    reason = text(test, "fail_reason")
    telling.time = max(filter(None, (ended, telling.time)), default=None)
    tags = test.get("tags")
    yield telling.child(
        name,
        status,
        note=plain_text.note(reason) if reason != _NO_REASON else None,
        time=ended,
        duration_s=took_s(test, "time_elapsed"),
        data={"tag": tuple(plain_text.value(tag) for tag in list(tags)[:100])}
        if isinstance(tags, dict) and tags
        else None,
    )
