"""Read a zip that has no directory, because it broke off: each file by the header that stands before it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from .budget import Broken, Budget, Damage
from .member import Member, inside, spooled

BLOCK = 65_536
_HEADER = struct.Struct("<4s2xHH4xLLLHH")
_MAGIC, _BEHIND = b"PK\3\4", b"PK\7\x08"
_ENCRYPTED, _SIZES_BEHIND, _UTF8 = 0x1, 0x8, 0x800
_STORED, _DEFLATED = 0, 8


class Header(NamedTuple):
    """What stands before a file: `packed` bytes follow, or as many as its end needs."""

    magic: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    name_bytes: int
    extra_bytes: int

    @property
    def readable(self) -> bool:
        """Whether it says where its file ends, or the file does itself."""
        if self.flags & _ENCRYPTED:
            return False
        return self.method == _DEFLATED or (self.method == _STORED and not self.flags & _SIZES_BEHIND)


def front_members(stream: IO[bytes], name: str, budget: Budget, reason: str) -> Iterator[Member | Damage]:
    """Yield the files that the front of a zip holds, the last one as far as it goes. Raises TooMuch."""
    size = stream.seek(0, 2)
    stream.seek(0)
    last = 0
    while len(raw := stream.read(_HEADER.size)) == _HEADER.size:
        header = Header(*_HEADER.unpack(raw))
        if header.magic != _MAGIC or not header.readable:
            break
        budget.member()
        text = stream.read(header.name_bytes).decode("utf-8" if header.flags & _UTF8 else "cp437", "replace")
        stream.seek(header.extra_bytes, 1)
        with spooled() as spool:
            try:
                _copy(stream, spool, header, budget)
            except Broken as broken:
                if broken.cut:
                    yield Member(inside(name, text), spool, text, f"zip breaks off at byte {size:,}")
                break
            last = stream.tell()
            if not text.endswith("/"):
                yield Member(inside(name, text), spool, text)
    yield Damage(name, f"zip is damaged behind byte {last:,} of {size:,}: {reason}")


def _copy(stream: IO[bytes], into: IO[bytes], header: Header, budget: Budget) -> None:
    """Copy a file, and go behind it. Raises Broken."""
    checksum = 0
    blocks = _inflated(stream) if header.method == _DEFLATED else _plain(stream, header.packed)
    for block in blocks:
        budget.take(len(block))
        checksum = zlib.crc32(block, checksum)
        into.write(block)
    told = _behind(stream) if header.flags & _SIZES_BEHIND else header.checksum
    if told != checksum:
        raise Broken("the checksum is wrong", cut=False)


def _plain(stream: IO[bytes], left: int) -> Iterator[bytes]:
    while left:
        block = stream.read(min(left, BLOCK))
        if not block:
            raise Broken("it breaks off", cut=True)
        left -= len(block)
        yield block


def _inflated(stream: IO[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflate.eof:
        data = inflate.unconsumed_tail or stream.read(BLOCK)
        try:
            block = inflate.decompress(data, BLOCK)
        except zlib.error as err:
            raise Broken(str(err), cut=False) from err
        if not data and not block:
            raise Broken("it breaks off", cut=True)
        yield block
    stream.seek(-len(inflate.unused_data), 1)


def _behind(stream: IO[bytes]) -> int:
    """Return the checksum that stands behind a file, before its sizes; go behind them."""
    start = stream.tell()
    data = stream.read(28)
    place = 4 if data.startswith(_BEHIND) else 0
    for sizes in (8, 16):
        end = place + 4 + sizes
        if data[end : end + 2] == b"PK":
            stream.seek(start + end)
            return int.from_bytes(data[place : place + 4], "little")
    raise Broken("it breaks off", cut=True)
