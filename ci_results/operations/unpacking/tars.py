"""Read a tar as a stream, member by member. Links, devices and folders hold nothing to read."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from .budget import Broken, Budget, Damage
from .member import Member, inside, spooled

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEADERS = 4 * 1024**2
"""Bytes of headers that may stand before one member: long names, extended attributes."""
HEADER = 512
BLOCK = 65_536


def is_tar(head: bytes) -> bool:
    """Say whether the first 512 bytes are the header of a tar's member, whose checksum is right."""
    try:
        tarfile.TarInfo.frombuf(head[:HEADER], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def tar_members(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Member | Damage]:
    """Yield each file of a tar, to be used before the next; what is wrong comes as Damage.

    Where the tar breaks off, the file that it breaks off in is yielded as far as it goes. Raises TooMuch.
    """
    source = _Source(stream)
    marked = False

    class Header(tarfile.TarInfo):
        """Notes that the end is marked, which tarfile takes for granted."""

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
            nonlocal marked
            marked = len(buf) == HEADER and not any(buf) and source.ended_at is None
            return super().frombuf(buf, encoding, errors)

    try:
        with tarfile.open(fileobj=source, mode="r|", tarinfo=Header, errors="surrogateescape") as tar:
            while (info := tar.next()) is not None:
                budget.member()
                source.allow(info)
                where = inside(name, info.name)
                if info.issparse():
                    yield Damage(where, "is a sparse file, which is not read")
                elif info.isreg():
                    with spooled() as spool:
                        cut = _copied(tar, info, source, spool)
                        yield Member(where, spool, info.name, cut)
                    if cut is not None:
                        yield Damage(name, cut)
                        return
                tar.members = []  # type: ignore[attr-defined] # it would remember all
    except (tarfile.TarError, ValueError, OverflowError) as err:
        yield Damage(name, f"tar is damaged before byte {source.place:,}: {err}")
    except Broken as broken:
        yield Damage(name, str(broken))
    else:
        yield from _end(name, source, marked=marked)


def _copied(tar: tarfile.TarFile, info: tarfile.TarInfo, source: _Source, into: IO[bytes]) -> str | None:
    """Copy a member, as far as it is there; say why, where that is not all."""
    inner = tar.extractfile(info)
    assert inner is not None  # noqa: S101 (a regular file)
    left = info.size
    while left and source.ended_at is None and (block := inner.read(min(left, BLOCK))):
        into.write(block)
        left -= len(block)
    if source.ended_at is None or source.ended_at >= info.offset_data + info.size:
        return None
    into.truncate(max(0, source.ended_at - info.offset_data))
    return source.why


def _end(name: str, source: _Source, *, marked: bool) -> Iterator[Damage]:
    """Say what is wrong with the end; read what is behind it, for a compression has its checksum there."""
    if not marked:
        odd = f"tar is damaged before byte {source.place:,}: no header where one should be"
        yield Damage(name, odd if source.ended_at is None else source.why)
        return
    try:
        more = source.rest()
    except Broken as broken:
        yield Damage(name, str(broken))
        return
    if more:
        yield Damage(name, f"something follows behind the end of the tar, before byte {source.place:,}")


class _Source(io.RawIOBase):
    """What tarfile reads from: behind the end it gives zeros, and no more than is allowed.

    ended_at  how many bytes there were, once that is known; why: what ended them
    """

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._allowed = HEADERS
        self._broken: Broken | None = None
        self.place = 0
        self.ended_at: int | None = None
        self.why = ""

    def readable(self) -> bool:
        """Say that this is for reading."""
        return True

    def allow(self, info: tarfile.TarInfo) -> None:
        """Let what a member has be read, and headers behind it."""
        self._allowed = max(self.place, info.offset_data + info.size) + HEADERS

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer`; zeros behind the end."""
        into = memoryview(buffer).cast("B")
        end = self._allowed if self.ended_at is None else min(self._allowed, self.ended_at + HEADERS)
        if self.place > end:
            raise Broken(f"tar is damaged before byte {self.place:,}: a header without end", cut=False)
        block = self._read(len(into)) or bytes(len(into))
        into[: len(block)] = block
        self.place += len(block)
        return len(block)

    def rest(self) -> bool:
        """Read to the end; say whether anything but zeros came. Raises Broken."""
        found = False
        while block := self._read(BLOCK):
            self.place += len(block)
            found = found or bool(block.strip(b"\0"))
        if self._broken is not None:
            raise self._broken
        return found

    def _read(self, size: int) -> bytes:
        if self.ended_at is not None:
            return b""
        block, why = b"", "breaks off"
        try:
            block = self._stream.read(size)
        except Broken as broken:
            if not broken.cut:
                raise
            self._broken, why = broken, f"{broken},"
        if not block:
            self.ended_at, self.why = self.place, f"{why} at byte {self.place:,} of the tar"
        return block
