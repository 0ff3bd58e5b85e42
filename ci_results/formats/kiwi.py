"""Test executions exported from Kiwi TCMS as JSON: recognise it, read it. See docs/formats/manual.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from .json_records import json_records, shape
from .json_values import number, text, when
from .manual_csv import TRACKED as OUTCOMES
from .manual_csv import told
from .telling import Telling

_EXECUTION = ("[]",)
_KNOWN = frozenset(OUTCOMES)


class Kiwi:
    """Reads the answer of `TestExecution.filter`: one observation an execution, then one for all."""

    name: ClassVar[str] = "kiwi"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it is a list of executions with a case and a status."""
        found = shape(head)
        return (*_EXECUTION, "case__summary") in found and (*_EXECUTION, "status__name") in found

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the export holds."""
        telling = Telling(about, "manual", OUTCOMES)
        for _, value in json_records(stream, _EXECUTION):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            else:
                yield from _execution(value, telling)
        yield from telling.end(total="executions")


def _execution(execution: object, telling: Telling) -> Iterator[Observation | Garbled]:
    summary, status = text(execution, "case__summary"), text(execution, "status__name").lower()
    if not summary or not status:
        yield from telling.bad(execution, "an execution without a case or a status")
        return
    weight = number(execution, "status__weight")
    word = status
    if status not in _KNOWN and weight is not None:
        # A site may name its statuses as it likes; their weight says what they mean.
        word = "idle" if weight == 0 else "passed" if weight > 0 else "failed"
    start, stop = when(execution, "start_date"), when(execution, "stop_date")
    said = {"tester": text(execution, "tested_by__username"), "build": text(execution, "build__name")}
    said |= {name: text(execution, name) for name in ("case", "run")}
    if word != status:
        said["status"] = status
    yield telling.child(
        summary,
        word,
        key=text(execution, "id") or None,
        time=stop,
        duration_s=max((stop - start).total_seconds(), 0.0) if start and stop else None,
        data=told(said),
        ran=word not in ("idle", "waived"),
    )
