"""gzip, bzip2, xz and Zstandard as streams: what is compressed in several pieces is read to its end."""

from __future__ import annotations

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from .budget import Broken, Budget

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 65_536
XZ_MEMORY = 256 * 1024**2
"""What unpacking may hold; `xz -9` asks for a quarter of that. zstd's own limit is half of it."""


class Decompressor(Protocol):
    """One piece of a compressed stream, as bz2, lzma and zstd have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gunzip:
    """zlib's decompressor as the others are."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = len(found) < max_length
        return found


class Compression(NamedTuple):
    """A way to compress: how it begins, and what reads it."""

    name: str
    magic: bytes
    begin: Callable[[], Decompressor]


COMPRESSIONS = (
    Compression("gzip", b"\x1f\x8b\x08", _Gunzip),
    Compression("bzip2", b"BZh", bz2.BZ2Decompressor),
    Compression("xz", b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY)),
    Compression("Zstandard", b"\x28\xb5\x2f\xfd", zstd.ZstdDecompressor),
)
_ERRORS = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError, MemoryError)


def compression_of(head: bytes) -> Compression | None:
    """Return what the first bytes say that this is compressed with."""
    return next((each for each in COMPRESSIONS if head.startswith(each.magic)), None)


class Decompressing(io.RawIOBase):
    """What `packed` unfolds to. Reading raises Broken or TooMuch; what came before that was given."""

    def __init__(self, packed: IO[bytes], compression: Compression, budget: Budget) -> None:
        super().__init__()
        self._packed = packed
        self._compression = compression
        self._budget = budget
        self._piece = compression.begin()
        self._rest = b""
        self._read_bytes = 0
        self._over = False
        self._ahead = b""
        self._broken: Broken | None = None

    def readable(self) -> bool:
        """Say that this is for reading."""
        return True

    def head(self, size: int) -> bytes:
        """Return the first bytes, which will be read all the same; call it before anything is read."""
        try:
            while len(self._ahead) < size and (more := self._more()):
                self._ahead += more
        except Broken as broken:
            self._broken = broken
        return self._ahead[:size]

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what comes next; 0 at the end."""
        into = memoryview(buffer).cast("B")
        if not self._ahead:
            if self._broken is not None:
                raise self._broken
            self._ahead = self._more()
        size = min(len(into), len(self._ahead))
        into[:size] = self._ahead[:size]
        self._ahead = self._ahead[size:]
        return size

    def _more(self) -> bytes:
        while not self._over:
            if self._piece.eof:
                self._next_piece()
                continue
            found = self._step()
            if found:
                self._budget.take(len(found))
                return found
        return b""

    def _step(self) -> bytes:
        data = b""
        if self._piece.needs_input:
            data = self._rest or self._input()
            self._rest = b""
        try:
            found = self._piece.decompress(data, CHUNK)
        except _ERRORS as err:
            reason = f"{self._compression.name} is damaged before byte {self._read_bytes:,}: {err}"
            raise Broken(reason, cut=False) from err
        if not data and not found and not self._piece.eof:
            reason = f"{self._compression.name} breaks off at byte {self._read_bytes:,}"
            raise Broken(reason, cut=True)
        return found

    def _next_piece(self) -> None:
        """Begin the piece behind one that ended; zeros between and behind pieces say nothing."""
        rest = self._piece.unused_data.lstrip(b"\0")
        while len(rest) < len(self._compression.magic) and (more := self._input()):
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            self._over = True
        elif rest.startswith(self._compression.magic):
            self._piece, self._rest = self._compression.begin(), rest
        else:
            place = self._read_bytes - len(rest)
            raise Broken(f"something else than {self._compression.name} follows at byte {place:,}", cut=True)

    def _input(self) -> bytes:
        data = self._packed.read(CHUNK)
        self._read_bytes += len(data)
        return data
