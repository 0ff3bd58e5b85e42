"""Read one TAP stream from end to end: tests with what follows them, subtests, plans, bail out.

A subtest's tests are held until the line that closes it, which names it and decides; so many at
most that memory stays flat. Nothing but the last test of each level is held otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from . import plain_text
from .junit_note import Text
from .junit_overall import OVERALL
from .junit_values import seconds
from .tap_line import BAIL, SUBTEST, VERSION, Point, plan, point
from .telling import Telling
from .text_lines import Lines

MAX_TESTS = 10_000_000
MAX_HELD = 10_000
"""Tests of open subtests; more are told at once, without their parent."""
MAX_LEVELS = 32
_KEYS = ("duration_ms:", "exitcode:", "severity:", "operator:", "file:", "line:")
_TOLD = re.compile(
    r"^ {0,8}(duration_ms|exitcode|severity|operator|file|line):[ \t]+['\"]?([^\n]*?)['\"]?$", re.MULTILINE
)
_TEST = frozenset({"ok", "no"})
_FAILING = frozenset({"not ok", "timeout", "error"})


class Test:
    """A test line, what was said behind it, and the tests of its subtest."""

    __slots__ = ("inner", "number", "point", "said")

    def __init__(self, point: Point, number: int) -> None:
        self.point = point
        self.number = number
        self.said: Text | None = None
        self.inner: Sequence[Test] = ()


@dataclass(slots=True)
class Level:
    """One stream of tests at one indentation.

    name    what a comment calls the subtest
    closed  its own tests that ended, where it is a subtest; inner: those of a deeper one that ended
    """

    indent: int
    name: str = ""
    planned: int | None = None
    skipped: str | None = None
    found: int = 0
    last: Test | None = None
    closed: list[Test] = field(default_factory=list)
    inner: list[Test] = field(default_factory=list)


class Reading:
    """One stream being read; use it once."""

    def __init__(self, stream: IO[bytes], about: Report, telling: Telling) -> None:
        self._lines = Lines(stream)
        self._telling = telling
        self._levels = [Level(0)]
        self._begun = self._kernel = self._ended = False
        self._bail: str | None = None
        self._subtest = ""
        self._held = self._told = self._over = 0
        self._yaml: tuple[int, str, Text] | None = None
        self._found: list[Observation] = []

    def observations(self) -> Iterator[Observation | Garbled]:
        """Yield the tests as they end, and at last the stream as a whole."""
        found, levels, top, tell = self._found, self._levels, self._levels[0], self._telling.plain()
        for lines in self._lines.blocks():
            for line in lines:
                if self._yaml is not None:
                    indent, blanks, text = self._yaml
                    if line.startswith(blanks):
                        text.add(line[indent:] + "\n")
                        continue
                    if self._ends_yaml(line, indent, text):
                        continue
                # The path of nearly every line: a test behind another one, no subtest around.
                last = top.last
                if (
                    last is not None
                    and line[:2] in _TEST
                    and levels[-1] is top
                    and not top.indent
                    and not top.inner
                    and (here := point(line, kernel=self._kernel))
                ):
                    top.found += 1
                    top.last = Test(here, top.found if here.number is None else here.number)
                    self._held = 0
                    before = last.point
                    if last.said is None and not last.inner and before.plain and self._told < MAX_TESTS - 1:
                        self._told += 1
                        yield tell(before.name or str(last.number), before.word)
                        continue
                    self._tell(last, OVERALL, "")
                else:
                    stripped = line.lstrip(" ")
                    if not stripped:
                        continue
                    self._line(stripped, len(line) - len(stripped))
                if found:
                    yield from found
                    found.clear()
                if self._ended:
                    break
            if self._ended:
                break
        yield from self._finish()

    def _line(self, stripped: str, indent: int) -> None:
        first = stripped[0]
        if first in "on" and (found := point(stripped, kernel=self._kernel)):
            self._test(indent, found)
        elif first == "#":
            self._comment(indent, stripped)
        elif first == "1" and (planned := plan(stripped.rstrip())):
            self._plan(indent, *planned)
        elif first == "-" and stripped.rstrip() == "---":
            self._begin_yaml(indent)
        elif first in "bB" and (bail := BAIL.match(stripped)):
            self._bail, self._ended = bail[1].strip(), True
        elif first == "{" and stripped.rstrip() == "{":
            self._open_last()
        elif first == "}" and len(self._levels) > 1 and stripped.strip() == "}":
            self._down_to(indent)
            self._open_last(opens=False)
        elif first in "TKtk" and (version := VERSION.match(stripped)):
            self._kernel = self._kernel or version[1].upper() == "KTAP"
            self._begin(indent)

    # What stands on a line -----------------------------------------------------------------------

    def _begin(self, indent: int) -> None:
        """Take the first line of TAP as the outermost level: some streams are indented as a whole."""
        if not self._begun:
            self._begun = True
            self._levels[0].indent = indent

    def _test(self, indent: int, found: Point) -> None:
        level = self._levels[-1]
        if indent != level.indent or not self._begun:
            level = self._level_at(indent)
        if level.last is not None:
            self._close_last(level)
        level.found += 1
        level.last = test = Test(found, level.found if found.number is None else found.number)
        if level.inner and not found.opens:
            # The subtest stood before the line that closes it.
            test.inner, level.inner = level.inner, []

    def _plan(self, indent: int, count: int, skipped: str | None) -> None:
        level = self._level_at(indent)
        level.planned = (level.planned or 0) + count
        level.skipped = skipped if skipped is not None else level.skipped

    def _comment(self, indent: int, text: str) -> None:
        if subtest := SUBTEST.match(text):
            self._subtest = (subtest[1] or "").strip()
            return
        level = self._levels[-1]
        if level.last is not None and level.last.point.word != "ok" and indent >= level.indent:
            self._say(level.last, text[1:].removeprefix(" ") + "\n")

    def _begin_yaml(self, indent: int) -> None:
        level = self._levels[-1]
        if level.last is not None and level.indent < indent:
            text = level.last.said = level.last.said or Text()
            self._yaml = indent, " " * (indent + 1), text

    def _ends_yaml(self, line: str, indent: int, text: Text) -> bool:
        """Take a line of a YAML block that is not indented; say False where the block had no end."""
        stripped = line.strip()
        deep = len(line) - len(line.lstrip(" "))
        if stripped == "..." and deep <= indent:
            self._yaml = None
        elif stripped and deep < indent:
            self._yaml = None
            return False
        else:
            text.add(line[indent:] + "\n")
        return True

    def _open_last(self, *, opens: bool = True) -> None:
        """A brace behind the diagnostics of a test opens its subtest, one alone closes it."""
        last = self._levels[-1].last
        if last is not None:
            last.point = last.point._replace(opens=opens)

    @staticmethod
    def _say(test: Test, text: str) -> None:
        if test.said is None:
            test.said = Text()
        test.said.add(text)

    # Levels --------------------------------------------------------------------------------------

    def _level_at(self, indent: int) -> Level:
        """Be on the level of that indentation: open a subtest, or close those that are deeper."""
        self._begin(indent)
        if indent < self._levels[-1].indent:
            self._down_to(indent)
        if indent > self._levels[-1].indent + 1 and len(self._levels) < MAX_LEVELS:
            self._levels.append(Level(indent, self._subtest))
            self._subtest = ""
        return self._levels[-1]

    def _down_to(self, indent: int) -> None:
        while len(self._levels) > 1 and self._levels[-1].indent > indent:
            level = self._levels[-1]
            self._close_last(level)
            self._levels.pop()
            outer = self._levels[-1]
            if outer.last is not None and outer.last.point.opens and not outer.last.inner:
                outer.last.inner = level.closed
            else:
                outer.inner.extend(level.closed)
            outer.inner.extend(level.inner)

    def _close_last(self, level: Level) -> None:
        """End the last test of a level: tell it, or hold it for the line that closes its subtest."""
        test, level.last = level.last, None
        if test is None:
            return
        if level is self._levels[0]:
            self._tell(test, OVERALL, "")
            self._held = 0
        elif self._held < MAX_HELD:
            level.closed.append(test)
            self._held += 1
        else:
            self._over += 1
            where = ".".join(each.name for each in self._levels[1:] if each.name)
            self._tell(test, OVERALL, f"{where}." if where else "", counted=False)

    # Telling -------------------------------------------------------------------------------------

    def _tell(self, test: Test, parent: str, above: str, *, counted: bool = True) -> None:
        """Tell a test, then the tests of its subtest, whose parent it is."""
        found = test.point
        name = f"{above}{found.name or test.number}"
        if test.said is None and not test.inner and found.plain:
            told = self._telling.child(name, found.word, parent=parent, counted=counted)
        else:
            told = self._with_all(test, name, parent, counted=counted)
        self._told += 1
        self._found.append(told)
        for inner in test.inner:
            self._tell(inner, told.key, f"{name}.", counted=False)
        if self._told >= MAX_TESTS:
            self._ended = True
            self._telling.damage.append(f"more than {MAX_TESTS:,} tests")

    def _with_all(self, test: Test, name: str, parent: str, *, counted: bool) -> Observation:
        """Give a test about which more is said than its name and how it went."""
        said = test.said.text() if test.said is not None else ""
        found = test.point
        data: dict[str, str] = {}
        took = found.duration_s
        if said and any(key in said for key in _KEYS):
            for key, text in _TOLD.findall(said):
                if key == "duration_ms":
                    took = seconds(f"{text}ms")
                else:
                    data.setdefault(key, plain_text.value(text))
        if found.unexpected:
            data["unexpected"] = "passed"
        failed = sum(inner.point.word in _FAILING for inner in test.inner)
        if failed:
            data["failed_subtests"] = str(failed)
        return self._telling.child(
            name,
            found.word,
            note=plain_text.note(found.reason, said) if found.word != "ok" or found.reason else None,
            duration_s=took,
            parent=parent,
            data=data or None,
            counted=counted,
        )

    def _finish(self) -> Iterator[Observation | Garbled]:
        """Tell what is still open, and the stream as a whole."""
        telling, top = self._telling, self._levels[0]
        inside = self._inside()
        self._down_to(-1 if self._begun else 0)
        self._close_last(top)
        for left in top.inner:
            self._tell(left, OVERALL, "", counted=False)
        yield from self._found
        if inside is not None:
            place = f"line {self._lines.number}"
            yield telling.unread(Garbled(raw=b"", reason=inside, position=place, kind="report"))
        word, reason = self._verdict(top)
        data = {} if top.planned is None else {"planned": str(top.planned)}
        empty = "skipped" if top.skipped is not None else "empty"
        yield from telling.end(word=word, note=reason, data=data, empty=empty)

    def _inside(self) -> str | None:
        """Say within what the stream ends that should have had an end of its own."""
        if self._lines.cut:
            return "the stream is longer than 1 GiB"
        if self._lines.empty:
            return "the stream is empty"
        if self._yaml is not None:
            return "the stream ends within a YAML block"
        unclosed = any(level.last and level.last.point.opens for level in self._levels)
        if self._bail is None and (unclosed or len(self._levels) > 1):
            return "the stream ends within a subtest"
        return None

    def _verdict(self, top: Level) -> tuple[str | None, str | None]:
        if self._bail is not None:
            return "bail out", f"bailed out: {self._bail}" if self._bail else "bailed out"
        if top.planned is None:
            return "inspect", "no plan: nobody knows whether tests are missing"
        if top.planned != top.found:
            return "error", f"{top.planned} tests were planned, {top.found} told"
        return None, top.skipped or None
