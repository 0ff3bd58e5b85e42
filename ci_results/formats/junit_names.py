"""Names of JUnit cases: the testcase's tail, the suites around it, and keys that never collide.

A case is named `PREFIX.SUITES.CLASSNAME.NAME`. A part that the next part repeats is left out, so
that Surefire's suite `org.acme.LoginTest` with classname `org.acme.LoginTest` is not said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from struct import Struct

from ..domain.testcase import MAX_LENGTH

TOOL_NAMES = frozenset({"pytest", "nosetests", "nose2-junit"})
"""Suite names that a runner writes by default: they name the tool, not what was tested."""
UNNAMED = "unnamed"
_STAMP = re.compile(r"-\d{14}$")
_DIGEST_LENGTH = 16


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
    """The keys given out for one file, in bounded memory: 8 bytes a case beyond the first 65,536.

    A file may hold millions of cases; their names as Python strings would take 150 bytes each. So
    the first ones are kept as they are, and of a big file only 64-bit hashes (of Python's keyed
    hash, which a hostile file cannot aim at) in small heaps.
    """

    __slots__ = ("_heaps", "seen")
    _PLAIN = 65_536
    _HEAPS = 16_384
    _pack = Struct("<q").pack

    def __init__(self, *taken: str) -> None:
        self.seen: set[str] = set(taken)
        self._heaps: list[bytearray] = []

    def claim(self, key: str) -> str:
        """Give `key` if nobody has it, else `key#2`, `key#3` ...: the first that is free.

        >>> keys = Keys()
        >>> [keys.claim("a"), keys.claim("a"), keys.claim("b"), keys.claim("a")]
        ['a', 'a#2', 'b', 'a#3']
        """
        if self._add(key):
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
        self._add(numbered)
        return numbered

    def _has(self, key: str) -> bool:
        if not self._heaps:
            return key in self.seen
        number = hash(key)
        return self._pack(number) in self._heaps[number % self._HEAPS]

    def _add(self, key: str) -> bool:
        """Take `key`; say whether it was free."""
        if not self._heaps:
            if key in self.seen:
                return False
            self.seen.add(key)
            if len(self.seen) > self._PLAIN:
                self._condense()
            return True
        number = hash(key)
        mark = self._pack(number)
        heap = self._heaps[number % self._HEAPS]
        if mark in heap:
            return False
        heap += mark
        return True

    def _condense(self) -> None:
        names, self.seen = self.seen, set()
        self._heaps = [bytearray() for _ in range(self._HEAPS)]
        for name in names:
            self._add(name)


def _repeats(part: str, after: str) -> bool:
    return after == part or after.startswith(f"{part}.")


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
