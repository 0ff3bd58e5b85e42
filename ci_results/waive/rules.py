"""Rules: who may ask for a waiver and who may approve it, by testcase; as the configuration says."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..domain.permission import Permission
from .products import Products

MOST_APPROVALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Users by name, and members of groups. Where a rule names no people, it means everybody we know."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def has(self, name: str, groups: frozenset[str]) -> bool:
        """Say whether a user of this name and these groups is among them."""
        return name in self.users or bool(self.groups & groups)

    def __str__(self) -> str:
        """Name them, for messages: "rm1, rm2, members of releng"."""
        named = sorted(self.users) + [f"members of {group}" for group in sorted(self.groups)]
        return ", ".join(named) or "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for waivers of some testcases.

    testcases         shell globs; `*` takes in dots and slashes
    testcases_ignore  globs of what is left out again
    approvals         by how many others: 0, 1 or 2
    request, approve  who may; None = everybody we know
    max_days          how long a waiver lasts at most, and lasts if it does not say; None = for good
    unfinished        a queued or running test may be waived
    lenient           waivers go on counting when the failure changes, unless they say otherwise
    """

    testcases: tuple[str, ...] = ("*",)
    testcases_ignore: tuple[str, ...] = ()
    approvals: int = 0
    request: People | None = None
    approve: People | None = None
    max_days: int | None = None
    unfinished: bool = False
    lenient: bool = False
    _about: Permission = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.approvals <= MOST_APPROVALS:
            raise ValueError(f"approvals must be 0 to {MOST_APPROVALS}, got {self.approvals}")
        if self.max_days is not None and not 0 < self.max_days <= 36_500:
            raise ValueError(f"max_days must be 1 to 36500, got {self.max_days}")
        about = Permission(testcases=self.testcases, testcases_ignore=self.testcases_ignore)
        object.__setattr__(self, "_about", about)

    def covers(self, testcase: str) -> bool:
        """Say whether this rule is about `testcase`."""
        return self._about.covers(testcase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of an installation: of those about a testcase the first one holds.

    superusers     who may act in the name of others
    products       the product versions that there are; None = any
    peers_lenient  waivers that come by WaiverDB's API are lenient: its clients cannot say it
    """

    rules: tuple[Rule, ...] = ()
    superusers: frozenset[str] = frozenset()
    products: Products | None = None
    peers_lenient: bool = True

    def of(self, testcase: str) -> Rule:
        """Return the rule for `testcase`; where none is about it, everybody we know may waive it."""
        return next((rule for rule in self.rules if rule.covers(testcase)), DEFAULT)


DEFAULT = Rule()
NO_RULES = Rules()
