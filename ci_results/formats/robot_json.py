"""Robot Framework's output.json (7.2 and later): recognise it, read it. See docs/formats/robot.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from . import junit_names, plain_text, robot
from .json_records import json_records, shape
from .json_values import number, text, texts, took_s, when
from .junit_values import end_of
from .records import BEGUN, Path
from .telling import Telling

OUTCOMES: dict[str, str] = {word: ours for word, ours in robot.OUTCOMES.items() if word != "noncritical fail"}
MAX_SUITES = 40
"""So deep suites are read."""
_MAX_HELD_CHARS = 16 << 20
_TEST = ("name", "status", "message", "lineno", "tags", "start_time", "elapsed_time")
_SUITE = ("name", "start_time", "elapsed_time")
_TAGS = 100


def _paths() -> Iterator[Path]:
    suite: Path = ("suite",)
    for _ in range(MAX_SUITES):
        yield from ((*suite, name) for name in _SUITE)
        yield from ((*suite, "tests", "[]", name) for name in _TEST)
        suite = (*suite, "suites", "[]")
    yield suite


_WANTED = (*_paths(), ("statistics", "total"))


class RobotJSON:
    """Reads an output.json: one observation a test, then one for the whole run.

    A suite is only named behind its tests, which are held for it, 16 Mi characters of them; beyond that
    they are named by the suites that are known by then. Keywords are passed over, however many.
    """

    name: ClassVar[str] = "robot_json"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has a suite, and says what generated it, as Robot Framework does."""
        found = shape(head)
        return {("generator",), ("generated",), ("suite",)} <= set(found) and ("rpa",) in found

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the file holds."""
        telling = Telling(about, "robot", OUTCOMES)
        held = _Held(telling)
        total: dict[str, Any] = {}
        for path, value in json_records(stream, *_WANTED):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == ("statistics", "total"):
                total = value if isinstance(value, dict) else {}
            elif path[-1:] == ("[]",) and len(path) == 2 * MAX_SUITES + 1:
                yield from telling.bad(value, f"suites nest deeper than {MAX_SUITES}")
            else:
                yield from held.take(path, value)
        yield from held.told()
        declared = sum(int(number(total, name) or 0) for name in ("pass", "fail", "skip"))
        found = telling.words.total()
        differ = bool(total) and declared != found
        yield from telling.end(
            word="inspect" if differ else None,
            note=f"the run declares {declared} tests, it holds {found}" if differ else None,
            data={"declared_tests": str(declared)} if differ else None,
        )


@dataclass(slots=True)
class _Suite:
    """A suite as far as it is known."""

    above: _Suite | None = None
    said: dict[str, Any] = field(default_factory=dict)

    def path(self) -> list[str]:
        return [*(self.above.path() if self.above else []), text(self.said, "name")]


class _Held:
    """Tests that wait for the names of their suites."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._suites: list[_Suite] = [_Suite()]
        self._tests: list[tuple[_Suite, dict[str, Any]]] = []
        self._chars = 0

    def take(self, path: Path, value: Any) -> Iterator[Observation | Garbled]:
        """Take what the stream tells next; tell all that is held where that is too much."""
        depth = path.count("suites") if "tests" not in path else path[: path.index("tests")].count("suites")
        if value is BEGUN:
            if path[-2:] == ("suites", "[]"):
                del self._suites[depth:]
                self._suites.append(_Suite(self._suites[-1]))
            elif path[-2:] == ("tests", "[]"):
                if self._chars > _MAX_HELD_CHARS:
                    yield from self.told()
                self._tests.append((self._suites[depth], {}))
                self._chars += 300
        elif "tests" in path:
            said = value
            if path[-1] == "message":
                said = plain_text.note(value) if isinstance(value, str) else None
            self._tests[-1][1][path[-1]] = said
            self._chars += len(said) if isinstance(said, str) else 100
        else:
            self._suites[depth].said[path[-1]] = value
            if not depth:
                self._telling.time, self._telling.duration_s = _ended(self._suites[0].said)

    def told(self) -> Iterator[Observation | Garbled]:
        """Tell the tests that are held, below the suites that are known."""
        tests, self._tests, self._chars = self._tests, [], 0
        for suite, test in tests:
            status = text(test, "status").lower()
            if not status:
                yield from self._telling.bad(test, "a test without a status")
                continue
            data: dict[str, str | tuple[str, ...]] = {}
            if tags := texts(test, "tags"):
                data["tag"] = tuple(plain_text.value(tag) for tag in tags[:_TAGS])
            if line := text(test, "lineno"):
                data["line"] = plain_text.value(line)
            time, took = _ended(test)
            yield self._telling.child(
                junit_names.head(suite.path()) + text(test, "name"),
                status,
                note=plain_text.note(test.get("message")),
                time=time,
                duration_s=took,
                data=data,
            )


def _ended(said: dict[str, Any]) -> tuple[Any, float | None]:
    """Give the end and the duration of what tells when it began and how long it took."""
    start, took = when(said, "start_time"), took_s(said, "elapsed_time")
    return (end_of(start, took) if start else None), took
