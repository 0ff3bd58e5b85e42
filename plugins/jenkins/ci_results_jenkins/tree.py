"""The `tree=` language of Jenkins' remote API: what a question selects of an answer; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Follow = Callable[[str, Any, Any], Any]
"""(name of the field, the entry, what holds it) -> the entry with all its fields."""

_TOKEN = re.compile(r"\s*([\w*$-]+|[\[\],]|\{\d*,?\d*\})")
_NAME = re.compile(r"[\w*$-]+")
_RANGE = re.compile(r"\{(\d*)(,?)(\d*)\}")


@dataclass(slots=True)
class Selection:
    """Which fields to keep, each with a selection below it, and the range of a list."""

    fields: dict[str, Selection] = field(default_factory=dict)
    low: int = 0
    high: int | None = None

    def cut(self, entries: Sequence[Any]) -> Sequence[Any]:
        """Return the part of a list that the range keeps; one beyond its end is empty."""
        return entries[self.low : self.high]


def parse(tree: str) -> Selection:
    """Return what `tree` selects.

    >>> list(parse("jobs[name,builds[number]{0,5}]").fields["jobs"].fields)
    ['name', 'builds']

    No text selects all. Raises ValueError where Jenkins answers 500.
    """
    tokens: list[str] = []
    at = 0
    while at < len(tree):
        found = _TOKEN.match(tree, at)
        if found is None:
            raise ValueError(f"unreadable at {at}: {tree[at : at + 20]!r}")
        tokens.append(found[1])
        at = found.end()
    if not tokens:
        return Selection()
    selection, rest = _fields(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"unexpected {tokens[rest]!r}")
    return selection


def select(value: Any, selection: Selection, follow: Follow) -> Any:
    """Return what `selection` keeps of `value`, in the order of `value`; one without fields keeps all.

    Unknown fields are dropped, `_class` always stays. An object asked for without brackets keeps nothing
    else: `lastBuild` answers {"_class": ...}, `lastBuild[number]` its number, `lastBuild[*]` its fields.
    """
    return _kept(value, selection.fields, follow) if selection.fields else value


def _kept(value: Any, fields: dict[str, Selection], follow: Follow) -> Any:
    if isinstance(value, list):
        return [_kept(entry, fields, follow) for entry in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    any_field = fields.get("*")
    for name, entry in value.items():
        below = fields.get(name, any_field)
        if name == "_class":
            kept[name] = entry
        elif below is None:
            continue
        elif isinstance(entry, list):
            kept[name] = [
                _kept(follow(name, one, value), below.fields, follow) if isinstance(one, dict) else one
                for one in below.cut(entry)
            ]
        elif isinstance(entry, dict):
            kept[name] = _kept(follow(name, entry, value), below.fields, follow)
        else:
            kept[name] = entry
    return kept


def _fields(tokens: list[str], at: int) -> tuple[Selection, int]:
    """Read names with commas between them from `at` on; return them and where they end."""
    selection = Selection()
    while True:
        name = tokens[at] if at < len(tokens) else "the end"
        if at >= len(tokens) or not _NAME.fullmatch(name):
            raise ValueError(f"a name was due before {name!r}")
        at += 1
        below = Selection()
        if at < len(tokens) and tokens[at] == "[":
            below, at = _fields(tokens, at + 1)
            if at >= len(tokens) or tokens[at] != "]":
                raise ValueError(f"the bracket after {name!r} is not closed")
            at += 1
        if at < len(tokens) and tokens[at].startswith("{"):
            _range(below, tokens[at])
            at += 1
        selection.fields[name] = below
        if at >= len(tokens) or tokens[at] != ",":
            return selection, at
        at += 1


def _range(selection: Selection, text: str) -> None:
    found = _RANGE.fullmatch(text)
    if found is None or not (found[1] or found[3]):
        raise ValueError(f"no range: {text}")
    low, comma, high = found.groups()
    selection.low = int(low or 0)
    selection.high = (int(high) if high else None) if comma else selection.low + 1
    if selection.high is not None and selection.high < selection.low:
        raise ValueError(f"reversed range: {text}")
