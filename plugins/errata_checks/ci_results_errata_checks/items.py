"""What a report is about: what it says itself, or what its path says by the source's rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ci_results import Garbled, Observation

from .options import ItemRule

UNKNOWN = "?"
"""The item of a report that is read to learn its item."""
_BUILD = re.compile(r"[^\s/]+-[^\s/-]+-[^\s/-]+")
_ADVISORY = "redhat-advisory"
_SEVERAL = "ci_build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a report is about; `builds` holds newnvr and oldnvr of a pair."""

    item: str
    item_type: str
    arch: str | None = None
    scenario: str | None = None
    builds: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Survey:
    """What one reading of a report tells of it.

    damage  what could not be read, the first of it; None = all is readable
    said    what it says that it is about, in words for people
    """

    damage: str | None = None
    said: str = "it names no build"
    _data: dict[str, str] = field(default_factory=dict)
    _items: set[tuple[str, str]] = field(default_factory=set)

    def take(self, seen: Observation | Garbled) -> None:
        """Take one thing that the reader yields; nothing grows with their number."""
        if isinstance(seen, Garbled):
            self.damage = self.damage or seen.reason
            return
        if len(self._items) < 3 and (seen.parent is not None or seen.item != UNKNOWN):
            self._items.add((seen.item, seen.item_type))
        if seen.parent is None:
            self._data = {key: value for key, value in seen.data.items() if isinstance(value, str)}

    def subject(self, rule: ItemRule, key: str) -> Subject | None:
        """Return what the report is about, None where it does not say; `key` stands for several builds."""
        data = self._data
        new, old = (data.get(name, "") for name in ("newnvr", "oldnvr"))
        if advisory := data.get("advisory"):
            return Subject(item=advisory, item_type=_ADVISORY)
        if _is_build(new) and _is_build(old):
            return pair(new, old, rule.type)
        for said in (new, data.get("nvr"), data.get("project-name")):
            if said:
                self.said = f"it says {said[:80]!r}, which is no name-version-release"
                if _is_build(said):
                    return Subject(item=said, item_type=rule.type)
        named = {each for each in self._items if each[0] != UNKNOWN}
        if len(named) > 1:
            return Subject(item=key, item_type=_SEVERAL)
        if named and len(self._items) == 1:
            (item, item_type) = named.pop()
            return Subject(item=item, item_type=item_type)
        if named:
            self.said = "some of its parts name a build, some do not"
        elif self.damage is not None:
            self.said = f"it cannot be read: {self.damage}"
        return None


def find_subject(
    rules: Iterable[ItemRule], path: str, key: str, survey: Callable[[], Survey]
) -> Subject | str:
    """Return what the first rule finds that finds something, else what each has missed, for people."""
    missed = []
    for rule in rules:
        if rule.find == "report":
            told = survey()
            found = told.subject(rule, key)
            missed.append(f"report: {told.said}")
        else:
            found = in_path(rule, path)
            missed.append(f"{rule}: not in {_part(rule.find, path)!r}")
        if found is not None:
            return found
    return "; ".join(missed)


def in_path(rule: ItemRule, path: str) -> Subject | None:
    """Return what a path says by a rule, None where its pattern does not match.

    >>> rule = ItemRule(find="path", pattern="^(?P<item>[^/]+)/(?P<arch>[^/]+)/")
    >>> in_path(rule, "bash-5.2-1.fc40/x86_64/unpacked/rpmgrill.json").arch
    'x86_64'
    >>> in_path(ItemRule(find="folder"), "x/bash-5.2-1.fc40..bash-5.3-1.fc40/run.json").item
    'bash-5.3-1.fc40 bash-5.2-1.fc40'
    """
    text = _part(rule.find, path)
    if rule.pattern is None:
        old, dots, new = text.partition("..")
        if dots and old and new:
            return pair(new, old, rule.type)
        return Subject(item=text, item_type=rule.type) if text else None
    found = re.search(rule.pattern, text)
    if found is None:
        return None
    groups = {name: value for name, value in found.groupdict().items() if value}
    arch, scenario = groups.get("arch"), groups.get("scenario")
    if "old" in groups and "new" in groups:
        return pair(groups["new"], groups["old"], rule.type, arch=arch, scenario=scenario)
    if rule.template is not None:
        item = rule.template.format_map({**dict.fromkeys(found.re.groupindex, ""), **groups})
    else:
        item = groups.get("item") or ("" if "item" in found.re.groupindex else found[0])
    return Subject(item=item, item_type=rule.type, arch=arch, scenario=scenario) if item else None


def pair(
    new: str, old: str, item_type: str, *, arch: str | None = None, scenario: str | None = None
) -> Subject:
    """Return the subject of a comparison: both builds, the new one first, each a datum of its own."""
    if not item_type.endswith("_pair"):
        item_type = f"{item_type.replace('-', '_')}_pair"
    builds = {"newnvr": new, "oldnvr": old}
    return Subject(item=f"{new} {old}", item_type=item_type, arch=arch, scenario=scenario, builds=builds)


def _part(find: str, path: str) -> str:
    folder, _, file = path.rpartition("/")
    return {"path": path, "file": file, "folder": folder.rpartition("/")[2]}[find]


def _is_build(text: str) -> bool:
    return _BUILD.fullmatch(text) is not None
