"""Subject: what is gated; SubjectType: how that kind is named and asked for. Obeys COMPAT 3.2, 3.6."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Subject(NamedTuple):
    """What a decision is about: ("koji_build", "bash-5.2-1.fc40")."""

    type: str
    identifier: str

    def __str__(self) -> str:
        return f"{self.type} {self.identifier}"


class Selector(NamedTuple):
    """Attributes made from an identifier: `item_key` names it, `keys` are added as they are."""

    item_key: str | None = None
    keys: tuple[tuple[str, str], ...] = ()

    def attributes(self, identifier: str) -> dict[str, str]:
        """Return e.g. {"item": "bash-5.2-1.fc40", "type": "koji_build,brew-build"}."""
        named = {self.item_key: identifier} if self.item_key else {}
        return {**named, **dict(self.keys)}


class Match(NamedTuple):
    """A regular expression and what it makes of what it matches at the start: r"^(rhel-\\d+)" -> r"\\1"."""

    match: str
    product_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectType:
    """A kind of subject.

    id, aliases             names it goes by ("koji_build", "brew-build")
    item_key                the member of an old-style subject object that holds its identifier
    is_nvr                  identifiers end in version and release, which leaves the package's name
    ignore_missing_policy   a subject that no policy is for adds nothing, instead of being an error
    item_dict               how a requirement shows the subject to old clients; None: type and item
    result_queries          the attributes of its results, each a question; (): those of `item_dict`
    """

    id: str
    aliases: tuple[str, ...] = ()
    item_key: str | None = None
    is_koji_build: bool = False
    is_nvr: bool = False
    ignore_missing_policy: bool = False
    product_version_match: tuple[Match, ...] = ()
    product_version_from_koji_build_target: tuple[Match, ...] = ()
    product_version: str | None = None
    item_dict: Selector | None = None
    result_queries: tuple[Selector, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its id, then its aliases."""
        return (self.id, *self.aliases)

    def item(self, identifier: str) -> dict[str, str]:
        """Return the old-style object: {"type": "koji_build", "item": "bash-5.2-1.fc40"}."""
        if self.item_dict is not None:
            return self.item_dict.attributes(identifier)
        return {"type": self.id, "item": identifier}

    def queries(self, identifier: str) -> list[dict[str, str]]:
        """Return the questions for its results, each attributes that all must hold; a comma is an or."""
        return [query.attributes(identifier) for query in self.result_queries] or [self.item(identifier)]

    def package(self, identifier: str) -> str | None:
        """Return the package's name, where identifiers of this type tell it: "bash"."""
        return identifier.rsplit("-", 2)[0] if self.is_nvr else None


@dataclass(frozen=True, slots=True)
class SubjectTypes:
    """The types that are known, in load order."""

    types: tuple[SubjectType, ...]
    _by_name: Mapping[str, SubjectType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = {name: kind for kind in reversed(self.types) for name in kind.names}
        object.__setattr__(self, "_by_name", names | {kind.id: kind for kind in reversed(self.types)})

    def find(self, name: str) -> SubjectType:
        """Return the type of that id or alias; an unknown one is generic (a Koji build, no NVR)."""
        return self._by_name.get(name) or SubjectType(id=name, is_koji_build=True)

    def subject(self, name: str, identifier: str) -> Subject:
        """Return the subject under its type's own id: brew-build becomes koji_build."""
        return Subject(self.find(name).id, identifier)

    def detect(self, given: Mapping[str, Any]) -> Subject | None:
        """Make a subject of an old-style object, e.g. {"original_spec_nvr": "bash-5.2-1.fc40"}.

        Returns None where it cannot be told. Raises TypeError where the identifier is no text.
        """
        for kind in self.types:
            if kind.item_key is None or given.get("type") not in (None, kind.id):
                continue
            found = given.get(kind.item_key)
            if found:
                return Subject(kind.id, _text(found))
        if given.get("type") and given.get("item"):
            return self.subject(_text(given["type"]), _text(given["item"]))
        return None


def unique(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Return them in order, each once."""
    return tuple(dict.fromkeys(subjects))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
