"""The lines of a text report as a stream: decoded, bounded in length, counted."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

BLOCK_BYTES = 1 << 16
MAX_FILE_BYTES = 1 << 30
MAX_LINE_CHARS = 1 << 20
"""A longer line keeps its beginning; the rest of it is dropped."""
HEAD_BYTES = 1 << 16
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Lines:
    """Iterates once over the lines of a stream, without their ends; bytes that are no text become U+FFFD.

    number   of the line given last, from 1
    cut      whether reading stopped at 1 GiB
    empty    whether nothing but blanks came
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.number = 0
        self.cut = False
        self.empty = True

    def __iter__(self) -> Iterator[str]:
        for lines in self.blocks():
            self.number -= len(lines)
            for line in lines:
                self.number += 1
                yield line

    def blocks(self) -> Iterator[list[str]]:
        """Yield them as they come, those of a block of the stream at once; `number` is then of the last."""
        held, kept, dropping, read = "", "", False, 0
        decode = None
        while True:
            block = self._stream.read(BLOCK_BYTES)
            if decode is None:
                while block and len(block) < 3 and (more := self._stream.read(BLOCK_BYTES)):
                    block += more
                decode = codecs.getincrementaldecoder(encoding_of(block))("replace").decode
            read += len(block)
            if read > MAX_FILE_BYTES:
                self.cut = True
                return
            lines = (held + decode(block, not block)).split("\n")
            held = lines.pop()
            if lines:
                if dropping:
                    lines[0], dropping = kept, False
                self.number += len(lines)
                if self.empty:
                    self.empty = not any(line and not line.isspace() for line in lines)
                yield [line[:-1] if line[-1:] == "\r" else line for line in lines]
            if dropping:
                held = ""
            elif len(held) > MAX_LINE_CHARS:
                kept, held, dropping = held[:MAX_LINE_CHARS], "", True
            if not block:
                break
        if held or dropping:
            self.number += 1
            self.empty = self.empty and not dropping and held.isspace()
            yield [kept if dropping else held.rstrip("\r")]


def encoding_of(head: bytes) -> str:
    """Give the encoding that a byte order mark tells, else UTF-8."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


def first_lines(head: bytes) -> list[str]:
    """Give the whole lines in a file's first bytes, for those who must recognise it; the last may be cut.

    A head with a NUL in it is no text, unless a mark says UTF-16.
    """
    encoding = encoding_of(head[:4])
    if encoding == "utf-8" and b"\0" in head:
        return []
    text = head[:HEAD_BYTES].decode(encoding, "replace")
    return [line.rstrip("\r") for line in text.split("\n")]
