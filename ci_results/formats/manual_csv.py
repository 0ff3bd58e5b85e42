"""Results of manual tests in a table (CSV): recognise it, read it. See docs/formats/manual.md."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .junit_values import moment, seconds
from .telling import Telling
from .text_lines import Lines, first_lines
from .whole import WHOLE

TRACKED: dict[str, str] = {
    **WHOLE,
    "blocked": Outcome.NEEDS_INSPECTION,
    "waived": Outcome.INFO,
    "idle": Outcome.QUEUED,
    "paused": Outcome.RUNNING,
}
"""The statuses of Nitrate and Kiwi TCMS; `passed`, `failed`, `error`, `running` are everybody's."""
OUTCOMES: dict[str, str] = {
    **TRACKED,
    "pass": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "warn": Outcome.NEEDS_INSPECTION,
    "skipped": Outcome.INFO,
}
COLUMNS = (
    "testcase",
    "outcome",
    "item",
    "type",
    "arch",
    "scenario",
    "tester",
    "note",
    "ref_url",
    "date",
    "duration",
)
_DELIMITERS = ",;\t"


class ManualCSV:
    """Reads a table with the columns testcase and outcome: one observation a row, then one for all."""

    name: ClassVar[str] = "manual_csv"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first line names the columns testcase and outcome."""
        return _delimiter(next(iter(first_lines(head)), "")) is not None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the table holds."""
        telling = Telling(about, "manual", OUTCOMES)
        lines = Lines(stream)
        texts = iter(lines)
        header = next(texts, "").removeprefix("\ufeff")
        delimiter = _delimiter(header)
        if delimiter is None:
            reason = (
                "the table is empty" if lines.empty else "no columns testcase and outcome in its first line"
            )
            yield telling.unread(Garbled(raw=header.encode("utf-8", "replace"), reason=reason, kind="report"))
            yield from telling.end(total="rows")
            return
        rows = csv.reader((f"{line}\n" for line in chain([header], texts)), delimiter=delimiter)
        names: list[str] = []
        try:
            for cells in rows:
                if not names:
                    names = [name.strip().lower() for name in cells]
                    continue
                if any(cell.strip() for cell in cells):
                    yield from _row(
                        dict(zip(names, map(str.strip, cells), strict=False)), lines.number, telling
                    )
        except csv.Error as err:
            yield telling.unread(
                Garbled(raw=b"", reason=f"no table: {err}", position=f"line {lines.number}", kind="report")
            )
        if lines.cut:
            yield telling.unread(Garbled(raw=b"", reason="the table is longer than 1 GiB", kind="report"))
        yield from telling.end(total="rows")


def _row(row: Mapping[str, str], line: int, telling: Telling) -> Iterator[Observation | Garbled]:
    testcase = row.get("testcase", "")
    if not testcase:
        yield from telling.bad(dict(row), "a row without a testcase", f"line {line}")
        return
    word = row.get("outcome") or "idle"
    where = "/".join(filter(None, (row.get("arch"), row.get("scenario"))))
    yield telling.child(
        testcase,
        word,
        key=f"{testcase}@{where}" if where else None,
        note=plain_text.note(row.get("note")),
        time=moment(row.get("date"))[0],
        duration_s=seconds(row.get("duration")),
        ref_url=plain_text.link(row.get("ref_url")),
        item=row.get("item") or None,
        item_type=row.get("type") or None,
        arch=row.get("arch") or None,
        scenario=row.get("scenario") or None,
        data=told({"tester": row.get("tester", "")}),
        ran=word.lower() not in ("idle", "skipped", "waived"),
    )


def told(said: Mapping[str, str]) -> dict[str, str]:
    """Give the data of a manual result: what is said, and that a person did it."""
    return {"method": "manual", **{name: plain_text.value(text) for name, text in said.items() if text}}


def _delimiter(header: str) -> str | None:
    """Say what separates the columns of a header that has those that are needed."""
    for delimiter in _DELIMITERS:
        names = _names(header.removeprefix("\ufeff")[:4096].split(delimiter))
        if {"testcase", "outcome"} <= names:
            return delimiter
    return None


def _names(cells: Iterable[str]) -> set[str]:
    return {cell.strip().strip('"').lower() for cell in cells}
