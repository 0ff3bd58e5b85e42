"""Fedora's pages of manual results (`{{result|pass|...}}`): recognise them, read them.

See docs/formats/fedora_wiki.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .telling import Telling
from .text_lines import HEAD_BYTES, Lines, encoding_of
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "warn": Outcome.NEEDS_INSPECTION,
    "inprogress": Outcome.RUNNING,
    "none": Outcome.INFO,
}
_RESULT = re.compile(r"\{\{ *(?:result *\||testresult/)([^{}|]*)((?:\|[^{}]*)?)\}\}", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_TABLE = re.compile(r"^\{\|", re.MULTILINE)
_CASE = re.compile(r"\[\[ *QA[:/] *(test[ _]?case[^\]|#]*)", re.IGNORECASE)
_USER = re.compile(r"\[\[ *User: *([^\]|#]*)", re.IGNORECASE)
_TAG = re.compile(r"</?ref[^<>]{0,200}>")
_BUG = re.compile(r"\{\{ *bz *\| *(\d{1,10})[^{}]*\}\}", re.IGNORECASE)
_EXAMPLES = frozenset({"sampleuser", "exampleuser", "username", "fasname"})
_MAX_CELLS = 100


class FedoraWiki:
    """Reads the tables of a page: one observation a result in a cell, then one for the whole page."""

    name: ClassVar[str] = "fedora_wiki"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has a wiki's table and a template of a result."""
        encoding = encoding_of(head[:4])
        if encoding == "utf-8" and b"\0" in head:
            return False
        text = head[:HEAD_BYTES].decode(encoding, "replace").lstrip()
        if text[:1] in ("<", "[") or text.startswith('{"'):
            return False
        return bool(_TABLE.search(text) and _RESULT.search(text))

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the page holds."""
        telling = Telling(about, "manual", OUTCOMES)
        lines, table, opened = Lines(stream), _Table(), False
        for line in lines:
            if line.startswith("{|"):
                table, opened = _Table(), True
            elif line.startswith("|}"):
                opened = False
            elif line.startswith("|-"):
                table.row()
            elif line.startswith("!"):
                table.headings(line[1:])
            else:
                for cell in _cells(line):
                    table.cell(cell, new=line.startswith("|"))
                    yield from _results(cell, table, telling, lines.number)
        if lines.cut or opened or not telling.words:
            broken = "the page ends within a table" if opened else "no result is in it"
            reason = "the page is longer than 1 GiB" if lines.cut else broken
            yield telling.unread(Garbled(raw=b"", reason=reason, kind="report"))
        yield from telling.end(total="results")


class _Table:
    """Where in a table reading is: the row's test case and user, and the column."""

    def __init__(self) -> None:
        self._headings: list[str] = []
        self.row()

    def row(self) -> None:
        """Begin a row."""
        self._case = self.user = ""
        self._column = self._from = -1

    def headings(self, line: str) -> None:
        """Take headings of columns."""
        for heading in line.split("!!")[: _MAX_CELLS - len(self._headings)]:
            self._headings.append(heading.rpartition("|")[2] if "[[" not in heading else heading)

    def cell(self, cell: str, *, new: bool) -> None:
        """Take a cell, or a further line of one."""
        self._column += new
        if case := _CASE.search(cell):
            self._case, self._from = case[1], self._column
        if user := _USER.search(cell):
            self.user = user[1].strip()

    def place(self) -> tuple[str, str]:
        """Say the test case and the environment that the cell is about; "" for what is not told.

        Rows may lack cells on the left (`rowspan`), so that columns are counted from the test case.
        """
        if not self._case:
            heading = self._heading(self._column)
            case = _CASE.search(heading)
            return (case[1] if case else "", "")
        first = next((n for n, each in enumerate(self._headings) if "case" in each.lower()), self._from)
        return self._case, self._heading(first + self._column - self._from).strip()

    def _heading(self, column: int) -> str:
        return self._headings[column] if 0 <= column < len(self._headings) else ""


def _cells(line: str) -> list[str]:
    """Give the cells of a line of a table; the bars within templates part none."""
    if not line.startswith("|"):
        return [line]
    masked = _TEMPLATE.sub(lambda found: found[0].replace("||", "|\0|"), line[1:])
    return [cell.replace("\0", "") for cell in masked.split("||")[:_MAX_CELLS]]


def _results(cell: str, table: _Table, telling: Telling, number: int) -> Iterator[Observation | Garbled]:
    found = list(_RESULT.finditer(cell))
    for at, result in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(cell)
        fields = [field.strip() for field in result[2].split("|")[1:] if "=" not in field]
        user = fields[0] if fields else ""
        if user.lower() in _EXAMPLES:
            continue
        case, environment = table.place()
        if not case:
            yield from telling.bad(
                result[0].encode("utf-8", "replace"), "a result of no test case", f"line {number}"
            )
            continue
        comment = cell[result.end() : end]
        bugs = [each.partition("#")[0] for each in fields[1:] if each] + _BUG.findall(comment)
        carried = user if user.lower().startswith("previous ") else ""
        told = {
            "tester": "" if carried else user or table.user,
            "carried_over": carried,
            "bugs": ", ".join(bugs),
            "method": "automated" if "bot=true" in result[2].replace(" ", "") else "",
        }
        word = result[1].strip().lower()
        name = "_".join(case.split())
        yield telling.child(
            name,
            word,
            key=f"{name} {environment}" if environment else None,
            scenario=environment or None,
            note=plain_text.note(_TEMPLATE.sub("", _TAG.sub("", comment)).strip()),
            data={name: plain_text.value(value) for name, value in told.items() if value},
            ran=word not in ("none", "inprogress"),
        )
