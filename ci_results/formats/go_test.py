"""What `go test -json` prints: recognise it, read it. See docs/formats/go_test.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_values import text, took_s, when
from .junit_note import Text
from .telling import Telling
from .text_lines import Lines, first_lines
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "skip": Outcome.INFO,
    "package failed": Outcome.ERROR,
    "never ended": Outcome.ERROR,
}
_ENDED = frozenset({"pass", "fail", "skip"})
_MAX_OPEN = 10_000


class GoTest:
    """Reads the stream of events: one observation a test, then one for the whole run.

    A package that failed though no test of it did (it would not build, it panicked) is one as well, and so
    is a test that began and never ended.
    """

    name: ClassVar[str] = "go_test"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether its first lines of JSON are events with an action and a package."""
        events = (_event(line) for line in first_lines(head)[:50] if line.startswith("{"))
        return any(
            event and "Action" in event and ("Package" in event or "ImportPath" in event) for event in events
        )

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the stream holds."""
        telling = Telling(about, self.name, OUTCOMES)
        lines, run = Lines(stream), _Run(telling)
        for line in lines:
            if not line.startswith("{"):
                continue  # what the tests print may stand between
            event = _event(line)
            if event is None:
                yield from telling.bad(line.encode("utf-8", "replace"), "no JSON", f"line {lines.number}")
            else:
                yield from run.take(event)
        yield from run.end()
        if lines.cut or lines.empty:
            reason = "the stream is longer than 1 GiB" if lines.cut else "the stream is empty"
            yield telling.unread(Garbled(raw=b"", reason=reason, kind="report"))
        yield from telling.end()


class _Run:
    """The tests that are open, and what they printed; the packages in which a test failed."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._open: dict[tuple[str, str], Text] = {}
        self._failed: set[str] = set()

    def take(self, event: Mapping[str, Any]) -> Iterator[Observation]:
        """Take an event; yield the test that it ends."""
        action = text(event, "Action")
        package, test = text(event, "Package") or text(event, "ImportPath"), text(event, "Test")
        place = package, test
        self._telling.time = when(event, "Time") or self._telling.time
        if action in ("output", "build-output") and (place in self._open or len(self._open) < _MAX_OPEN):
            self._open.setdefault(place, Text()).add(text(event, "Output"))
        elif action == "run" and test and len(self._open) < _MAX_OPEN:
            self._open.setdefault(place, Text())
        elif action in _ENDED and test:
            yield self._told(place, action, event)
            if action == "fail" and len(self._failed) < _MAX_OPEN:
                self._failed.add(package)
        elif action == "build-fail" or (action == "fail" and package not in self._failed):
            yield self._told(place, "package failed", event)
        elif action in _ENDED:
            self._open.pop(place, None)

    def end(self) -> Iterator[Observation]:
        """Yield the tests that began and never ended: the program died."""
        for place in [place for place in self._open if place[1]]:
            yield self._told(place, "never ended", {})

    def _told(self, place: tuple[str, str], word: str, event: Mapping[str, Any]) -> Observation:
        package, test = place
        printed = self._open.pop(place, None)
        said = printed.text() if printed is not None and word != "pass" else None
        return self._telling.child(
            f"{package}.{test}" if test else package,
            word,
            note=plain_text.note(said),
            time=when(event, "Time"),
            duration_s=took_s(event, "Elapsed"),
        )


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
