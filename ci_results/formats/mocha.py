"""The report of mocha's reporter `json`: recognise it, read it. See docs/formats/mocha.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import junit_names, plain_text
from .json_records import json_records, shape
from .json_values import inside, number, text, took_ms, when
from .records import BEGUN
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "flaky": Outcome.PASSED,
    "skipped": Outcome.INFO,
}
_LISTS = {"passes": "passed", "pending": "skipped", "failures": "failed"}
"""Each test stands in one of them; that of a hook which failed in no other. `tests` has no verdicts."""
_STATS = ("suites", "tests", "passes", "pending", "failures", "end", "duration")


class Mocha:
    """Reads a report of mocha as a stream: one observation a test, then one for the whole report."""

    name: ClassVar[str] = "mocha"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it begins with the figures that mocha tells."""
        return {("stats", "suites"), ("stats", "passes"), ("stats", "failures")} <= set(shape(head))

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = Telling(about, self.name, OUTCOMES)
        stats: dict[str, Any] = {}
        found = dict.fromkeys(_LISTS, 0)
        lists = [(name, "[]") for name in _LISTS]
        for path, value in json_records(stream, *(("stats", name) for name in _STATS), *lists):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif len(path) == 2 and path[0] in _LISTS:
                found[path[0]] += 1
                yield from _test(value, _LISTS[path[0]], telling)
            elif value is not BEGUN:
                stats[path[1]] = value
                telling.time, telling.duration_s = when(stats, "end"), took_ms(stats, "duration")
        said = {name: number(stats, name) for name in _LISTS}
        differ = [f"{said[name]:.0f} {name}, it holds {found[name]}" for name in _LISTS
                  if said[name] is not None and said[name] != found[name]]  # fmt: skip
        yield from telling.end(
            word="inspect" if differ else None,
            note=f"the report declares {'; '.join(differ)}" if differ else None,
        )


def _test(test: object, word: str, telling: Telling) -> Iterator[Observation | Garbled]:
    title, full = text(test, "title"), text(test, "fullTitle")
    if not title and not full:
        yield from telling.bad(test, "a test without a title")
        return
    err = inside(test, "err")
    retried = number(test, "currentRetry") or 0
    data = {"attempts": f"{retried + 1:.0f}"} if retried > 0 else {}
    for ours, theirs in (("file", "file"), ("problem_type", "name")):
        if said := text(test if ours == "file" else err, theirs):
            data[ours] = plain_text.value(said)
    suites = full.removesuffix(title).strip() if title else ""
    yield telling.child(
        junit_names.head((suites,)) + (title or full),
        "flaky" if word == "passed" and retried > 0 else word,
        note=plain_text.note(text(err, "message"), text(err, "stack")),
        duration_s=took_ms(test, "duration"),
        data=data,
    )
