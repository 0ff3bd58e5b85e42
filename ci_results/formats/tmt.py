"""tmt's results.yaml: recognise it, read it. See docs/formats/tmt.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_values import inside, objects, text, texts, took_s, when
from .telling import Telling
from .text_lines import first_lines
from .whole import WHOLE
from .yaml_records import yaml_records

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "warn": Outcome.NEEDS_INSPECTION,
    "info": Outcome.INFO,
    "skip": Outcome.INFO,
    "never ran": Outcome.ERROR,
}
_NAMED = re.compile(r"(?:- |  )name: ['\"]?/?\w")
_RESULT = re.compile(r"(?:- |  )result: ['\"]?\w+['\"]?$")
_BESIDE = re.compile(
    r"  (?:serial-number|guest|log|duration|note|ids|fmf-id|data-path):|- __class__:|(?:- |  )name: ['\"]?/\w"
)
_DEFAULT_GUEST = "default-0"
_SUBS = 10_000


class Tmt:
    """Reads the results of one plan: one observation a test and guest, its subresults, then one for all.

    The file does not know its plan: put the plan's name into the prefix.
    """

    name: ClassVar[str] = "tmt"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it is a list of results with names, and another of the words that tmt has beside."""
        lines = [line.rstrip() for line in first_lines(head)]
        begins = next((line for line in lines if line and not line.startswith(("#", "---"))), "")
        if not begins.startswith("- "):
            return False
        if not any(map(_RESULT.match, lines)):
            return False
        return any(map(_NAMED.match, lines)) and any(map(_BESIDE.match, lines))

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, self.name, OUTCOMES)
        for path, value in yaml_records(stream, ("[]",)):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif len(path) == 1:
                yield from _result(value, telling)
        yield from telling.end()


def _result(result: object, telling: Telling) -> Iterator[Observation | Garbled]:
    name, word = text(result, "name").strip("/"), text(result, "result").lower()
    if not isinstance(result, dict) or not name or not word:
        yield from telling.bad(result, "a result without a name or an outcome")
        return
    guest = text(inside(result, "guest"), "name")
    scenario = guest if guest and guest != _DEFAULT_GUEST else None
    ended = when(result, "end-time")
    telling.time = max(filter(None, (ended, telling.time)), default=None)
    told = telling.child(
        name,
        _word(word),
        key=f"{name}@{guest}" if scenario else None,
        note=plain_text.note("\n".join(texts(result, "note"))),
        time=ended,
        duration_s=took_s(result, "duration"),
        ref_url=plain_text.link(result.get("web-link")),
        scenario=scenario,
        arch=next(iter(texts(inside(result, "context"), "arch")), None),
        data=_data(result, word),
    )
    yield told
    for sub in list(objects(result, "subresult"))[:_SUBS]:
        inner, said = text(sub, "name").strip("/"), text(sub, "result").lower()
        if inner and said:
            yield telling.child(
                f"{name}/{inner}",
                _word(said),
                key=f"{told.key}/{inner}",
                note=plain_text.note("\n".join(texts(sub, "note"))),
                time=when(sub, "end-time"),
                scenario=scenario,
                arch=told.arch,
                parent=told.key,
                counted=False,
            )


def _data(result: Mapping[str, Any], word: str) -> dict[str, str]:
    data: dict[str, str] = {}
    original = text(result, "original-result").lower()
    if original and original != word:
        data["original_result"] = plain_text.value(original)
    if serial := text(result, "serial-number"):
        data["serial_number"] = plain_text.value(serial)
    for check in objects(result, "check"):
        name, said = text(check, "name"), text(check, "result").lower()
        if name and said and len(data) < 100 and data.get(f"check.{plain_text.attribute(name)}") != "fail":
            data[f"check.{plain_text.attribute(name)}"] = plain_text.value(said)
    return data


def _word(word: str) -> str:
    """A result that is still pending in a file that was kept has never run: its preparation failed."""
    return "never ran" if word == "pending" else word
