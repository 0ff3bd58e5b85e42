"""The bytes of a JSON or YAML report in blocks of UTF-8, with what is needed to say where reading ended."""

from __future__ import annotations

import codecs
from typing import IO

from ..domain.garbled import Garbled
from .telling import RAW_BYTES
from .text_lines import encoding_of
from .xml_refusal import Refused

BLOCK_BYTES = 1 << 16
MAX_FILE_BYTES = 1 << 30
_BLANKS = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"


class Blocks:
    """Reads blocks of at most 64 KiB as UTF-8 without a byte order mark.

    What is no text in the file's encoding becomes U+FFFD. The bytes since the last `mark` are kept,
    as they were, for the quarantine.
    """

    def __init__(self, stream: IO[bytes], most: int = MAX_FILE_BYTES) -> None:
        self._stream = stream
        self._most = most
        self._decoder: codecs.IncrementalDecoder | None = None
        self._plain = False
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self.read_bytes = 0
        self.line = 1
        self._mark_line = 1
        self._mark_byte = 0
        self.blank = True

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Give the next block as UTF-8, b"" at the end. Raises Refused beyond the limit."""
        while True:
            raw = self._raw(min(size, BLOCK_BYTES))
            if self._decoder is None:
                encoding = encoding_of(raw)
                self._plain = not encoding.startswith("utf-16")
                self._decoder = codecs.getincrementaldecoder(encoding)("replace")
            elif self._plain and raw.isascii() and not self._decoder.getstate()[0]:
                return raw
            block = self._decoder.decode(raw, not raw).encode("utf-8", "replace")
            if block or not raw:
                return block

    def mark(self) -> None:
        """Know that all before the newest block was read well."""
        if len(self._kept) > 1:
            newest = self._kept[-1]
            self._mark_line = self.line - newest.count(b"\n")
            self._mark_byte = self.read_bytes - len(newest)
            self._kept, self._kept_bytes = [newest], len(newest)

    def unread(self, reason: str) -> Garbled:
        """Give what was not read, from about where that begins, at most 1 MiB of it."""
        while self._kept_bytes < RAW_BYTES and (raw := self._stream.read(BLOCK_BYTES)):
            self._kept.append(raw)
            self._kept_bytes += len(raw)
        place = f"behind byte {self._mark_byte}, line {self._mark_line}"
        return Garbled(raw=b"".join(self._kept)[:RAW_BYTES], reason=reason, position=place, kind="report")

    def _raw(self, size: int) -> bytes:
        raw = self._stream.read(size)
        if not self.read_bytes:
            while 0 < len(raw) < 4 and (more := self._stream.read(size)):
                raw += more
        self.read_bytes += len(raw)
        if self.read_bytes > self._most:
            raise Refused(f"the report is longer than {self._most >> 20:,} MiB")
        self.line += raw.count(b"\n")
        self.blank = self.blank and not raw.strip(_BLANKS)
        if raw and self._kept_bytes < RAW_BYTES:
            self._kept.append(raw)
            self._kept_bytes += len(raw)
        return raw
