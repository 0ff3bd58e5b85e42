"""Policy: what must hold of a subject, and where that is written. Obeys COMPAT 3.4."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import Any, NamedTuple

from .rule import RuleType


class Place(NamedTuple):
    """Where something is written; a policy of a request has no line."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a policy: its type, the options it was given, and where it stands."""

    type: RuleType[Any]
    options: Any
    place: Place
    identity: Hashable = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        identity: Hashable = self.type.identity(self.options)
        try:
            hash(identity)
        except TypeError:  # options that hold a list or a mapping
            identity = repr(identity)
        object.__setattr__(self, "identity", (self.type.name, identity))

    def __str__(self) -> str:
        return f"!{self.type.name} at {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules for subjects of some types, in some decision contexts, of some product versions.

    id                 as answers show it
    product_versions   shell globs, case-sensitive
    decision_contexts  compared exactly
    subject_types      ids or aliases; () = any (policies of requests and remote ones)
    packages           globs; when given, subjects of other packages have nothing to fulfil here
    excluded_packages  globs of packages that have nothing to fulfil here; wins over `packages`
    digest             "sha256:..." of all that it says, wherever it is written
    source             address of the remote rule file it came from, None for our own
    single             whether the keys decision_context and subject_type named the one value
    plain, others      testcases whose latest results all rules need that are plain; the other rules
    """

    id: str
    product_versions: tuple[str, ...]
    decision_contexts: tuple[str, ...]
    subject_types: tuple[str, ...]
    rules: tuple[Rule, ...]
    place: Place
    digest: str
    packages: tuple[str, ...] = ()
    excluded_packages: tuple[str, ...] = ()
    relevance_key: str | None = None
    relevance_value: str | None = None
    source: str | None = None
    single: tuple[bool, bool] = (False, False)
    covers_version: Callable[[str], bool] = field(init=False, compare=False, repr=False)
    plain: frozenset[str] = field(init=False, compare=False, repr=False)
    others: tuple[Rule, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "covers_version", globs(self.product_versions))
        plain = [rule for rule in self.rules if rule.type.plain(rule.options)]
        asked = frozenset(name for rule in plain for name in rule.type.testcases(rule.options))
        object.__setattr__(self, "plain", asked)
        others = tuple(rule for rule in self.rules if not rule.type.plain(rule.options))
        object.__setattr__(self, "others", others)

    def excludes(self, package: str | None) -> bool:
        """Say whether subjects of `package` are excluded by name."""
        return package is not None and bool(self.excluded_packages) and globs(self.excluded_packages)(package)

    def spares(self, package: str | None) -> bool:
        """Say whether this is for other packages only."""
        return package is not None and bool(self.packages) and not globs(self.packages)(package)


def globs(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a text matches one of some shell globs, case-sensitively.

    >>> globs(("fedora-[0-9]*", "rhel-*"))("fedora-40")
    True
    """
    return _compiled(tuple(patterns))


@lru_cache(maxsize=20_000)
def _compiled(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    plain = frozenset(pattern for pattern in patterns if not is_glob(pattern))
    rest = [pattern for pattern in patterns if is_glob(pattern)]
    if not rest:
        return plain.__contains__
    match = re.compile("|".join(map(translate, rest))).match
    return lambda text: text in plain or match(text) is not None


def is_glob(pattern: str) -> bool:
    """Say whether a pattern matches more than itself."""
    return any(sign in pattern for sign in "*?[")
