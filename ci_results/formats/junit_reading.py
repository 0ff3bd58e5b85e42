"""Read one JUnit file from end to end: strictly as long as that goes, around the damage after.

At the first error the file is read on, cleaned, from the case in which it happened; an error that
cleaning does not mend costs that one case, and reading goes on at the next. What was not read is
yielded as Garbled, with its place, and the file as a whole is then at best NEEDS_INSPECTION.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from typing import IO

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from .junit_cases import Cases
from .junit_overall import overall, synthetic
from .junit_plain import BEGIN
from .xml_head import Head, look
from .xml_refusal import Refused
from .xml_window import BLOCK_BYTES, QUICK_BYTES, Window

Seen = Observation | Garbled

RAW_BYTES = 1 << 20
"""So much at most of what was not read goes to the quarantine."""
MAX_FILE_BYTES = 1 << 30
MAX_CASES = 5_000_000
MAX_TOKEN_BYTES = 16 << 20
"""expat holds a token (a tag, a comment) whole: a longer one is refused."""
MAX_NAMES = 10_000
MAX_RESTARTS = 1_000
_STEP_BYTES = 1 << 16
_BOUNDARY = re.compile(rb"<(?:/(?:[\w.-]+:)?testsuite|(?:[\w.-]+:)?(?:testcase|testsuite))[\s/>]")
_ROOT = re.compile(rb"<\?xml\s|<(?:[\w.-]+:)?(?:testsuites|testsuite|testcase)[\s/>]")
_LONGEST_BOUNDARY = 64
_INTERNED = {name: name for name in ("testcase", "classname", "name", "time", "system-out", "failure")}
"""Names that expat then gives as these very objects, which compare without a look at their letters."""


class Reading:
    """One file being read; use it once."""

    def __init__(self, stream: IO[bytes], about: Report) -> None:
        first = b""
        while len(first) < QUICK_BYTES and (more := stream.read(QUICK_BYTES - len(first))):
            first += more
        self._about = about
        self._head: Head = look(first)
        self._window = Window(stream, first)
        self._cases = Cases(about)
        self._parser: XMLParserType
        self._base = 0
        self._first_line = 1
        self._told = 0
        self._restarts = 0
        self._damage: list[str] = []
        self._empty = not first.strip(b"\xef\xbb\xbf\0 \t\r\n")
        self._finished = False

    def observations(self) -> Iterator[Seen]:
        """Yield the cases as they come, what could not be read, and at last the file as a whole."""
        if self._empty:
            reason = "the file is empty"
            self._damage.append(reason)
            yield Garbled(raw=self._window.read(), reason=reason, position="byte 0, line 1", kind="report")
        elif self._head.refusal is not None:
            yield self._given_up(self._head.refusal, 0)
        else:
            for told in self._document():
                yield from told
            yield from self._drained()
        if self._damage and not self._told:
            yield synthetic(self._about, "[empty]" if self._empty else "[failed-to-read]", self._damage[0])
        yield overall(self._about, self._cases, self._damage)

    def _document(self) -> Iterator[Iterable[Seen]]:
        """Yield what each block brings, as it is: a generator less that every case passes through."""
        head, window = self._head, self._window
        if head.noise:
            self._damage.append(f"{head.skip} bytes of other text stand before the document")
        if head.skip:
            window.read()
            window.put_back(window.take_from(head.skip))
        if head.foreign:
            window.sanitise(head.encoding, head.skip)
        self._begin(b"", "utf-8" if head.forced or head.foreign else None)
        block, size = b"-", QUICK_BYTES
        while block and not self._finished:
            block = window.read(size)
            try:
                size = self._feed(block)
            except Refused as refused:
                yield self._drained()
                at = self._stand()
                yield [self._given_up(str(refused), at)]
                return
            except (ExpatError, LookupError, ValueError) as err:
                yield self._drained()
                at = self._stand()
                yield self._go_on(err, at) if block else [self._cut_short(err, at)]
            else:
                yield self._drained()
                window.forget(self._base + self._cases.at if self._cases.at >= 0 else 0)

    def _feed(self, block: bytes) -> int:
        """Parse a block; say how many bytes the next one may have: more while one token goes on."""
        parser = self._parser
        if block and not self._window.sanitised:
            self._parse(block)
        else:
            parser.Parse(block, not block)
        pending = self._window.end - self._error_at()
        if pending > MAX_TOKEN_BYTES:
            raise Refused(f"one tag or comment is longer than {MAX_TOKEN_BYTES >> 20} MiB")
        if self._window.end > MAX_FILE_BYTES:
            raise Refused(f"the file is longer than {MAX_FILE_BYTES >> 30} GiB")
        if self._told > MAX_CASES:
            raise Refused(f"more than {MAX_CASES:,} cases")
        if len(parser.intern) > MAX_NAMES:
            raise Refused(f"more than {MAX_NAMES:,} different names of elements and attributes")
        return QUICK_BYTES if pending < QUICK_BYTES else BLOCK_BYTES

    def _parse(self, block: bytes) -> None:
        """Give the parser a block, but for the plain cases in it: these are told at a third of the cost."""
        text = block.decode("latin-1")  # a letter a byte: what is plain is ASCII in every encoding here
        start, parsed = self._window.end - len(block), 0
        while (at := text.find(BEGIN, parsed + 1)) >= 0:
            self._parser.Parse(block[parsed:at])
            parsed = at
            if start + at == self._error_at() and (left := self._cases.pass_over(text, at)) > at:
                self._base += left - at
                self._first_line += text.count("\n", at, left)
                parsed = left
        self._parser.Parse(block[parsed:])

    def _drained(self) -> list[Observation]:
        """Give the cases found since the last time."""
        found = self._cases.found.copy()
        self._cases.found.clear()
        self._told += len(found)
        return found

    def _begin(self, prologue: bytes, encoding: str | None = "utf-8") -> None:
        """Take a new parser for what comes next; `prologue` opens the elements that are open there."""
        parser = ParserCreate(encoding, None, dict(_INTERNED))
        parser.buffer_text = True
        parser.buffer_size = _STEP_BYTES
        if prologue:
            parser.Parse(prologue)
        self._parser = parser
        self._base = self._window.end - len(prologue)
        self._first_line = self._window.line
        self._cases.attach(parser)

    # After an error ------------------------------------------------------------------------------

    def _go_on(self, err: Exception, at: int) -> Iterator[Garbled]:
        """Restart after an error in the middle: cleaned, at the next document, or around it."""
        window, cases = self._window, self._cases
        reason = self._damaged(err, at)
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            yield self._given_up(f"more than {MAX_RESTARTS:,} errors, the last: {reason}", at)
        elif cases.ended:
            yield from self._around(at, at, reason, _ROOT)
        elif window.sanitised:
            yield from self._around(self._unread_from(at), at, reason, _BOUNDARY)
        elif cases.at >= 0 and self._base + cases.at >= window.start:
            window.sanitise(self._head.encoding, self._base + cases.at)
            prologue = cases.back_to_case()
            self._begin(prologue)
            cases.at = len(prologue)
        elif not self._told and window.start <= self._head.skip:
            window.sanitise(self._head.encoding, self._head.skip)
            cases.forget()
            self._begin(b"")
        else:
            window.sanitise(self._head.encoding, at)
            yield from self._around(at, at, reason, _BOUNDARY)

    def _around(
        self, start: int, search_from: int, reason: str, boundary: re.Pattern[bytes]
    ) -> Iterator[Garbled]:
        """Put what lies between `start` and the next boundary into quarantine, and go on there."""
        window, cases = self._window, self._cases
        start = max(start, window.start)
        place = window.place(start)
        ahead = window.take_from(start)
        # An error at the very start is not met twice: the next boundary lies beyond it.
        offset = max(search_from - start, 0 if boundary is _ROOT else 1)
        raw = b""
        while not (found := boundary.search(ahead, offset)):
            if len(raw) < RAW_BYTES:
                raw += ahead[:-_LONGEST_BOUNDARY]
            ahead, offset = ahead[-_LONGEST_BOUNDARY:], 0
            if not window.read():
                self._finished = True
                break
            ahead += window.take_from(window.start)
        left = len(ahead) if found is None else found.start()
        raw = (raw + ahead[:left])[:RAW_BYTES]
        if raw.strip(b"\0 \t\r\n"):
            yield Garbled(raw=raw, reason=reason, position=place, kind="report")
        if self._finished:
            cases.abandon()
            return
        window.put_back(ahead[left:])
        if boundary is _ROOT:
            cases.next_document()
            self._begin(b"", "utf-8" if window.sanitised else None)
        else:
            self._begin(cases.on_to_boundary())

    def _cut_short(self, err: Exception, at: int) -> Garbled:
        """The file ends within an element."""
        reason = f"the file ends too early: {self._damaged(err, at)}"
        return self._unread(reason, self._unread_from(at))

    def _given_up(self, reason: str, at: int) -> Garbled:
        """Stop here, and quarantine what follows."""
        self._finished = True
        self._damage.append(reason)
        return self._unread(reason, self._unread_from(at) if self._told else 0)

    def _unread(self, reason: str, start: int) -> Garbled:
        window = self._window
        start = max(start, window.start)
        while window.end - start < RAW_BYTES and window.read(RAW_BYTES):
            pass
        raw = window.kept[start - window.start :][:RAW_BYTES]
        place = window.place(start)
        self._cases.abandon()
        return Garbled(raw=raw, reason=reason, position=place, kind="report")

    def _unread_from(self, at: int) -> int:
        """Where the unread begins: at the open case, else at the tag in which the error is."""
        cases, window = self._cases, self._window
        if cases.open and cases.at >= 0:
            return self._base + cases.at
        tag = window.kept.rfind(b"<", 0, max(at - window.start, 0))
        return at if tag < 0 or window.kept.find(b">", tag, at - window.start) >= 0 else window.start + tag

    def _error_at(self) -> int:
        return self._base + max(self._parser.ErrorByteIndex, 0)

    def _stand(self) -> int:
        """Give the place where the parser stopped, having told the window its line."""
        at = self._error_at()
        self._window.stand(at, self._first_line + self._parser.ErrorLineNumber - 1)
        return at

    def _damaged(self, err: Exception, at: int) -> str:
        said = ErrorString(err.code) if isinstance(err, ExpatError) else str(err)
        reason = f"{said} at {self._window.place(at)}"
        self._damage.append(reason)
        return reason
