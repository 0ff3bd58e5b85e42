"""Permission: who may say something about which testcases, in the peers' form. Obeys COMPAT 1.10 and 2.4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The right of `users` and of members of `groups` over testcases.

    testcases         shell globs; `*` takes in dots and slashes, no glob at all covers nothing
    testcases_ignore  globs of what is left out again
    told              the table as it is written, with keys that only people read
    """

    testcases: tuple[str, ...] = ()
    testcases_ignore: tuple[str, ...] = ()
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    told: Mapping[str, Any] = field(default_factory=dict, compare=False)
    _covered: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _ignored: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_covered", _any_of(self.testcases))
        object.__setattr__(self, "_ignored", _any_of(self.testcases_ignore))

    def covers(self, testcase: str) -> bool:
        """Say whether this is about `testcase`."""
        return bool(self._covered.match(testcase)) and not self._ignored.match(testcase)


class Ruling(NamedTuple):
    """What permissions say of a user: named, or else a member of one of `groups` would be allowed."""

    named: bool
    groups: frozenset[str]


def ruling(permissions: Iterable[Permission], user: str, testcase: str) -> Ruling:
    """Say what `permissions` mean for `user` and `testcase`.

    >>> ours = Permission(testcases=("baseos.*",), users=frozenset({"bot"}), groups=frozenset({"qe"}))
    >>> ruling([ours], "bot", "baseos.tier1/x").named
    True
    >>> ruling([ours], "jdoe", "baseos.tier1")
    Ruling(named=False, groups=frozenset({'qe'}))
    """
    groups: set[str] = set()
    for permission in covering(permissions, testcase):
        if user in permission.users:
            return Ruling(True, frozenset())
        groups |= permission.groups
    return Ruling(False, frozenset(groups))


def covering(permissions: Iterable[Permission], testcase: str) -> list[Permission]:
    """Return those permissions that are about `testcase`, in order."""
    return [permission for permission in permissions if permission.covers(testcase)]


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)) or r"(?!)")
