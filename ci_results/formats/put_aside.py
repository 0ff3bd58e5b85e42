"""Hashes put aside: millions of them in a few megabytes, what does not fit in files that a caller gives."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

Scratch = Callable[[], IO[bytes]]
"""Gives an empty file to write and read, which goes away when it is closed: tempfile.TemporaryFile."""

_FILTER_BITS = 25
_BIT = (1 << _FILTER_BITS) - 1
_PARTS = 1_024
_STARTS = [(part << 54) - (1 << 63) for part in range(1, _PARTS)]
_BYTES = 8
_ALIKE = 4


class PutAside:
    """A set of 64-bit hashes that only grows: `put` many, ask for one with `in`.

    A Bloom filter of 4 MiB, made at the first question, answers for nearly all that are not in it: of
    4 million 1 in 20 others is looked for. The hashes themselves lie in runs of 1,024 parts by their
    upper bits, so that a look reads one part of each run. Four runs of a size become one: twelve or so
    hold 10 million.

    Without `scratch`, or where its files cannot be written, runs stay in memory: 8 bytes each.
    """

    __slots__ = ("_filter", "_runs", "_scratch")

    def __init__(self, scratch: Scratch | None = None) -> None:
        self._scratch = scratch
        self._filter = bytearray()
        self._runs: list[_Run] = []

    def put(self, hashes: Iterable[int]) -> None:
        """Put some aside, as Python's hash() gives them, none of which is here."""
        ordered = array("q", sorted(hashes))
        if self._filter:
            self._mark(ordered)
        ends = [bisect_left(ordered, start) * _BYTES for start in _STARTS]
        ends.append(len(ordered) * _BYTES)
        self._runs.append(self._kept(lambda: [ordered.tobytes()], array("L", [0, *ends]), 0))
        while len(last := self._runs[-_ALIKE:]) == _ALIKE and last[0].level == last[-1].level:
            self._runs[-_ALIKE:] = [self._merged(last)]

    def __contains__(self, number: int) -> bool:
        if not self._runs:
            return False
        bits = self._filter or self._made_filter()
        if not bits[(number & _BIT) >> 3] >> (number & 7) & 1:
            return False
        second = number >> _FILTER_BITS & _BIT
        if not bits[second >> 3] >> (second & 7) & 1:
            return False
        part = (number >> 54) + _PARTS // 2
        mark = array("q", [number]).tobytes()
        return any(_holds(run.part(part), mark) for run in self._runs)

    def _made_filter(self) -> bytearray:
        self._filter = bytearray(1 << _FILTER_BITS - 3)
        for run in self._runs:
            for part in range(_PARTS):
                self._mark(array("q", run.part(part)))
        return self._filter

    def _mark(self, hashes: Iterable[int]) -> None:
        """Enter hashes into the filter."""
        bits = self._filter
        for number in hashes:
            bits[(number & _BIT) >> 3] |= 1 << (number & 7)
            second = number >> _FILTER_BITS & _BIT
            bits[second >> 3] |= 1 << (second & 7)

    def _merged(self, runs: list[_Run]) -> _Run:
        ends = array("L", [sum(ends) for ends in zip(*(run.ends for run in runs), strict=True)])

        def pieces() -> Iterator[bytes]:
            return (run.part(part) for part in range(_PARTS) for run in runs)

        return self._kept(pieces, ends, runs[0].level + 1)

    def _kept(self, pieces: Callable[[], Iterable[bytes]], ends: array[int], level: int) -> _Run:
        """Write a run to a file of its own; keep it where there is none, or no room for it."""
        if self._scratch is not None:
            try:
                file = self._scratch()
                file.writelines(pieces())
                file.flush()
            except OSError:
                self._scratch = None
            else:
                return _Run(b"", file, ends, level)
        return _Run(b"".join(pieces()), None, ends, level)


@dataclass(frozen=True, slots=True)
class _Run:
    """Hashes in order of their parts: in a file, else in `data`; part n is from ends[n] to ends[n + 1]."""

    data: bytes
    file: IO[bytes] | None
    ends: array[int]
    level: int

    def part(self, number: int) -> bytes:
        """Give one part."""
        start, end = self.ends[number], self.ends[number + 1]
        if self.file is None:
            return self.data[start:end]
        self.file.seek(start)
        return self.file.read(end - start)

    def __del__(self) -> None:
        if self.file is not None:
            self.file.close()


def _holds(part: bytes, mark: bytes) -> bool:
    """Look for a hash that stands where hashes begin."""
    place = part.find(mark)
    while place > 0 and place % _BYTES:
        place = part.find(mark, place + 1)
    return place >= 0
