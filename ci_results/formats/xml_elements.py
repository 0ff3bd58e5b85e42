"""Elements of an XML report as expat tells them: records built whole but bounded, the rest passed by.

A record is an element that a reader wants with what is in it (a test); the elements around records
are only told to begin and end. Nothing here reads bytes: `xml_records` feeds the parser.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pyexpat import XMLParserType

from .junit_note import Text
from .xml_refusal import Refused

MAX_DEPTH = 500
MAX_ELEMENTS = 100_000
"""Of one record."""
MAX_CHARS = 8 << 20
"""Of all texts of one record; each keeps its first and last 16,384 characters."""
_MAX_NAMES = 10_000


@dataclass(slots=True)
class Element:
    """An element: its local name, attributes, children, and its own text."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def get(self, attribute: str) -> str:
        """Give an attribute, "" where it is not there."""
        return self.attributes.get(attribute, "")

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children of that name."""
        return (child for child in self.children if child.name == name)

    def at(self, *path: str) -> Element:
        """Give the first element at a path of names, an empty one where there is none."""
        found: Element = self
        for name in path:
            found = next(found.all(name), _NOTHING)
        return found


_NOTHING = Element("", {})


@dataclass(frozen=True, slots=True)
class Begun:
    """An element around records begins."""

    name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """An element around records ends."""

    name: str


Event = Element | Begun | Ended


class Elements:
    """Turns expat's calls into events, over as many parsers as a document's damage asks for.

    records  names of elements to build; skipped: names of those within them to leave out
    at       where in the parser's bytes the last of them, or of the elements around, began; -1: nowhere
    """

    def __init__(self, roots: frozenset[str], records: frozenset[str], skipped: frozenset[str]) -> None:
        self._roots, self._records, self._skipped = roots, records, skipped
        self._names: dict[str, str] = {}
        self.events: list[Event] = []
        self.at = -1
        self.ended = False
        self._frames: list[str] = []
        self._frames_at: list[str] = []
        self._open: list[tuple[Element, Text | None]] = []
        self._told = False
        self._ends = 0
        self._again = self._ends_again = 0
        self._skip = self._count = self._chars = 0

    def attach(self, parser: XMLParserType) -> None:
        """Go on with `parser`."""
        self._parser = parser
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartDoctypeDeclHandler = _refuse_doctype

    def back(self) -> bytes:
        """Go back to where `at` says; return the tags that stand open there, for a new parser.

        What was told of that element, and of the ends behind it, is not told again.
        """
        self._frames = self._frames_at.copy()
        self._open, self._skip = [], 0
        self._again, self._ends_again = int(self._told), self._ends
        self._ends = 0
        self.ended = False
        prologue = "".join(f"<{tag}>" for tag in self._frames).encode()
        self.at = len(prologue)
        return prologue

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self._names.get(tag) or self._learn(tag)
        if len(self._frames) + len(self._open) + self._skip >= MAX_DEPTH:
            raise Refused(f"elements nest deeper than {MAX_DEPTH}")
        if self._skip:
            self._skip += 1
        elif self._open:
            self._start_inside(name, attributes)
        else:
            self._start_outside(name, tag, attributes)

    def _start_outside(self, name: str, tag: str, attributes: dict[str, str]) -> None:
        if not self._frames and name not in self._roots:
            raise Refused(f"the root element is {name[:80]!r}, not {' or '.join(sorted(self._roots))}")
        self.at = self._parser.CurrentByteIndex
        self._frames_at = self._frames.copy()
        again, self._again = self._again, 0
        self._ends = 0
        self._told = bool(again)
        if name in self._records and self._frames:
            self._count = self._chars = 0
            self._open.append((Element(name, attributes), None))
            self._listen()
        elif name in self._skipped:
            self._skip = 1
        else:
            self._frames.append(tag)
            if not again:
                self.events.append(Begun(name, attributes))
            self._told = True

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        if name in self._skipped:
            self._skip = 1
            self._parser.CharacterDataHandler = None
            return
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Refused(f"one record holds more than {MAX_ELEMENTS:,} elements")
        element = Element(name, attributes)
        self._open[-1][0].children.append(element)
        self._open.append((element, None))
        self._listen()

    def _end(self, tag: str) -> None:
        if self._skip:
            self._skip -= 1
            if not self._skip and self._open:
                self._listen()
        elif self._open:
            self._end_inside()
        else:
            self._frames.pop()
            self.ended = not self._frames
            self._ends += 1
            if self._ends_again:
                self._ends_again -= 1
            else:
                self.events.append(Ended(self._names[tag]))

    def _end_inside(self) -> None:
        element, text = self._open.pop()
        if text is not None:
            element.text = text.text()
            self._chars += len(element.text)
            if self._chars > MAX_CHARS:
                raise Refused(f"the texts of one record are longer than {MAX_CHARS >> 20} Mi characters")
        if self._open:
            self._listen()
            return
        self._parser.CharacterDataHandler = None
        if not self._told:
            self.events.append(element)
        self._told = True

    def _listen(self) -> None:
        self._parser.CharacterDataHandler = self._characters

    def _characters(self, piece: str) -> None:
        element, text = self._open[-1]
        if text is None:
            if piece.isspace():
                return
            text = Text()
            self._open[-1] = element, text
        text.add(piece)

    def _learn(self, tag: str) -> str:
        if len(self._names) >= _MAX_NAMES:
            raise Refused(f"more than {_MAX_NAMES:,} different element names")
        return self._names.setdefault(tag, tag.rpartition(":")[2])


def _refuse_doctype(*declared: object) -> None:
    raise Refused("it declares a document type (DTD), which may define entities; a report needs none")
