"""Keys of a file's cases: unique, stable, and remembered in little memory however many there are."""

from __future__ import annotations

import re
from array import array

from .put_aside import PutAside, Scratch

SEPARATOR = "::"
"""Stands between what is around a case and its name, and stands there last; see `apart`."""
_TOUCHING = re.compile("(?:^|(?<=:)):")


def apart(name: str) -> str:
    """Put blanks between the colons of a name, and before a first one, as keys need it.

    A separator is then the last in its key, so that no two pairs of head and name make one key.

    >>> [apart(name) for name in ("a:b", "a::b", ":::a")]
    ['a:b', 'a: :b', ' : : :a']
    """
    return _TOUCHING.sub(" :", name)


class Keys:
    """The names given out under each head, for `add` and `claim` under the head that was `enter`ed last.

    A file may hold millions of cases, and their names as Python strings would take 150 bytes each.
    So the names of a head live in a set only until another head comes, or there are too many; then
    their hashes (Python's own, keyed, which a hostile file cannot aim at) are put aside, where
    `scratch` gives files not in memory. Those of heads lie apart: they are asked for at each head,
    those of names only where a head comes back. Of 64 bits: of ten million cases one is numbered needlessly
    in 1 of 300,000 files.
    """

    __slots__ = ("_given", "_heads", "_names", "_salt", "live", "quick")
    MOST_LIVE = 1 << 15
    _MOST_GIVEN = 1_000

    def __init__(self, scratch: Scratch | None = None) -> None:
        self.live: set[str] = set()
        self.quick = True
        self._salt = 0
        self._given: dict[str, int] = {}
        self._heads = Hashes(scratch)
        self._heads.add([hash("")])
        self._names = Hashes(scratch)

    def enter(self, head: str) -> None:
        """Go to `head`, e.g. "tests.test_login::"; with `quick` after it, a name not in `live` is free."""
        salt = hash(head)
        if salt == self._salt:
            return
        self._leave()
        self._given.clear()
        self._salt = salt
        self.quick = salt not in self._heads
        if self.quick:
            self._heads.add([salt])

    def add(self, name: str) -> bool:
        """Take `name`; say whether it was free."""
        live = self.live
        if name in live or (not self.quick and hash(name) ^ self._salt in self._names):
            return False
        live.add(name)
        if len(live) > self.MOST_LIVE:
            self._leave()
        return True

    def claim(self, name: str) -> str:
        """Give `name` if nobody has it, else `name#2`, `name#3` ...: the first that is free.

        >>> keys = Keys()
        >>> [keys.claim("a"), keys.claim("a"), keys.claim("b"), keys.claim("a")]
        ['a', 'a#2', 'b', 'a#3']
        """
        if self.add(name):
            return name
        # Numbers are given out without gaps: from the last one double, then halve, so that a name met
        # 100,000 times costs 34 looks, and one look where its last number is remembered.
        low = self._given.get(name, 1)
        high = low + 1
        while self._has(f"{name}#{high}"):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            if self._has(f"{name}#{middle}"):
                low = middle
            else:
                high = middle
        if len(self._given) >= self._MOST_GIVEN:
            self._given.clear()
        self._given[name] = high
        numbered = f"{name}#{high}"
        self.add(numbered)
        return numbered

    def _has(self, name: str) -> bool:
        return name in self.live or (not self.quick and hash(name) ^ self._salt in self._names)

    def _leave(self) -> None:
        """Keep but the hashes of the names under this head."""
        salt = self._salt
        self._names.add([hash(name) ^ salt for name in self.live])
        self.live.clear()
        self.quick = False


class Hashes:
    """A set of hashes of which the last ones live in memory.

    Nobody asks for one before a head comes back, which in most files none does: until then they wait as
    they came, for to sort half a million of them takes longer than to read their names.
    """

    __slots__ = ("_aside", "_recent", "_waiting")
    MOST_RECENT = 1 << 15
    MOST_WAITING = 1 << 19

    def __init__(self, scratch: Scratch | None) -> None:
        self._recent: set[int] = set()
        self._waiting = array("q")
        self._aside = PutAside(scratch)

    def __contains__(self, number: int) -> bool:
        if self._waiting:
            self._settle()
        return number in self._recent or number in self._aside

    def add(self, numbers: list[int]) -> None:
        """Take some; the last ones are put aside where they are too many."""
        self._waiting.extend(numbers)
        if len(self._waiting) > self.MOST_WAITING:
            self._settle()

    def _settle(self) -> None:
        for start in range(0, len(self._waiting), self.MOST_RECENT):
            self._recent.update(self._waiting[start : start + self.MOST_RECENT])
            if len(self._recent) > self.MOST_RECENT:
                self._aside.put(self._recent)
                self._recent.clear()
        del self._waiting[:]
