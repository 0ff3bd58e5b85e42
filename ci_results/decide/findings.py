"""Finding: what `lint` says of a policy, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from ..domain.policy import Place

_LIKENESS = 0.7


class Level(StrEnum):
    """ERROR: the file cannot be used. WARNING: it can, and most likely does not do what was meant."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """One thing found; its text is "policies/f40.yaml:31: warning: ... [unknown-testcase]"."""

    level: Level
    kind: str
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.level}: {' '.join(self.message.split())} [{self.kind}]"


def near(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was most likely meant, where there is one.

    >>> near("excluded_package", ["packages", "excluded_packages"])
    'excluded_packages'
    """
    found = difflib.get_close_matches(word, list(known), 1, _LIKENESS)
    return found[0] if found else None
