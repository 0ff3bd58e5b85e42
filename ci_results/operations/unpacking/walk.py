"""Unpack a file: all that is packed in it, however deep, one file after the other."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import IO, cast

from ...domain.unpack_limits import UnpackLimits
from .budget import Broken, Budget, Damage, TooMuch
from .compression import Decompressing, compression_of
from .harness import Told, is_archive, is_meta, read_meta, told_of
from .member import Member, spooled
from .tars import HEADER, is_tar, tar_members
from .zips import MAGICS, zip_members

BLOCK = 65_536


def unpacked(stream: IO[bytes], name: str, limits: UnpackLimits) -> Iterator[Member | Damage]:
    """Yield each file that `stream` holds, and what could not be unpacked; itself where nothing is packed.

    stream  can be read from any place; stays open
    name    what a person calls it

    Use each file before the next one is asked for. Where the limits are reached it ends, with Damage.
    """
    budget = Budget(limits, stream.seek(0, io.SEEK_END))
    try:
        yield from _unpacked(Member(name, stream), budget, 0)
    except TooMuch as much:
        yield Damage(name, str(much))


def _unpacked(given: Member, budget: Budget, depth: int) -> Iterator[Member | Damage]:
    stream, head, inner = _bare(given.stream, budget, depth)
    if is_tar(head):
        inner = budget.deeper(inner)
        told = _told(given, budget.anew(), depth)
        stream, _, _ = _bare(given.stream, budget, depth)
        yield from _each(tar_members(stream, given.name, budget), budget, inner, told)
    elif stream is given.stream:
        yield from _plain(given, head, budget, inner)
    else:
        with spooled() as spool:
            broken = _copy(stream, spool)
            if broken is None or broken.cut:
                cut = given.cut if broken is None else str(broken)
                yield from _plain(replace(given, stream=spool, cut=cut), head, budget, inner)
            if broken is not None:
                yield Damage(given.name, str(broken))


def _plain(given: Member, head: bytes, budget: Budget, depth: int) -> Iterator[Member | Damage]:
    """Yield a file that is not compressed and no tar, or what is in it where it is a zip."""
    if head.startswith(MAGICS):
        yield from _each(zip_members(given.stream, given.name, budget), budget, budget.deeper(depth), {})
    else:
        given.stream.seek(0)
        yield given


def _each(
    things: Iterable[Member | Damage], budget: Budget, depth: int, told: Mapping[str, Told]
) -> Iterator[Member | Damage]:
    for thing in things:
        if isinstance(thing, Damage):
            yield thing
        else:
            yield from _unpacked(replace(thing, told=told_of(thing.path, told)), budget, depth)


def _told(given: Member, budget: Budget, depth: int) -> Mapping[str, Told]:
    """Return what a tar of TAP::Harness tells of its files: it may stand behind them, so look first."""
    stream, _, _ = _bare(given.stream, budget, depth)
    first = True
    for thing in tar_members(stream, given.name, budget):
        if isinstance(thing, Member):
            if first and not is_archive(thing.path):
                break
            first = False
            if is_meta(thing.path):
                thing.stream.seek(0)
                return read_meta(thing.stream)
    return {}


def _bare(stream: IO[bytes], budget: Budget, depth: int) -> tuple[IO[bytes], bytes, int]:
    """Return what is left when all compressions are taken off, its first bytes, and how deep that is."""
    stream.seek(0)
    head = stream.read(HEADER)
    stream.seek(0)
    while (compression := compression_of(head)) is not None:
        depth = budget.deeper(depth)
        inner = Decompressing(stream, compression, budget)
        head = inner.head(HEADER)
        stream = cast(IO[bytes], inner)
    return stream, head, depth


def _copy(stream: IO[bytes], into: IO[bytes]) -> Broken | None:
    """Copy what can be read; return why it is not all."""
    try:
        while block := stream.read(BLOCK):
            into.write(block)
    except Broken as broken:
        return broken
    return None
