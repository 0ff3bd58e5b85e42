"""Pick records out of a nested document (JSON, YAML) as its events pass by; everything else is not built.

Where records lie is said by paths: `("results", "tests", "[]")` is each element of the list `tests`
in `results`, `("*", "[]")` each element of the lists below any key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from .junit_note import KEPT_CHARS
from .xml_refusal import Refused

Event = tuple[str, Any]
"""As ijson names them: (start_map, None), (map_key, "name"), (string, "x"), (number, 1), (end_map, None)."""
Path = tuple[str, ...]
BEGUN = object()
"""The value given for a list or an object on the way to records, when it begins: it may hold none."""
ELEMENT = "[]"
ANY = "*"
MAX_DEPTH = 200
MAX_VALUES = 200_000
"""Of one record."""
MAX_CHARS = 8 << 20
"""Of all texts of one record; each is cut to its first and last 16,384 characters."""
_MAX_TEXT = 2 * KEPT_CHARS
OPEN = frozenset({"start_map", "start_array"})
CLOSE = frozenset({"end_map", "end_array"})
_Tree = dict[str, Any]
_WHOLE: _Tree = {}


class Records:
    """Builds the values that lie at one of the wanted paths; feed it the events of one document."""

    def __init__(self, wanted: Iterable[Path]) -> None:
        self._tree = _tree(tuple(wanted))
        self._frames: list[tuple[_Tree, str]] = []
        self._path: list[str] = []
        self._key: str | None = None
        self._skipped = 0
        self._building: list[Any] = []
        self._keys: list[str] = []
        self._values = self._chars = 0

    def feed(self, events: Iterable[Event]) -> Iterator[tuple[Path, Any]]:
        """Yield (path, value) for each record that ends, (path, BEGUN) on the way. Raises Refused."""
        for kind, value in events:
            if self._building:
                if kind == "map_key":
                    self._keys.append(self._text(value))
                elif self._build(kind, value):
                    yield (*self._path,), self._building.pop()
                    self._leave()
            elif self._skipped:
                if kind in OPEN:
                    self._deeper(self._skipped + 1)
                    self._skipped += 1
                elif kind in CLOSE:
                    self._skipped -= 1
            elif kind == "map_key":
                self._key = value
            elif kind in CLOSE:
                self._frames.pop()
                self._leave()
            else:
                yield from self._value(kind, value)

    def _value(self, kind: str, value: Any) -> Iterator[tuple[Path, Any]]:
        """Begin a value outside of records: a record, a way to records, or something to pass over."""
        if self._frames:
            tree, step = self._frames[-1]
            name = ELEMENT if step == ELEMENT else str(self._key)
            inner = tree.get(name, tree.get(ANY) if step != ELEMENT else None)
        else:
            name, inner = "", self._tree
        if inner is None:
            self._skipped = 1 if kind in OPEN else 0
            return
        if self._frames:
            self._path.append(name)
        if inner is _WHOLE:
            if kind in OPEN:
                self._values = self._chars = 0
                self._building.append({} if kind == "start_map" else [])
                return
            yield (*self._path,), self._text(value) if kind == "string" else value
            self._leave()
        elif kind in OPEN:
            self._deeper(1)
            self._frames.append((inner, ELEMENT if kind == "start_array" else "{}"))
            if self._path:
                yield (*self._path,), BEGUN
        else:
            self._leave()

    def _leave(self) -> None:
        if self._path:
            self._path.pop()

    def _build(self, kind: str, value: Any) -> bool:
        """Take one event of the record being built; say whether that ends it."""
        if kind in CLOSE:
            if len(self._building) == 1:
                return True
            self._building.pop()
            return False
        self._values += 1
        if self._values > MAX_VALUES:
            raise Refused(f"one record holds more than {MAX_VALUES:,} values")
        made: Any = value
        if kind == "string":
            made = self._text(value)
        elif kind in OPEN:
            made = {} if kind == "start_map" else []
        inside = self._building[-1]
        if isinstance(inside, dict):
            inside[self._keys.pop()] = made
        else:
            inside.append(made)
        if kind in OPEN:
            self._deeper(len(self._building))
            self._building.append(made)
        return False

    def _deeper(self, depth: int) -> None:
        if depth + len(self._frames) > MAX_DEPTH:
            raise Refused(f"values nest deeper than {MAX_DEPTH}")

    def _text(self, text: str) -> str:
        length = len(text)
        if length > _MAX_TEXT:
            left_out = length - _MAX_TEXT
            text = f"{text[:KEPT_CHARS]}\n[... {left_out:,} characters left out ...]\n{text[-KEPT_CHARS:]}"
            length = len(text)
        self._chars += length
        if self._chars > MAX_CHARS:
            raise Refused(f"the texts of one record are longer than {MAX_CHARS >> 20} Mi characters")
        return text


@lru_cache(maxsize=64)
def _tree(wanted: tuple[Path, ...]) -> _Tree:
    """Make a tree of the steps of paths; a path ends in _WHOLE, and wins over longer ones. Only read it."""
    top: _Tree = {}
    for path in wanted:
        tree = top
        for step in path[:-1]:
            tree = tree.setdefault(step, {})
        tree[path[-1]] = _WHOLE
    return top
