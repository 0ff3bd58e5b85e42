"""Offending: the lines of a quarantined record that were to blame, so that a person can see them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

AROUND = 6
LONGEST = 400
ROW_BYTES = 16
_LINE = re.compile(r"\bline (\d+)")
_BYTE = re.compile(r"\bbyte (\d+)")
_KEPT = re.compile(r"kept from (.*)$")
_PICTURES = {code: 0x2400 + code for code in range(32) if code != 9} | {127: 0x2421}
_BIDI = {
    code: f"\\u{code:04x}"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Characters that would show a line in another order than its bytes have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line for people: `label` is its number ("4", or "00000410" of bytes), `hit` the one meant."""

    label: str
    text: str
    hit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    byte: int | None
    line: int | None


def excerpt(raw: bytes, position: str | None, *, piece: bool = False) -> list[Shown]:
    """Return the lines around `position` ("line 4", "byte 1042, line 3"), or the first ones.

    piece  `raw` is cut out of the document that `position` counts in, and begins there, or where
           it says "kept from byte 900, line 2"; lines keep the numbers that they have in the document

    Bytes that are no text show as rows of hexadecimal digits; of text, bytes that are no UTF-8 show
    as \\xNN, control characters as their pictures, and a long line is cut around the byte that is meant.

    >>> excerpt(b"one\\ntwo", "line 2")[1]
    Shown(label='2', text='two', hit=True)
    """
    meant, first = _places(raw, position, piece=piece)
    if is_binary(raw):
        return list(
            _rows(raw, None if meant.byte is None else meant.byte - (first.byte or 0), first.byte or 0)
        )
    return list(_lines(raw, meant, first))


def is_binary(raw: bytes) -> bool:
    """Say whether a person would rather see digits: a third of it is no text, as in an archive or UTF-16.

    >>> is_binary(b"PK\\x03\\x04\\x00\\x00"), is_binary("caf\\u00e9".encode("latin-1"))
    (True, False)
    """
    text = raw[:4096].decode("utf-8", errors="replace")
    odd = sum(char == "\ufffd" or (char < " " and char not in "\t\n\r\f\x1b") for char in text)
    return odd * 3 > len(text)


def _places(raw: bytes, position: str | None, *, piece: bool) -> tuple[_Place, _Place]:
    """Return the place that is meant, and where `raw` begins, both as the document counts."""
    said = position or ""
    kept = _KEPT.search(said)
    meant = _place(said[: kept.start()] if kept else said)
    if kept is not None:
        return meant, _place(kept[1])
    if piece:
        return meant, meant
    return meant, _Place(byte=0, line=1)


def _place(text: str) -> _Place:
    byte, line = _BYTE.search(text), _LINE.search(text)
    return _Place(byte=int(byte[1]) if byte else None, line=int(line[1]) if line else None)


def _lines(raw: bytes, meant: _Place, first: _Place) -> Iterator[Shown]:
    number, column = first.line or 1, 0
    hit = None
    if meant.byte is not None and 0 <= meant.byte - (first.byte or 0) <= len(raw) and first.byte is not None:
        before = raw[: meant.byte - first.byte]
        hit, column = before.count(b"\n"), len(before) - (before.rfind(b"\n") + 1)
    elif meant.line is not None:
        hit = max(meant.line, 1) - number
    lines = raw.split(b"\n") if raw else []
    if hit is not None and not 0 <= hit < len(lines):
        hit = None
    begin = max(0, (hit or 0) - AROUND)
    for at, line in enumerate(lines[begin : begin + 2 * AROUND + 1], start=begin):
        yield Shown(label=str(number + at), text=_readable(line, column if at == hit else 0), hit=at == hit)


def _readable(line: bytes, column: int) -> str:
    start = max(0, column - LONGEST // 2)
    cut = line[start : start + LONGEST].rstrip(b"\r")
    text = cut.decode("utf-8", errors="backslashreplace").translate(_PICTURES).translate(_BIDI)
    return f"{'…' if start else ''}{text}{'…' if len(line) > start + LONGEST else ''}"


def _rows(raw: bytes, at: int | None, offset: int) -> Iterator[Shown]:
    """Yield rows as `hexdump -C` prints them; labels count from the beginning of the document."""
    hit = at // ROW_BYTES if at is not None and 0 <= at < len(raw) else None
    begin = max(0, (hit or 0) - AROUND)
    for row in range(begin, min(begin + 2 * AROUND + 1, -(-len(raw) // ROW_BYTES))):
        cut = raw[row * ROW_BYTES : (row + 1) * ROW_BYTES]
        digits = f"{cut[:8].hex(' ')}  {cut[8:].hex(' ')}".ljust(48)
        signs = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in cut)
        yield Shown(label=f"{offset + row * ROW_BYTES:08x}", text=f"{digits}  |{signs}|", hit=row == hit)
