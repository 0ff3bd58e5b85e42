"""Plans of manual tests in a table (CSV), or exported from Kiwi TCMS as JSON. See docs/manual.md.

A plan is read whole or not at all: what is wrong with any of its rows is told with all the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..domain.plan import MAX_CASES, PlanCase
from ..domain.testcase import MAX_LENGTH
from ..errors import InvalidError, shown
from ..wire.body import Unparsable, parse
from .json_values import text
from .junit_names import tidy

MAX_BYTES = 16 << 20
COLUMNS = ("testcase", "title", "steps", "ref_url", "owner", "contact", "item", "type")
OF_RESULTS = ("outcome", "arch", "scenario", "tester", "note", "date", "duration")
"""Columns of a table of results (see manual_csv), which a plan overlooks."""

_SAME = {"link": "ref_url"}
_DELIMITERS = ",;\t"
_TOLD = 100


class Problem(NamedTuple):
    """What is wrong with one row: `place` is "line 3", or "element 3" of a list."""

    place: str
    reason: str


class RefusedPlan(InvalidError):  # noqa: N818 (as RefusedBody: told to whoever brings it)
    """A plan of which nothing is stored; `problems` says what is wrong with each row, in order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = [f"{place}: {reason}" for place, reason in problems[:_TOLD]]
        more = len(problems) - len(told)
        super().__init__("\n".join([*told, *([f"and {more} more"] if more else [])]))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """What a file says: its testcases in order, and each item and type that a row names."""

    cases: tuple[PlanCase, ...]
    items: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def read_plan_file(data: bytes, prefix: str | None = None) -> PlanFile:
    """Read a plan; `prefix` is put before each testcase, as `report` does.

    Raises RefusedPlan where any row cannot be taken.
    """
    if len(data) > MAX_BYTES:
        raise RefusedPlan([Problem("the file", f"is longer than {MAX_BYTES >> 20} MiB")])
    try:
        whole = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise RefusedPlan([Problem(f"line {line}", "is not UTF-8: save the table as CSV in UTF-8")]) from err
    rows = _elements(data) if whole.lstrip()[:1] in ("[", "{") else _rows(whole)
    return _Gathered(prefix).gather(rows)


class _Row(NamedTuple):
    """One row; `same` tells which of them are about one case, None = each is about its own."""

    place: str
    cells: Mapping[str, str]
    same: str | None = None


class _Gathered:
    """Makes cases of rows."""

    def __init__(self, prefix: str | None) -> None:
        self._prefix = prefix
        self._problems: list[Problem] = []
        self._seen: dict[str, _Row] = {}

    def gather(self, rows: Iterator[_Row | Problem]) -> PlanFile:
        cases: list[PlanCase] = []
        items: dict[str, None] = {}
        types: dict[str, None] = {}
        for row in rows:
            if isinstance(row, Problem):
                self._problems.append(row)
                continue
            items |= dict.fromkeys(filter(None, [row.cells.get("item")]))
            types |= dict.fromkeys(filter(None, [row.cells.get("type")]))
            try:
                cases += self._case(row)
            except InvalidError as err:
                self._problems.append(Problem(row.place, str(err)))
        if not cases and not self._problems:
            self._problems.append(Problem("the file", "names no testcase"))
        if len(cases) > MAX_CASES:
            self._problems.append(
                Problem("the file", f"has {len(cases)} testcases, a plan at most {MAX_CASES}")
            )
        if self._problems:
            raise RefusedPlan(self._problems)
        return PlanFile(cases=tuple(cases), items=tuple(items), types=tuple(types))

    def _case(self, row: _Row) -> list[PlanCase]:
        cells = row.cells
        if not cells.get("testcase"):
            raise InvalidError("names no testcase")
        case = PlanCase(
            testcase=self._named(cells["testcase"]),
            title=cells.get("title", ""),
            steps=cells.get("steps", ""),
            ref_url=cells.get("ref_url") or None,
            owner=cells.get("owner") or None,
            contact=cells.get("contact") or None,
        )
        first = self._seen.setdefault(case.testcase, row)
        if first is row:
            return [case]
        if row.same is not None and row.same == first.same:
            return []
        raise InvalidError(f"testcase {shown(case.testcase)} is in the plan twice, first in {first.place}")

    def _named(self, name: str) -> str:
        if self._prefix is not None:
            return f"{self._prefix}.{tidy(name.strip(), MAX_LENGTH - len(self._prefix) - 1)}"
        if "." not in name.strip("."):
            raise InvalidError(
                f"testcase needs a namespace before a dot: {shown(name)}; give one for all with --namespace"
            )
        return name


def _rows(whole: str) -> Iterator[_Row | Problem]:
    """Yield the rows of a table; a cell in quotes may have several lines."""
    header = whole.partition("\n")[0]
    delimiter = next((each for each in _DELIMITERS if "testcase" in _names(header.split(each))), None)
    if delimiter is None:
        yield Problem("line 1", f"no column testcase; the columns are {', '.join(COLUMNS)}")
        return
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    begins = 1
    try:
        for cells in reader:
            place, begins = f"line {begins}", reader.line_num + 1
            if not names:
                names = _names(cells)
                yield from _wrong_columns(names)
            elif any(cell.strip() for cell in cells[len(names) :]):
                yield Problem(place, f"has {len(cells)} cells, the first line names {len(names)} columns")
            elif any(cell.strip() for cell in cells):
                yield _Row(place, dict(zip(names, map(str.strip, cells), strict=False)))
    except csv.Error as err:
        yield Problem(f"line {begins}", f"no table: {err}")


def _names(cells: Iterable[str]) -> list[str]:
    names = (cell.strip().strip('"').strip().lower() for cell in cells)
    return [_SAME.get(name, name) for name in names]


def _wrong_columns(names: Sequence[str]) -> Iterator[Problem]:
    known = {*COLUMNS, *OF_RESULTS, ""}
    for name in dict.fromkeys(names):
        if name not in known:
            yield Problem("line 1", f"unknown column {shown(name)}; known are {', '.join(COLUMNS)}")
        elif name and names.count(name) > 1:
            yield Problem("line 1", f"column {name} is there twice")


def _elements(data: bytes) -> Iterator[_Row | Problem]:
    """Yield the elements of what Kiwi answers to `TestExecution.filter` or `TestCase.filter`."""
    try:
        listed = parse(data.removeprefix(b"\xef\xbb\xbf"))
    except Unparsable as err:
        yield Problem("the file", f"is no JSON: {err}")
        return
    if not isinstance(listed, list):
        yield Problem("the file", "is no list of Kiwi's test cases or executions")
        return
    for number, each in enumerate(listed, start=1):
        place = f"element {number}"
        if not isinstance(each, dict):
            yield Problem(place, "is no object")
            continue
        execution = "case__summary" in each
        summary = text(each, "case__summary" if execution else "summary")
        if not summary:
            yield Problem(place, "has neither case__summary nor summary")
            continue
        cells = {
            "testcase": summary,
            "title": tidy(summary.strip()),
            "steps": text(each, "text"),
            "ref_url": text(each, "extra_link"),
            "owner": text(each, "assignee__username" if execution else "default_tester__username"),
            "item": text(each, "build__name"),
        }
        yield _Row(place, cells, same=text(each, "case") or None)
