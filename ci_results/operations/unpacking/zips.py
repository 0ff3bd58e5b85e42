"""Read a zip by its directory; one that broke off has none, and is read from its front as far as it goes."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from .budget import Budget, Damage, TooMuch
from .member import Member, inside, spooled
from .zip_front import front_members

MAGICS = (b"PK\3\4", b"PK\5\6")
BLOCK = 65_536
ENTRY_BYTES = 1_000
"""Bytes of the directory for each member that is allowed, before it is read whole into memory."""

_END, _END64 = b"PK\5\6", b"PK\6\6"
_END_BYTES = 22
_TAIL = 65_536 + _END_BYTES + 76
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, struct.error)


def zip_members(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Member | Damage]:
    """Yield each file of a zip, to be used before the next; what is wrong comes as Damage. Raises TooMuch."""
    _check_directory(stream, budget)
    try:
        packed = zipfile.ZipFile(stream)
    except (*_ERRORS, NotImplementedError) as err:
        yield from front_members(stream, name, budget, str(err))
        return
    with packed:
        for info in packed.infolist():
            budget.member()
            where = inside(name, info.filename)
            if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16):
                continue
            refusal = _refusal(info.flag_bits, info.compress_type)
            if refusal:
                yield Damage(where, refusal)
                continue
            with spooled() as spool:
                try:
                    with packed.open(info) as inner:
                        _copy(inner, spool, budget)
                except (*_ERRORS, NotImplementedError) as err:
                    yield Damage(where, f"is damaged in the zip: {err}")
                else:
                    yield Member(where, spool, info.filename)


def _refusal(flags: int, method: int) -> str:
    if flags & _ENCRYPTED:
        return "is encrypted"
    return "" if method in _METHODS else f"is packed by method {method}, which is not read"


def _copy(inner: IO[bytes], into: IO[bytes], budget: Budget) -> None:
    while block := inner.read(BLOCK):
        budget.take(len(block))
        into.write(block)


def _check_directory(stream: IO[bytes], budget: Budget) -> None:
    """Raise TooMuch for a directory that would fill the memory: zipfile reads it whole."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read()
    stream.seek(0)
    place = len(tail) - _END_BYTES  # as zipfile looks for it
    if place < 0 or tail[place : place + 4] != _END or tail[-2:] != b"\0\0":
        place = tail.rfind(_END)
    if place < 0 or len(tail) < place + _END_BYTES:
        return
    (length,) = struct.unpack_from("<L", tail, place + 12)
    if length == 0xFFFFFFFF and (longer := tail.rfind(_END64, 0, place)) >= 0:
        (length,) = struct.unpack_from("<Q", tail, longer + 40)
    if min(length, size) > ENTRY_BYTES * budget.limits.max_members:
        raise TooMuch(f"has a directory for more than {budget.limits.max_members:,} files")
