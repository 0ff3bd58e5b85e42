"""What was read before, as a cursor: 8 bytes for each file, whatever its path is."""

from __future__ import annotations

import base64
import binascii
from array import array
from bisect import bisect_left
from hashlib import blake2b
from itertools import chain, groupby

from ci_results import SourceGarbledError

_VERSION = "1:"


class Seen:
    """The marks of files (and closed folders) in the state in which they were read.

    A mark is a hash of path and stamp, so a changed file has another one. 100,000 take 2 MB, as a
    cursor 1.1 MB; two of them are the same mark once in 10 ** 9 trees of that size.
    """

    def __init__(self, cursor: str | None) -> None:
        self._old = _read(cursor)
        self._met = bytearray(len(self._old))
        self._new = array("Q")

    def __len__(self) -> int:
        return len(self._old) + len(self._new)

    def knows(self, path: str, stamp: str) -> bool:
        """Say whether it was read in this state, and note that it is still there."""
        mark = _mark(path, stamp)
        place = bisect_left(self._old, mark)
        if place == len(self._old) or self._old[place] != mark:
            return False
        self._met[place] = 1
        return True

    def add(self, path: str, stamp: str) -> None:
        """Note that it has been read."""
        self._new.append(_mark(path, stamp))

    def forget_unmet(self) -> None:
        """Drop the marks of what is there no more; call it when the whole tree was met."""
        self._old = array("Q", (mark for mark, met in zip(self._old, self._met, strict=True) if met))
        self._met = bytearray(b"\1" * len(self._old))

    def cursor(self) -> str:
        """Return the text that the next harvest begins with."""
        marks = array("Q", (mark for mark, _ in groupby(sorted(chain(self._old, self._new)))))
        return _VERSION + base64.b64encode(_little(marks).tobytes()).decode()


def _read(cursor: str | None) -> array[int]:
    marks = array("Q")
    if cursor is None:
        return marks
    try:
        if not cursor.startswith(_VERSION):
            raise ValueError("another version")
        marks.frombytes(base64.b64decode(cursor[len(_VERSION) :], validate=True))
    except (ValueError, binascii.Error) as err:
        raise SourceGarbledError(f"the cursor is none of this collector: {err}: {cursor[:40]!r}") from err
    return _little(marks)


def _little(marks: array[int]) -> array[int]:
    """Return `marks` in the order of bytes in which they are kept, or back from there."""
    if memoryview(array("H", [1])).tobytes() == b"\0\1":
        marks = marks[:]
        marks.byteswap()
    return marks


def _mark(path: str, stamp: str) -> int:
    said = f"{path}\0{stamp}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little")
