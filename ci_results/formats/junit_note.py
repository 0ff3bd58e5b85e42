"""The note of a JUnit case: what its failures say, kept readable and bounded."""

from __future__ import annotations

from collections.abc import Sequence

from .junit_outcome import Problem

NOTE_CHARS = 8_192
"""A longer note keeps its beginning and its end, where the assertion is, around a marker."""
KEPT_CHARS = 16_384
"""Of one text so much is kept at each end while it is read."""
_END = NOTE_CHARS // 3


class Text:
    """Collects one element's text in bounded memory: its first and last 16,384 characters."""

    __slots__ = ("_pieces", "_size", "length")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self.length = 0

    def add(self, piece: str) -> None:
        """Take a piece; expat's handler for character data."""
        self._pieces.append(piece)
        self._size += len(piece)
        self.length += len(piece)
        if self._size > 4 * KEPT_CHARS:
            joined = "".join(self._pieces)
            self._pieces = [joined[:KEPT_CHARS], joined[-KEPT_CHARS:]]
            self._size = 2 * KEPT_CHARS

    @property
    def left_out(self) -> int:
        """How many characters were not kept."""
        return self.length - self._size

    def text(self) -> str:
        """Give what was kept, with a marker where characters were left out."""
        if not self.left_out:
            return "".join(self._pieces).strip()
        first, rest = self._pieces[0], "".join(self._pieces[1:])
        return f"{first}{_marker(self.left_out)}{rest}".strip()


def note(problems: Sequence[Problem]) -> tuple[str | None, int]:
    """Join what the problems say: for each the message's first line, then its text.

    The other lines of the message follow where the text does not hold them already. Returns the
    note, cut to 8,192 characters, and the length that it would have had.

    >>> note([Problem(kind="failure", message="no route", type="", text="no route\\n at a.py:1")])
    ('no route\\n at a.py:1', 19)
    """
    if len(problems) == 1:
        whole, left_out = _said(problems[0]), problems[0].left_out
    else:
        whole = "\n\n".join([said for problem in problems if (said := _said(problem))])
        left_out = sum([problem.left_out for problem in problems])
    if not whole:
        return None, 0
    return shortened(whole), len(whole) + left_out


def shortened(text: str) -> str:
    """Keep a text of at most 8,192 characters, else its beginning and its end."""
    if len(text) <= NOTE_CHARS:
        return text
    kept = NOTE_CHARS - 64
    return f"{text[: kept - _END]}{_marker(len(text) - kept)}{text[-_END:]}"


def _said(problem: Problem) -> str:
    message, text = problem.message.strip(), problem.text
    if not message or text.startswith(message):
        return text
    if not text:
        return message
    first, _, rest = message.partition("\n")
    if rest and not all(line.strip() in text for line in rest.splitlines()):
        text = f"{rest.rstrip()}\n{text}"
    return text if text.startswith(first) else f"{first}\n{text}"


def _marker(count: int) -> str:
    return f"\n[... {count:,} characters left out ...]\n"
