"""Verdicts of the Errata Tool as a table: CSV with a first line of names, or a JSON object a line. Pure.

No format for `report`: old verdicts about many builds, with times of their own. See docs/errata-tool.md.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from ..domain.garbled import Garbled
from ..domain.outcome import Outcome
from ..errors import InvalidError, shown
from .junit_values import moment
from .text_lines import Lines

KIND = "et"
"""What a row that could not be read is called in the quarantine."""

COLUMNS = {
    "item": "what was tested: `bash-5.2.26-3.fc40`; also `build`, `nvr`",
    "testcase": "the test, with its namespace: `dist.rpmdiff`; also `test`",
    "outcome": "the verdict, in the words of the Errata Tool or ours; also `verdict`, `result`, `status`",
    "time": "when it was given: ISO 8601, of UTC where no zone is named; also `date`, `finished`",
    "type": "the item's type; without one `koji_build`",
    "old_item": "the build that it was compared with; also `old_nvr`",
    "arch": "the architecture it is about",
    "id": "the number of the run, unique for each test",
    "advisory": "the advisory it was run for: `RHBA-2019:1234`",
    "url": "where a person reads about it",
    "waived_by": "who waived it there",
    "waiver": "why, in their words",
    "note": "what else there is to say",
}
"""Name of a column -> its meaning; the first three are needed."""

ALIASES = {
    "build": "item", "nvr": "item", "test": "testcase", "verdict": "outcome", "result": "outcome",
    "status": "outcome", "date": "time", "finished": "time", "old_nvr": "old_item",
}  # fmt: skip
NEEDED = ("item", "testcase", "outcome")

WORDS: dict[str, str] = {
    "passed": Outcome.PASSED, "pass": Outcome.PASSED, "good": Outcome.PASSED,
    "info": Outcome.INFO,
    "waived": Outcome.NEEDS_INSPECTION,
    "failed": Outcome.FAILED, "fail": Outcome.FAILED, "bad": Outcome.FAILED,
    "needs inspection": Outcome.NEEDS_INSPECTION, "inspect": Outcome.NEEDS_INSPECTION,
    "verify": Outcome.NEEDS_INSPECTION,
    "error": Outcome.ERROR, "invalid": Outcome.ERROR,
    "queued": Outcome.QUEUED, "queued for test": Outcome.QUEUED, "pending": Outcome.QUEUED,
    "not started": Outcome.QUEUED,
    "running": Outcome.RUNNING, "test in progress": Outcome.RUNNING, "busy": Outcome.RUNNING,
}  # fmt: skip
"""Words of rpmdiff, TPS and covscan in the Errata Tool, lower case with blanks, to ours."""

_MAX_CELLS = 1_000
_MAX_LINES = 100
"""Lines of one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One row, its cells as they stand; an empty cell is an empty text.

    line  where it begins, from 1
    """

    line: int
    cells: Mapping[str, str]

    @property
    def time(self) -> datetime | None:
        """When the verdict was given, aware; None where no time stands there. Raises InvalidError."""
        text = self.cells.get("time", "")
        if not text:
            return None
        found, _assumed = moment(text)
        if found is None:
            raise InvalidError(f"time is none that can be read: {shown(text)}; write 2019-03-07T12:30:00Z")
        return found


def read_verdicts(stream: IO[bytes]) -> Iterator[Verdict | Garbled]:
    """Yield the rows of a table; one that says too little, or is broken, is yielded as Garbled.

    Raises InvalidError for a stream that is no such table at all.
    """
    lines = Lines(stream)
    texts = iter(lines)
    first = next(texts, "").removeprefix("\ufeff")
    if not first.strip():
        raise InvalidError("the file is empty, or begins with an empty line; the first names the columns")
    if first.lstrip().startswith("{"):
        yield from _objects(first, texts, lines)
    else:
        yield from _rows(first, texts, lines)
    if lines.cut:
        raise InvalidError("the file is longer than 1 GiB; cut it in parts, each with the line of names")


def verdict_of(cells: object, line: int) -> Verdict:
    """Read one row, an object of columns. Raises InvalidError that says what it lacks."""
    if not isinstance(cells, dict):
        raise InvalidError(f"row is no object: {shown(cells)}")
    named: dict[str, str] = {}
    for key, value in cells.items():
        name = _name(str(key))
        if value is None or name not in COLUMNS:
            continue
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise InvalidError(f"column {name} is no text: {shown(value)}")
        named[name] = str(value).strip()
    for name in NEEDED:
        if not named.get(name):
            raise InvalidError(f"row has no {name}")
    return Verdict(line=line, cells=named)


def folded(word: str) -> str:
    """Return a word as WORDS has it: "NEEDS_INSPECTION" -> "needs inspection"."""
    return word.replace("_", " ").strip().casefold()


def as_raw(cells: object) -> bytes:
    """Return a row as it is kept in the quarantine: JSON, an object of its columns."""
    return json.dumps(cells, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _rows(first: str, texts: Iterator[str], lines: Lines) -> Iterator[Verdict | Garbled]:
    delimiter = max(",;\t", key=first.count)
    try:
        heads = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        heads = []
    missing = set(NEEDED) - {_name(head) for head in heads}
    if missing or len(heads) > _MAX_CELLS:
        raise InvalidError(
            f"no table of verdicts: the first line does not name {', '.join(sorted(missing)) or 'columns'};"
            f" columns are {', '.join(COLUMNS)}"
        )
    source = _Source(texts, lines)
    rows = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.begin()
        reason = ""
        try:
            row = next(rows, None)
        except csv.Error as err:
            row, reason = [], f"broken row: {err}"
        if row is None:
            return
        if not reason and not any(cell.strip() for cell in row):
            continue
        if not reason and len(row) != len(heads):
            reason = f"row has {len(row)} cells, the first line names {len(heads)}"
        if reason:
            yield Garbled(raw=source.give_back(), reason=reason, position=f"line {source.line}", kind=KIND)
        else:
            yield _checked(dict(zip(heads, row, strict=True)), source.line)


class _Source:
    """Gives csv its lines, and takes them back: a quote that nobody closes must not swallow the rows below.

    line  where the row begins that is being read
    """

    def __init__(self, texts: Iterator[str], lines: Lines) -> None:
        self._texts, self._lines = texts, lines
        self._back: deque[str] = deque()
        self._row: list[str] = []
        self.line = 0

    def __iter__(self) -> _Source:
        return self

    def __next__(self) -> str:
        if len(self._row) >= _MAX_LINES:
            raise csv.Error(f"a quote is open for {_MAX_LINES} lines")
        text = self._back.popleft() if self._back else next(self._texts)
        self._row.append(text)
        return f"{text}\n"

    def begin(self) -> None:
        """Forget the row before."""
        self._row.clear()
        self.line = self._lines.number - len(self._back) + 1

    def give_back(self) -> bytes:
        """Read all lines of the row again but the first; return that one."""
        first, *rest = self._row
        self._back.extendleft(reversed(rest))
        return first.encode("utf-8", "surrogatepass")


def _objects(first: str, texts: Iterator[str], lines: Lines) -> Iterator[Verdict | Garbled]:
    text: str | None = first
    while text is not None:
        if text.strip():
            try:
                cells = json.loads(text)
            except (ValueError, RecursionError) as err:
                raw = text.encode("utf-8", "surrogatepass")
                place = f"line {lines.number}"
                yield Garbled(raw=raw, reason=f"no JSON: {err}", position=place, kind=KIND)
            else:
                yield _checked(cells, lines.number)
        text = next(texts, None)


def _checked(cells: object, line: int) -> Verdict | Garbled:
    try:
        return verdict_of(cells, line)
    except InvalidError as err:
        return Garbled(raw=as_raw(cells), reason=str(err), position=f"line {line}", kind=KIND)


def _name(head: str) -> str:
    name = head.strip().lower().replace(" ", "_")
    return ALIASES.get(name, name)
