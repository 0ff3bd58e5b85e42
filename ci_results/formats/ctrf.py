"""CTRF, the Common Test Report Format (https://ctrf.io): recognise it, read it. See docs/formats/ctrf.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import junit_names, plain_text
from .json_records import json_records, shape
from .json_values import number, text, texts, took_ms, when
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "flaky": Outcome.PASSED,
    "skipped": Outcome.INFO,
    "xfail": Outcome.INFO,
    "other": Outcome.NEEDS_INSPECTION,
}
_RAW = {"xfail": "xfail", "xfailed": "xfail", "error": "error", "broken": "error"}
"""What `other` was called by the runner, where that says more."""
_TEST = ("results", "tests", "[]")
_WANTED = (_TEST, ("results", "tool"), ("results", "summary"), ("results", "environment"))
_ENVIRONMENT = ("buildName", "buildNumber", "commit", "branchName", "osPlatform", "osVersion")
_DATA = {"filePath": "file", "line": "line", "rawStatus": "raw_status", "type": "type", "browser": "browser"}


class CTRF:
    """Reads a CTRF report as a stream: one observation a test, then one for the whole report."""

    name: ClassVar[str] = "ctrf"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it names itself CTRF, or has `results` with tool, summary or tests as CTRF does."""
        found = shape(head)
        if found.get(("reportFormat",)) == "CTRF":
            return True
        return ("results", "tool", "name") in found and (
            ("results", "summary", "tests") in found or ("results", "tests") in found
        )

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES)
        known: dict[str, Mapping[str, Any]] = {}
        for path, value in json_records(stream, *_WANTED):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == _TEST:
                yield from _test(value, telling)
            elif isinstance(value, Mapping):
                known[path[1]] = value
                telling.time = when(known.get("summary"), "stop")
        summary, environment = known.get("summary", {}), known.get("environment", {})
        start, stop = number(summary, "start"), number(summary, "stop")
        if start is not None and stop is not None:
            telling.duration_s = took_ms({"took": stop - start}, "took")
        data = {name: plain_text.value(said) for name in _ENVIRONMENT if (said := text(environment, name))}
        if tool := text(known.get("tool"), "name"):
            data["tool"] = plain_text.value(tool)
        remark: str | None = None
        declared, found = number(summary, "tests"), telling.words.total()
        if declared is not None and declared != found:
            data["declared_tests"] = f"{declared:.0f}"
            remark = f"the report declares {declared:.0f} tests, it holds {found}"
        yield from telling.end(note=remark, data=data, ref_url=plain_text.link(environment.get("buildUrl")))


def _test(test: object, telling: Telling) -> Iterator[Observation | Garbled]:
    name, status = text(test, "name"), text(test, "status").lower()
    if not isinstance(test, Mapping) or not status:
        yield from telling.bad(test, "a test without a status")
        return
    raw = text(test, "rawStatus").lower()
    if status == "passed" and test.get("flaky") is True:
        status = "flaky"
    elif status == "pending":
        status = "skipped"
    elif status == "other":
        status = _RAW.get(raw, status)
    data = {ours: plain_text.value(said) for theirs, ours in _DATA.items() if (said := text(test, theirs))}
    if (retries := number(test, "retries")) and retries > 0:
        data["attempts"] = f"{retries + 1:.0f}"
    yield telling.child(
        junit_names.head(texts(test, "suite")) + name,
        status,
        note=plain_text.note(text(test, "message"), text(test, "trace")),
        time=when(test, "stop"),
        duration_s=took_ms(test, "duration"),
        data=data,
    )
