"""What openQA keeps of one module, details-MODULE.json: recognise it, read it. See docs/formats/openqa.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import number, text, texts
from .records import BEGUN
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "ok": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "softfailed": Outcome.INFO,
    "skip": Outcome.INFO,
    "none": Outcome.INFO,
    "unk": Outcome.INFO,
}
_WORDS = {"passed": "ok", "failed": "fail", "softfail": "softfailed", "soft_fail": "softfailed",
          "skipped": "skip"}  # fmt: skip
_STEPS = (("details", "[]"), ("[]",))
_MARKS = ("screenshot", "needle", "needles", "area", "text", "title", "audio")


class OpenQADetails:
    """Reads a module's details as a stream: one observation a step, then one for the module.

    Neither the module nor the job is named in it: the caller's prefix has to name them.
    """

    name: ClassVar[str] = "openqa_details"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether there are steps, by themselves or as `details`, with results and screenshots."""
        found = shape(head)
        if found.get(()) == []:
            return _step(found, ("[]",))
        known = ("result",) in found or ("dents",) in found
        return known and found.get(("details",)) == [] and _step(found, ("details", "[]"))

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the details hold."""
        telling = Telling(about, self.name, OUTCOMES)
        module: dict[str, Any] = {}
        steps = 0
        for path, value in json_records(stream, *_STEPS, ("result",), ("dents",)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path in _STEPS:
                steps += 1
                yield from _told(value, steps, telling)
            elif value is not BEGUN:
                module[path[0]] = value
        result = text(module, "result").lower()
        word = _WORDS.get(result, result) or None
        unknown = word is not None and word not in OUTCOMES
        dents = number(module, "dents")
        if word is None and dents:
            word = "softfailed"
        yield from telling.end(
            word="inspect" if unknown else word,
            note=f"the module says {plain_text.value(result)}" if word else None,
            data={"dents": f"{dents:.0f}"} if dents else None,
            total="steps",
        )


def _told(step: object, n: int, telling: Telling) -> Iterator[Observation | Garbled]:
    result = text(step, "result").lower()
    if not isinstance(step, dict) or not result:
        yield from telling.bad(step, "a step without a result")
        return
    needle, title = text(step, "needle"), text(step, "title")
    data: dict[str, str | tuple[str, ...]] = {"step": str(n)}
    for name in ("needle", "screenshot"):
        if said := text(step, name):
            data[name] = plain_text.value(said)
    if tags := texts(step, "tags"):
        data["tag"] = tuple(plain_text.value(tag) for tag in tags[:100])
    yield telling.child(
        needle or title or text(step, "screenshot") or text(step, "text") or f"step {n}",
        _WORDS.get(result, result),
        note=plain_text.note(title if needle else None),
        data=data,
    )


def _step(found: dict[tuple[str, ...], Any], at: tuple[str, ...]) -> bool:
    return (*at, "result") in found and any((*at, name) in found for name in _MARKS)
