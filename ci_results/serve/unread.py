"""What the quarantine's pages say: what could not be read, why, and the lines that were to blame."""

from __future__ import annotations

import re

from .reading import Reader, Row

MOST = 200
AROUND = 6
LONGEST = 400
LISTED = """
select id, source, door, kind, key, position, reason, raw_bytes, seen, received_at, resolved_at, resolution
from quarantine where :every or resolved_at is null order by id desc limit 201
"""
RECORD = """
select id, source, door, kind, key, position, reason, raw_bytes, seen, received_at, resolved_at, resolution
from quarantine where id = :id
"""
RAW = "select raw from _quarantine where id = :id"
_PLACE = re.compile(r"\b(line|byte)\s+(\d+)")
_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9,)} | {127: 0x2421}


def quarantine(reader: Reader, *, every: bool = False) -> Row:
    """Return the facts of the list: open records, newest first; with `every`, the resolved ones too."""
    records = reader.ask(LISTED, {"every": every})
    return {"every": every, "records": records[:MOST], "cut": len(records) > MOST}


def record(reader: Reader, number: int) -> Row | None:
    """Return one record with an excerpt of its raw bytes, or None where there is none."""
    found = reader.ask(RECORD, {"id": number})
    if not found:
        return None
    raw = raw_bytes(reader, number) or b""
    return {**found[0], "excerpt": excerpt(raw, found[0]["position"])}


def raw_bytes(reader: Reader, number: int) -> bytes | None:
    """Return a record's bytes, untouched."""
    found = reader.ask(RAW, {"id": number})
    return bytes(found[0]["raw"]) if found else None


def excerpt(raw: bytes, position: str | None) -> list[Row]:
    """Return the lines around `position` ("line 4", "byte 1042"), or the first ones.

    Each is {"line": 4, "text": "...", "hit": True}; bytes that are no UTF-8 show as \\xNN, control
    characters as their pictures, and a long line is cut around the byte that is meant.

    >>> excerpt(b"one\\ntwo", "line 2")
    [{'line': 1, 'text': 'one', 'hit': False}, {'line': 2, 'text': 'two', 'hit': True}]
    """
    lines = raw.split(b"\n")
    hit, column = _place(raw, position)
    first = max(0, (hit or 0) - AROUND)
    shown = lines[first : first + 2 * AROUND + 1]
    return [
        {"line": number + 1, "text": _readable(line, column if number == hit else 0), "hit": number == hit}
        for number, line in enumerate(shown, start=first)
    ]


def _place(raw: bytes, position: str | None) -> tuple[int | None, int]:
    """Return the line (from 0) and the byte in it that `position` means."""
    found = _PLACE.search(position or "")
    if found is None:
        return None, 0
    number = int(found[2])
    if found[1] == "line":
        return max(0, number - 1), 0
    before = raw[:number]
    return before.count(b"\n"), number - (before.rfind(b"\n") + 1)


def _readable(line: bytes, column: int) -> str:
    start = max(0, column - LONGEST // 2)
    cut = line[start : start + LONGEST].rstrip(b"\r")
    text = cut.decode("utf-8", errors="backslashreplace").translate(_PICTURES)
    return f"{'…' if start else ''}{text}{'…' if len(line) > start + LONGEST else ''}"
