"""YAML to a tree of plain values that remembers its lines: nothing is constructed that a text could name.

Aliases and merge keys work, as peers' files use them; what they expand to is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_BYTES = 8 << 20
MAX_VALUES = 200_000
MAX_DEPTH = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_PLAIN = frozenset({"str", "int", "float", "bool", "null", "timestamp", "map", "seq"})


@dataclass(frozen=True, slots=True)
class Node:
    """One value: a scalar, a list of nodes, or a mapping of texts to nodes.

    tag       "!Policy", or None where the text gives none of its own
    lines     by key of a mapping, where the key stands
    repeated  keys that a mapping has more than once, with their lines; the last one counts
    """

    value: Any
    line: int
    tag: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    repeated: tuple[tuple[str, int], ...] = ()


class Unreadable(ValueError):  # noqa: N818 (what is wrong with a text, told to whoever wrote it)
    """A text is no policy: what is wrong, and in which line (0: of the whole)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def read_documents(text: bytes) -> Iterator[Node]:
    """Yield the documents of a stream that are not empty. Raises Unreadable.

    >>> [document] = read_documents(b"--- !Policy\\nid: fedora\\n")
    >>> document.tag, document.value["id"].value, document.lines["id"]
    ('!Policy', 'fedora', 2)
    """
    if len(text) > MAX_BYTES:
        raise Unreadable(f"YAML Parser Error: the file is larger than {MAX_BYTES >> 20} MiB")
    try:
        yield from _Composer(yaml.parse(text, Loader=_LOADER)).documents()
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        raise Unreadable(f"YAML Parser Error: {err}", mark.line + 1 if mark else 0) from err
    except Unreadable:
        raise
    except ValueError as err:
        raise Unreadable(f"YAML Parser Error: {err}") from err


def from_json(value: Any) -> Node:
    """Return the tree of a JSON value; it has no lines."""
    if isinstance(value, dict):
        return Node({key: from_json(each) for key, each in value.items()}, 0)
    if isinstance(value, list):
        return Node([from_json(each) for each in value], 0)
    return Node(value, 0)


def plain(node: Node) -> Any:
    """Return the values of a tree without lines, each tagged one as {"!Tag": value}: what a digest is of."""
    value = node.value
    if isinstance(value, dict):
        value = {key: plain(each) for key, each in value.items()}
    elif isinstance(value, list):
        value = [plain(each) for each in value]
    elif not isinstance(value, (str, int, float, bool, type(None))):
        value = str(value)
    return value if node.tag is None else {node.tag: value}


class _Composer:
    """Makes nodes of the parser's events, without recursion; a node that an alias names is shared."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._scalars = yaml.constructor.SafeConstructor()
        self._resolver = yaml.resolver.Resolver()

    def documents(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                self._values = 0
                node, _ = self._node(next(self._events))
                if node.value is not None:
                    yield node

    def _node(self, event: Any) -> tuple[Node, int]:
        """Compose from an event on; return the node and how many values it stands for."""
        stack: list[_Open] = []
        while True:
            done: tuple[Node, int] | None = None
            line = event.start_mark.line + 1
            if isinstance(event, yaml.ScalarEvent):
                done = self._scalar(event), 1
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise Unreadable(
                        f"YAML Parser Error: undefined or recursive alias {event.anchor!r}", line
                    )
                node, size = self._anchors[event.anchor]
                done = Node(node.value, line, node.tag, node.lines, node.repeated), size
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if len(stack) >= MAX_DEPTH:
                    raise Unreadable(f"YAML Parser Error: values nest deeper than {MAX_DEPTH}", line)
                stack.append(_Open(event, line))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                opened = stack.pop()
                done = opened.node(self._tag(opened.event)), opened.size
                event = opened.event
            if done is not None:
                if event.anchor and not isinstance(event, yaml.AliasEvent):
                    self._anchors[event.anchor] = done
                if not stack:
                    return done
                stack[-1].add(*done)
            event = next(self._events)

    def _tag(self, event: Any) -> str | None:
        tag = event.tag
        if tag is None or tag == "!" or tag.removeprefix(_STANDARD) in ("map", "seq"):
            return None
        if tag.startswith(_STANDARD):
            raise _unknown(tag, event.start_mark.line + 1)
        return str(tag)

    def _scalar(self, event: Any) -> Node:
        line = event.start_mark.line + 1
        tag = event.tag
        if tag is not None and tag != "!" and not tag.startswith(_STANDARD):
            return Node(event.value or None, line, tag)
        if tag in (None, "!"):
            tag = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        kind = tag.removeprefix(_STANDARD)
        if kind in ("merge", "value"):
            kind, tag = "str", _STANDARD + "str"
        if kind not in _PLAIN or kind in ("map", "seq"):
            raise _unknown(tag, line)
        if kind == "str":
            return Node(event.value, line)
        if len(event.value) > 400:
            raise Unreadable("YAML Parser Error: a number or date of more than 400 characters", line)
        try:
            return Node(self._scalars.construct_object(yaml.ScalarNode(tag, event.value)), line)
        except (ValueError, OverflowError) as err:
            raise Unreadable(f"YAML Parser Error: {err}", line) from err


class _Open:
    """A mapping or list that is still being read."""

    def __init__(self, event: Any, line: int) -> None:
        self.event, self.line, self.size = event, line, 1
        self._list: list[Node] = []
        self._items: dict[str, Node] = {}
        self._lines: dict[str, int] = {}
        self._merged: dict[str, tuple[Node, int]] = {}
        self._repeated: list[tuple[str, int]] = []
        self._key: tuple[str, int] | None = None

    def add(self, node: Node, size: int) -> None:
        self.size += size
        if self.size > MAX_VALUES:
            raise Unreadable(f"YAML Parser Error: aliases expand to more than {MAX_VALUES} values", node.line)
        if isinstance(self.event, yaml.SequenceStartEvent):
            self._list.append(node)
        elif self._key is None:
            if isinstance(node.value, (dict, list)):
                raise Unreadable("YAML Parser Error: a key that is no text", node.line)
            self._key = (str(node.value), node.line)
        else:
            key, line = self._key
            self._key = None
            if key == "<<":
                self._merge(node)
                return
            if key in self._items:
                self._repeated.append((key, line))
            self._items[key], self._lines[key] = node, line

    def _merge(self, node: Node) -> None:
        """Take in the keys of a mapping, or of several of which the first wins; keys of our own win."""
        for source in node.value if isinstance(node.value, list) else [node]:
            if not isinstance(source.value, dict):
                raise Unreadable("YAML Parser Error: << takes mappings only", node.line)
            for key, value in source.value.items():
                self._merged.setdefault(key, (value, node.line))

    def node(self, tag: str | None) -> Node:
        if isinstance(self.event, yaml.SequenceStartEvent):
            return Node(self._list, self.line, tag)
        items = {key: value for key, (value, _) in self._merged.items()} | self._items
        lines = {key: line for key, (_, line) in self._merged.items()} | self._lines
        return Node(items, self.line, tag, lines, tuple(self._repeated))


def _unknown(tag: str, line: int) -> Unreadable:
    return Unreadable(f"could not determine a constructor for the tag {tag!r}, in line {line}", line)
