"""Bodies of a batch: lines of NDJSON as they come in, or a JSON list, one element at a time.

Either way the whole is never in memory as values at once, so that its reader can take turns with
others. Places count from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .body import Unparsable

_BLANK = re.compile(r"[ \t\n\r]*")


class TooManyError(Exception):
    """The batch has more lines or elements than it may have."""


class Lines:
    """Cuts bytes into lines as they come; blank lines are passed over, but counted.

    >>> lines = Lines(3)
    >>> list(lines.feed(b'{"a": 1}\\n\\n{"b"')), list(lines.feed(b": 2}")), list(lines.end())
    ([(1, b'{"a": 1}')], [], [(3, b'{"b": 2}')])
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = 0
        self._begun: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that end in `piece`. Raises TooManyError."""
        start = 0
        while (stop := piece.find(b"\n", start)) >= 0:
            yield from self._line(piece[start:stop])
            start = stop + 1
        if start < len(piece):
            self._begun.append(piece[start:])

    def end(self) -> Iterator[tuple[int, bytes]]:
        """Yield the last line where no newline ended it. Raises TooManyError."""
        if self._begun:
            yield from self._line(b"")

    def _line(self, tail: bytes) -> Iterator[tuple[int, bytes]]:
        if self._begun:
            tail = b"".join((*self._begun, tail))
            self._begun.clear()
        self._number += 1
        if self._number > self._most:
            raise TooManyError
        if line := tail.strip(b" \t\r"):
            yield self._number, line


def elements(body: bytes, most: int) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a JSON list, each with its place. Raises Unparsable, TooManyError.

    >>> list(elements(b'[{"a": 1}, 2]', 10))
    [(1, {'a': 1}), (2, 2)]
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        raise Unparsable(str(err)) from err
    at = _expect(text, _after_blank(text, 0), "[")
    if text[at : at + 1] == "]":
        _expect_end(text, at + 1)
        return
    scan = json.JSONDecoder().raw_decode
    number = 0
    while True:
        number += 1
        if number > most:
            raise TooManyError
        try:
            value, at = scan(text, at)
        except (ValueError, RecursionError) as err:
            raise Unparsable(str(err)) from err
        yield number, value
        at = _after_blank(text, at)
        if text[at : at + 1] == "]":
            _expect_end(text, at + 1)
            return
        at = _expect(text, at, ",")


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise Unparsable(f"expecting '{mark}' at character {at}")
    return _after_blank(text, at + 1)


def _expect_end(text: str, at: int) -> None:
    at = _after_blank(text, at)
    if at != len(text):
        raise Unparsable(f"more than one list, at character {at}")
