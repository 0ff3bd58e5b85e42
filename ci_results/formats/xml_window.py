"""The bytes of a stream that a parser has been given, as far back as a restart may need them."""

from __future__ import annotations

from typing import IO

from .xml_sanitise import Sanitiser

BLOCK_BYTES = 1 << 20
"""expat before 2.6 reads a long token again with each block: small blocks make one huge token quadratic."""
QUICK_BYTES = 1 << 16
"""What is read at first, while tokens are short: cases made from it stay in the processor's cache."""
KEPT_BYTES = 4 << 20
"""So much is kept at most before the newest block."""


class Window:
    """Reads blocks, cleaned once `sanitise` was called, and keeps the last bytes with their place.

    Offsets count the bytes of the file; after `sanitise` those that the cleaning left, so that a
    place told later is near, not exact; lines stay right. `line` is the line at `start`, but only
    until `forget`, which does not count: the parser knows it, so that `stand` sets it after an error.
    """

    def __init__(self, stream: IO[bytes], first: bytes) -> None:
        self._stream = stream
        self._sanitiser: Sanitiser | None = None
        self._ended = False
        self._unread = first
        self.start = 0
        self.line = 1
        self.kept = b""

    @property
    def end(self) -> int:
        """The offset after the last byte kept."""
        return self.start + len(self.kept)

    @property
    def sanitised(self) -> bool:
        """Whether bytes are cleaned before they are given."""
        return self._sanitiser is not None

    def sanitise(self, encoding: str, at: int) -> None:
        """Clean what was kept from offset `at` on, and all that follows; that is read next."""
        rest = self.take_from(at)
        self.put_back(rest)
        self._sanitiser = Sanitiser(encoding)
        self._unread = self._sanitiser.clean(self._unread)

    def take_from(self, at: int) -> bytes:
        """Forget what was kept, and give the part of it from offset `at` on."""
        kept, self.kept = self.kept, b""
        self.start += len(kept)
        self.line += kept.count(b"\n")
        return kept[max(len(kept) - (self.start - at), 0) :]

    def put_back(self, rest: bytes) -> None:
        """Read `rest` again, of which nothing is kept: it came right before what is read next."""
        self.start -= len(rest)
        self.line -= rest.count(b"\n")
        self._unread = rest + self._unread

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Give the next block, of `size` bytes at most, and keep it; b"" at the end of the file."""
        if self._unread:
            block, self._unread = self._unread[:size], self._unread[size:]
        else:
            block = b""
        while not block and not self._ended:
            raw = self._stream.read(size)
            self._ended = not raw
            block = raw if self._sanitiser is None else self._sanitiser.clean(raw, final=not raw)
        self.kept = self.kept + block if self.kept else block
        return block

    def forget(self, before: int) -> None:
        """Drop the bytes before an offset, and whatever is too old."""
        count = min(max(before - self.start, len(self.kept) - KEPT_BYTES, 0), len(self.kept))
        if count:
            self.start += count
            self.kept = self.kept[count:]

    def stand(self, at: int, line: int) -> None:
        """Know that offset `at`, which is kept, is in that line."""
        self.line = line - self.kept.count(b"\n", 0, max(at - self.start, 0))

    def place(self, at: int) -> str:
        """Say where an offset is: "byte 1042, line 3"."""
        near = "about " if self.sanitised else ""
        line = self.line + self.kept.count(b"\n", 0, max(at - self.start, 0))
        return f"{near}byte {at}, line {line}"
