"""Ownership: which testcases a source may say something about. Obeys the globs of Permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidError, shown
from .permission import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A source that owns testcases, as others are told of it: `who` answers for it, or None."""

    source: str
    owned: Permission
    who: str | None = None

    def __str__(self) -> str:
        return f"source {self.source}" + (f" ({self.who})" if self.who else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What one source owns.

    owned   its globs: `baseos.*`; `*` takes in dots and slashes
    where   where that is written: "ci-results.toml: [source.baseos] owns"
    others  who owns what else
    """

    owned: Permission
    where: str
    others: Sequence[Owner] = ()

    def check(self, testcase: str) -> None:
        """Raise InvalidError for a testcase of somebody else, saying whose it is and what to change."""
        if self.owned.covers(testcase):
            return
        owners = [str(other) for other in self.others if other.owned.covers(testcase)]
        theirs = f", it belongs to {' and '.join(owners)}" if owners else ""
        globs = ", ".join(self.owned.testcases)
        raise InvalidError(
            f"testcase {shown(testcase)} is not among those that the source owns ({globs}){theirs};"
            f" if it should be, add it to {self.where}"
        )
