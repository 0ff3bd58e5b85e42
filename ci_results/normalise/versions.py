"""The order of versions, as rpm has it: 1.9 before 1.10, 1.0~rc1 before 1.0, 1.0 before 1.0^git1. Pure."""

from __future__ import annotations

import re
from functools import total_ordering

_PARTS = re.compile(r"\d+|[A-Za-z]+|~|\^")
_END, _CARET, _LETTERS, _DIGITS = 1, 2, 3, 4


@total_ordering
class Version:
    """A version or release. What separates its numbers and words does not count.

    >>> sorted(["1.10", "1.9", "1.10~rc1", "1.10^git2", "1.10a"], key=Version)
    ['1.9', '1.10~rc1', '1.10', '1.10^git2', '1.10a']
    """

    __slots__ = ("_key",)

    def __init__(self, text: str) -> None:
        self._key = (*map(_weight, _PARTS.findall(text)), (_END, 0, ""))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _weight(part: str) -> tuple[int, int, str]:
    """Return what a part is ordered by: a tilde is less than the end, all others are more."""
    if part == "~":
        return 0, 0, ""
    if part == "^":
        return _CARET, 0, ""
    if part.isdigit():
        stripped = part.lstrip("0")
        return _DIGITS, len(stripped), stripped
    return _LETTERS, 0, part


def build_order(nvr: str) -> tuple[Version, Version]:
    """Return what builds of one package are ordered by.

    >>> build_order("bash-5.2-9.fc40") < build_order("bash-5.2-10.fc40") < build_order("bash-5.10-1.fc40")
    True
    """
    _, version, release = nvr.rsplit("-", 2)
    return Version(version), Version(release)
