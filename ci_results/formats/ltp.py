"""The Linux Test Project's results as JSON: recognise them, read them. See docs/formats/ltp.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import inside, text, took_s
from .records import BEGUN
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "tpass": Outcome.PASSED,
    "tfail": Outcome.FAILED,
    "tbrok": Outcome.ERROR,
    "twarn": Outcome.NEEDS_INSPECTION,
    "tconf": Outcome.INFO,
    "tinfo": Outcome.INFO,
}
_RESULT = ("results", "[]")
_TOLD = ("product", "revision", "kernel", "ltp_version", "libc", "gcc", "harness")


class LTP:
    """Reads a list of results: one observation a test, then one for all."""

    name: ClassVar[str] = "ltp"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has `results` of tests with full names, each told by a test."""
        found = shape(head)
        return {(*_RESULT, "test_fqn"), (*_RESULT, "test", "result")} <= set(found)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES)
        for path, value in json_records(stream, _RESULT):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == _RESULT and value is not BEGUN:
                yield from _result(value, telling)
        yield from telling.end()


def _result(result: object, telling: Telling) -> Iterator[Observation | Garbled]:
    name, test = text(result, "test_fqn"), inside(result, "test")
    word = text(test, "result")
    if not name or not word:
        yield from telling.bad(result, "a result without a name or a word")
        return
    around = inside(result, "environment")
    yield telling.child(
        name.replace(":", "."),
        word.lower(),
        note=plain_text.note(text(test, "log")) if word != "TPASS" else None,
        duration_s=took_s(test, "duration"),
        data={each: plain_text.value(text(around, each)) for each in _TOLD if text(around, each)},
        ran=word not in ("TCONF", "TINFO"),
    )
