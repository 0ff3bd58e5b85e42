"""Names of JUnit cases: the testcase's tail, the suites around it, and keys that never collide.

A case is named `PREFIX.SUITES.CLASSNAME.NAME`. A part that the next part repeats is left out, so
that Surefire's suite `org.acme.LoginTest` with classname `org.acme.LoginTest` is not said twice.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from hashlib import sha256
from struct import Struct

from ..domain.testcase import MAX_LENGTH

TOOL_NAMES = frozenset({"pytest", "nosetests", "nose2-junit"})
"""Suite names that a runner writes by default: they name the tool, not what was tested."""
UNNAMED = "unnamed"
_STAMP = re.compile(r"-\d{14}$")
_DIGEST_LENGTH = 16
_HEAP_MASK = (1 << 15) - 1
_MARK_BYTES = 5
_MARK = slice(8 - _MARK_BYTES, 8)
"""The upper 40 bits of a hash; the lower 15 choose the heap."""
_NO_NUMBERS = array("q")
_ONE_ZERO = array("q", [0])


def suite_name(name: str) -> str:
    """Take unittest-xml-reporting's time stamp off a suite's name.

    >>> suite_name("tests.LoginTest-20261122130051")
    'tests.LoginTest'
    """
    return _STAMP.sub("", name)


def head(path: Iterable[str], classname: str | None) -> str:
    """Join suites and classname to what stands before a case's name, "" where they say nothing.

    >>> head(("pytest",), "tests.test_login")
    'tests.test_login.'
    >>> head(("Chrome", "org.acme"), "org.acme.LoginTest")
    'Chrome.org.acme.LoginTest.'
    """
    parts = [*telling(path), classname or ""]
    kept = [
        part
        for part, after in zip(parts, [*parts[1:], ""], strict=True)
        if part and not _repeats(part, after)
    ]
    return "".join(f"{part}." for part in kept)


def telling(path: Iterable[str]) -> tuple[str, ...]:
    """Leave out the suites whose names say nothing: empty ones and a tool's own.

    >>> telling(("pytest", "", "unit"))
    ('unit',)
    """
    return tuple(name for name in path if name and name not in TOOL_NAMES)


def tidy(name: str, limit: int = MAX_LENGTH) -> str:
    r"""Make a name printable and at most `limit` characters long, the same way each time.

    White space becomes a blank, other unprintable characters their escape; a name too long is cut
    and ends in 16 hexadecimal digits of its SHA-256, so that two long names stay two.

    >>> tidy("par\u202e[1]\n")
    'par\\u202e[1] '
    """
    if not name.isprintable():
        name = "".join(map(_printable, name))
    if len(name) > limit:
        digest = sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
        name = f"{name[: limit - _DIGEST_LENGTH - 1]}~{digest}"
    return name


class Keys:
    """The keys given out for one file, in bounded memory: 6 to 20 bytes a case.

    A file may hold millions of cases, and their names as Python strings would take 150 bytes each.
    So only hashes are kept (Python's own, keyed, which a hostile file cannot aim at): in one
    open table, and beyond 419,430 cases, where that would grow by megabytes at once, in many small
    heaps, 55 bits of each. The odds that one of two million cases is numbered needlessly are 1 in
    20,000.
    """

    __slots__ = ("_heaps", "_left", "_mask", "_table")
    _FIRST = 1 << 14
    _LARGEST = 1 << 19
    _pack = Struct("<q").pack

    def __init__(self, *taken: str) -> None:
        self._heaps: list[bytes] = []
        self._table = _NO_NUMBERS
        self._mask = self._left = 0
        self._resize(self._FIRST)
        for key in taken:
            self.add(key)

    def expect(self, count: int) -> None:
        """Make room for `count` keys at once, as a file declares them: to grow costs a third of all time."""
        size = len(self._table)
        while size * 4 < count * 5 and size:
            size *= 2
        if size > self._LARGEST:
            self._to_heaps()
        elif size > len(self._table):
            self._refill(size)

    def add(self, key: str) -> bool:
        """Take `key`; say whether it was free."""
        number = hash(key) or 1
        if self._heaps:
            return self._heap(number)
        table, mask = self._table, self._mask
        place = number & mask
        while held := table[place]:
            if held == number:
                return False
            place = (place + 1) & mask
        table[place] = number
        self._left -= 1
        if not self._left:
            if len(table) < self._LARGEST:
                self._refill(len(table) * 4)
            else:
                self._to_heaps()
        return True

    def claim(self, key: str) -> str:
        """Give `key` if nobody has it, else `key#2`, `key#3` ...: the first that is free.

        >>> keys = Keys()
        >>> [keys.claim("a"), keys.claim("a"), keys.claim("b"), keys.claim("a")]
        ['a', 'a#2', 'b', 'a#3']
        """
        if self.add(key):
            return key
        # Numbers are given out without gaps: double, then halve, so that a key met 100,000 times
        # costs 34 looks and no counter of its own.
        low, high = 1, 2
        while self._has(f"{key}#{high}"):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            if self._has(f"{key}#{middle}"):
                low = middle
            else:
                high = middle
        numbered = f"{key}#{high}"
        self.add(numbered)
        return numbered

    def _has(self, key: str) -> bool:
        number = hash(key) or 1
        if self._heaps:
            return self._in_heap(self._heaps[number & _HEAP_MASK], self._pack(number)[_MARK])
        place = number & self._mask
        while held := self._table[place]:
            if held == number:
                return True
            place = (place + 1) & self._mask
        return False

    def _heap(self, number: int) -> bool:
        mark = self._pack(number)[_MARK]
        place = number & _HEAP_MASK
        heap = self._heaps[place]
        if mark in heap and self._in_heap(heap, mark):
            return False
        # 61 marks each for two million cases: copying them costs less than a bytearray's slack.
        self._heaps[place] = heap + mark
        return True

    def _in_heap(self, heap: bytes, mark: bytes) -> bool:
        """Look for a mark that stands where marks begin."""
        place = heap.find(mark)
        while place > 0 and place % _MARK_BYTES:
            place = heap.find(mark, place + 1)
        return place >= 0

    def _to_heaps(self) -> None:
        if self._heaps:
            return
        numbers, self._table = self._table, _NO_NUMBERS
        self._heaps = [b""] * (_HEAP_MASK + 1)
        for number in filter(None, numbers):
            self._heap(number)

    def _refill(self, size: int) -> None:
        numbers = self._table
        self._resize(size)
        table, mask = self._table, self._mask
        for number in filter(None, numbers):
            place = number & mask
            while table[place]:
                place = (place + 1) & mask
            table[place] = number
            self._left -= 1

    def _resize(self, size: int) -> None:
        self._table = _ONE_ZERO * size
        self._mask = size - 1
        self._left = size * 4 // 5


def _repeats(part: str, after: str) -> bool:
    return after == part or after.startswith(f"{part}.")


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
