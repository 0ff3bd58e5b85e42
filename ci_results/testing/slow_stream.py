"""Streams that watch how they are read: all at once, or piece by piece with results in between."""

from __future__ import annotations

import io
from collections.abc import Iterator


class WatchedStream(io.RawIOBase):
    """A binary stream over pieces that are made as they are read; it counts what was taken.

    largest  the most that one read asked for; -1 = everything
    given    bytes handed out so far
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = b""
        self.largest = 0
        self.given = 0
        self.ended = False

    def readable(self) -> bool:
        """Say yes."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, at most `size` and at most one piece; all of them for -1."""
        if size is None or size < 0:
            self.largest = -1
            return self.readall()
        if self.largest >= 0:
            self.largest = max(self.largest, size)
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                self.ended = True
                return b""
            self._left = piece
        taken, self._left = self._left[:size], self._left[size:]
        self.given += len(taken)
        return taken

    def readall(self) -> bytes:
        """Return everything at once, and note that this was asked."""
        self.largest = -1
        rest = self._left + b"".join(self._pieces)
        self._left, self.ended = b"", True
        self.given += len(rest)
        return rest

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]
        """Fill `buffer` as far as one piece goes."""
        taken = self.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)


def in_pieces(data: bytes, size: int = 512) -> Iterator[bytes]:
    """Give `data` in pieces, as a slow connection does."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def repeated(head: bytes, unit: bytes, tail: bytes, size: int) -> Iterator[bytes]:
    """Give a document of about `size` bytes: head, then `unit` over and over, then tail; never held whole.

    `%d` in `unit` becomes the number of the repetition.
    """
    yield head
    given, number = len(head), 0
    while given < size:
        piece = unit.replace(b"%d", b"%d" % number)
        yield piece
        given += len(piece)
        number += 1
    yield tail
