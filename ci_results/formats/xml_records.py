"""Read the records of an XML report as a stream: strictly, and cleaned from the first damage on.

What JUnit's reader does with far more care (it goes around what cannot be cleaned) is not done here:
where cleaning does not mend it, reading ends, and what follows goes to the quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from typing import IO

from ..domain.garbled import Garbled
from .telling import Telling
from .xml_elements import Elements, Event
from .xml_head import look
from .xml_refusal import Refused
from .xml_window import BLOCK_BYTES, QUICK_BYTES, Window

RAW_BYTES = 1 << 20
MAX_FILE_BYTES = 1 << 30
MAX_TOKEN_BYTES = 16 << 20
_MAX_NAMES = 10_000
_BLANKS = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"


def xml_records(
    stream: IO[bytes],
    telling: Telling,
    roots: Iterable[str],
    records: Iterable[str],
    skipped: Iterable[str] = (),
) -> Iterator[Event | Garbled]:
    """Yield each record as an Element, Begun and Ended for the elements around, Garbled for what is unread.

    `telling` is told of all damage, also of what was cleaned.

    >>> import io
    >>> from ci_results.domain.report import Report
    >>> from ci_results.domain.run import Run
    >>> told = Telling(Report(item="a-1-1", item_type="koji_build", prefix="p", run=Run(key="r")), "x", {})
    >>> report = b"<run><test name='a'><message>m</message></test></run>"
    >>> [type(each).__name__ for each in xml_records(io.BytesIO(report), told, ["run"], ["test"])]
    ['Begun', 'Element', 'Ended']
    """
    first = b""
    while len(first) < QUICK_BYTES and (more := stream.read(QUICK_BYTES - len(first))):
        first += more
    elements = Elements(frozenset(roots), frozenset(records), frozenset(skipped))
    yield from _Reading(stream, first, elements, telling).events()


class _Reading:
    """One document being read."""

    def __init__(self, stream: IO[bytes], first: bytes, elements: Elements, telling: Telling) -> None:
        self._head = look(first)
        self._empty = not first.strip(_BLANKS)
        self._window = Window(stream, first)
        self._elements = elements
        self._telling = telling
        self._parser: XMLParserType
        self._base = 0
        self._first_line = 1

    def events(self) -> Iterator[Event | Garbled]:
        head, window, elements = self._head, self._window, self._elements
        if self._empty or head.refusal is not None:
            yield self._unread("the report is empty" if self._empty else str(head.refusal), 0)
            return
        if head.skip:
            window.read()
            window.put_back(window.take_from(head.skip))
        if head.foreign:
            window.sanitise(head.encoding, head.skip)
        self._begin(b"", "utf-8" if head.forced or head.foreign else None)
        block, size = b"-", QUICK_BYTES
        while block:
            block = window.read(size)
            broken: Exception | None = None
            try:
                size = self._feed(block)
            except (Refused, ExpatError, LookupError, ValueError) as err:
                broken = err
            yield from elements.events
            elements.events.clear()
            if broken is None:
                window.forget(self._base + elements.at if elements.at >= 0 else 0)
                continue
            if not self._mended(broken, at_end=not block):
                yield self._given_up(broken, at_end=not block)
                return
        if not elements.ended:
            yield self._unread("the report ends too early", window.end)

    def _feed(self, block: bytes) -> int:
        """Parse a block; say how many bytes the next one may have: more while one token goes on."""
        self._parser.Parse(block, not block)
        pending = self._window.end - self._base - max(self._parser.ErrorByteIndex, 0)
        if pending > MAX_TOKEN_BYTES:
            raise Refused(f"one tag or comment is longer than {MAX_TOKEN_BYTES >> 20} MiB")
        if self._window.end > MAX_FILE_BYTES:
            raise Refused(f"the report is longer than {MAX_FILE_BYTES >> 30} GiB")
        if len(self._parser.intern) > _MAX_NAMES:
            raise Refused(f"more than {_MAX_NAMES:,} different names of elements and attributes")
        return QUICK_BYTES if pending < QUICK_BYTES else BLOCK_BYTES

    def _begin(self, prologue: bytes, encoding: str | None = "utf-8") -> None:
        parser = ParserCreate(encoding)
        parser.buffer_text = True
        if prologue:
            parser.Parse(prologue)
        self._parser = parser
        self._base = self._window.end - len(prologue)
        self._first_line = self._window.line
        self._elements.attach(parser)

    def _mended(self, err: Exception, *, at_end: bool) -> bool:
        """Begin again at the last record, cleaned; say False where that cannot help, or did not."""
        window, elements = self._window, self._elements
        start = self._base + elements.at if elements.at >= 0 else self._head.skip
        if at_end or window.sanitised or elements.ended or isinstance(err, Refused) or start < window.start:
            return False
        at = self._stand()
        self._telling.damage.append(f"{_said(err)} at {window.place(at)}")
        window.sanitise(self._head.encoding, start)
        self._begin(elements.back())
        return True

    def _given_up(self, err: Exception, *, at_end: bool) -> Garbled:
        """Quarantine what follows from the last record on, or behind the document."""
        elements = self._elements
        at = self._stand()
        start = self._base + elements.at if elements.at >= 0 and not elements.ended else at
        early = at_end and not isinstance(err, Refused)
        return self._unread(f"the report ends too early: {_said(err)}" if early else _said(err), start, at)

    def _stand(self) -> int:
        """Give the place where the parser stopped, having told the window its line."""
        at = self._base + max(self._parser.ErrorByteIndex, 0)
        self._window.stand(at, self._first_line + self._parser.ErrorLineNumber - 1)
        return at

    def _unread(self, reason: str, start: int, at: int | None = None) -> Garbled:
        window = self._window
        place = window.place(start if at is None else at)
        start = max(start, window.start)
        while window.end - start < RAW_BYTES and window.read(RAW_BYTES):
            pass
        raw = window.kept[start - window.start :][:RAW_BYTES]
        if at is not None and at > start:
            place = f"{place}, kept from {window.place(start)}"
        garbled = Garbled(raw=raw, reason=reason, position=place, kind="report")
        return self._telling.unread(garbled)


def _said(err: Exception) -> str:
    return ErrorString(err.code) if isinstance(err, ExpatError) else str(err)
