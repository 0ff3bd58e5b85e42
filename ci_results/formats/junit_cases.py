"""The handlers that turn the elements of a JUnit document into Observations, as expat calls them.

This is the hot part: `start` and `end` run for each element of files of a million cases, so a
passed case with the three usual attributes takes a path without a second look. Nothing here
reads bytes: `junit_reading` feeds the parser and restarts it after damage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pyexpat import XMLParserType
from typing import Any

from ..domain.observation import Draft, Observation
from ..domain.report import Report
from ..domain.testcase import MAX_LENGTH
from ..errors import InvalidError, shown
from .junit_keys import Keys, apart
from .junit_names import suite_name, tidy
from .junit_note import KEPT_CHARS, Text, note
from .junit_outcome import FAILING, PROBLEMS, RETRIED, Problem, verdict
from .junit_overall import OVERALL
from .junit_plain import PLAIN
from .junit_suites import KEY_PART, Data, Declared, Frame, Head, head_and_name, head_of, tidy_key
from .junit_values import TEN_YEARS_S, seconds
from .xml_refusal import Refused

ROOTS = frozenset({"testsuites", "testsuite", "testcase"})
MAX_DEPTH = 100
MAX_PROPERTIES = 1_000
MAX_PROBLEMS = 100
"""Of one case; more of the same kind only count as attempts, where they are that."""
_SUITE_ITSELF: dict[str, str] = {}
_PROPERTY_CHARS = 1_024
_MAX_NAMES = 1_000
_OUTPUT = frozenset({"system-out", "system-err"})
_SECRET = ("token", "secret", "passw", "credential", "apikey", "api_key", "api-key", "private")

Value = str | tuple[str, ...]
_Told = tuple[str, str, str, float | None, str | None, Data]
_Start = Callable[[str, dict[str, str]], None]
_End = Callable[[str], None]
_Tell = Callable[[str, str, str, float | None, str | None, Data], None]
_NOT_AGAIN: _Told = ("", "", "", None, None, {})


class Cases:
    """Reads cases into `found`, which the caller empties; `counts` tells the words so far.

    One instance reads one file, over as many parsers as its damage asks for.
    """

    __slots__ = (
        "_about", "_attributes", "_begun", "_case_frame", "_end", "_frame", "_head", "_heads", "_incomplete",
        "_inner", "_keys", "_names", "_passed", "_plain", "_prefix", "_problem", "_problems", "_properties",
        "_property_name", "_retries", "_skip", "_tell", "_text", "_text_level", "_verbatim", "_words", "at",
        "declared",
        "found", "parser", "time", "title",
    )  # fmt: skip

    def __init__(self, about: Report) -> None:
        if about.time is not None and about.time.tzinfo is None:
            raise InvalidError(f"the time of the report has no zone: {shown(about.time)}")
        self._about = about
        self._prefix = f"{about.prefix}."
        self._names: dict[str, str] = {"testcase": "testcase"}
        self._keys = Keys(about.scratch)
        self._keys.add(OVERALL)
        self._head: Head | None = None
        self._words: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._properties: dict[str, tuple[str, ...]] = {}
        self._problem: Problem | None = None
        self._text: Text | None = None
        self._plain = True
        self._inner = 0
        self._passed = 0
        self.found: list[Observation] = []
        self.parser: XMLParserType
        self.time: datetime | None = about.time
        self._tell = self._teller()
        self.forget()

    def forget(self) -> None:
        """Begin before the root element, as if nothing had been read."""
        self.declared = Declared()
        self.title = ""
        self.at = -1
        self._begun = False
        self._stand_in(None)
        self._case_frame: Frame | None = None
        self._attributes: dict[str, str] | None = None
        self._skip = False
        self._between()

    def attach(self, parser: XMLParserType) -> None:
        """Go on with `parser`, whose next event comes right after what was read before."""
        self.parser = parser
        start, self._end = self._handlers(parser)
        parser.StartElementHandler, parser.EndElementHandler = start, self._end
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartCdataSectionHandler, parser.EndCdataSectionHandler = self._start_cdata, self._end_cdata
        self._verbatim = False

    def pass_over(self, text: str, at: int) -> int:
        """Tell the plain cases that follow each other from `at` on; return where one begins that is not told.

        Only for a parser that has read all before `at`. It goes on where this says, with a case that it
        sees even where that is plain: so there is one to go back to after damage.
        """
        frame = self._frame
        if self._attributes is not None or self._skip or frame is None or self._verbatim:
            return at
        following = PLAIN.scanner(text, at).match  # type: ignore[attr-defined]
        found = following()
        if found is None:
            return at
        heads, keys, tell = self._heads, self._keys, self._tell
        head, headed, told = self._head, "", 0
        for after in iter(following, None):
            classname, name, took = found.groups()
            if classname != headed or head is None:
                head = heads.get(classname)
                if head is None:
                    head = head_of(frame, classname, self._prefix)
                    if classname not in heads:  # it is not kept where it is not printable
                        break
                headed = classname
                if head is not self._head:
                    self._enter(head)
            testcase = head.testcase + name
            part = name if ":" not in name else apart(name)
            if classname == name or len(testcase) > MAX_LENGTH or not keys.add(part):
                break
            told += 1
            tell(head.key + part, testcase, "passed", float(took), None, head.data)
            found = after
        self._passed += told
        return int(found.start())

    @property
    def counts(self) -> dict[str, int]:
        """How many cases said which word so far."""
        counts = dict(self._words)
        if self._passed:
            counts["passed"] = counts.get("passed", 0) + self._passed
        return counts

    @property
    def ended(self) -> bool:
        """Whether a root element was read to its end."""
        return self._begun and self._frame is None

    @property
    def open(self) -> bool:
        """Whether a case is open."""
        return self._attributes is not None

    # Restarting after damage ---------------------------------------------------------------------

    def back_to_case(self) -> bytes:
        """Go back to the start of the last case: the tags that stand open there, as a new parser's prologue.

        If that case had been told already, it is not told again.
        """
        self._skip = self._attributes is None
        if self._case_frame is not None:
            self.declared.rewind(self._case_frame.suites)
        return self._reopen(self._case_frame)

    def on_to_boundary(self) -> bytes:
        """Go on at a later case or suite boundary; an open case is given up. Returns the prologue."""
        self.abandon()
        frame = self._frame
        while frame is not None and frame.name not in ROOTS:
            frame = frame.outer
        if frame is None:
            frame = Frame(None, "testsuites", "testsuites", 1, (), {}, self.declared.begun)
        return self._reopen(frame)

    def next_document(self) -> None:
        """Begin before another root element of the same file."""
        self._stand_in(None)
        self._case_frame = None
        self._skip = False
        self.at = -1

    def abandon(self) -> None:
        """Give up the open case; one that has failed already is told, marked incomplete."""
        attributes = self._attributes
        if attributes is None:
            return
        self._close_text()
        if not self._skip and any(problem.kind in FAILING for problem in self._problems):
            self._incomplete = True
            self._end("testcase")
        self._attributes = None
        self._between()

    def _reopen(self, frame: Frame | None) -> bytes:
        self._stand_in(frame)
        self._attributes = None
        self.at = -1
        self._between()
        tags: list[str] = []
        while frame is not None:
            tags.append(frame.tag)
            frame = frame.outer
        return "".join(f"<{tag}>" for tag in reversed(tags)).encode()

    # Elements ------------------------------------------------------------------------------------

    def _handlers(self, parser: XMLParserType) -> tuple[_Start, _End]:
        """Make the two functions that expat calls for each element.

        Closures, because what does not change while a parser lives is then a local of theirs: a
        twentieth of the time that a case takes.
        """
        names, keys = self._names, self._keys
        live, take, most = keys.live, keys.live.add, keys.MOST_LIVE
        tell = self._tell

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag != "testcase":
                name = names.get(tag) or self._learn(tag)
                if name != "testcase":
                    if self._attributes is None:
                        self._start_outside(name, tag, attributes)
                    else:
                        self._start_inside(name, attributes)
                    return
            if self._attributes is not None:
                end("testcase")
            self.at = parser.CurrentByteIndex
            self._case_frame = self._frame
            self._attributes = attributes

        def end(tag: str) -> None:
            attributes = self._attributes
            if tag != "testcase" and names[tag] != "testcase":
                if attributes is None:
                    self._end_outside()
                else:
                    self._end_inside()
                return
            if attributes is None:
                return
            told = None
            # The path of nearly every case: nothing inside that tells, and the three usual attributes.
            if self._plain and len(attributes) == 3:
                try:
                    name = attributes["name"]
                    classname = attributes["classname"]
                    took: float | None = float(attributes["time"])
                    head = self._heads[classname]
                except (KeyError, ValueError):
                    told = self._told(attributes)
                else:
                    if head is not self._head:
                        self._enter(head)
                    testcase = head.testcase + name
                    part = name if ":" not in name else apart(name)
                    if (
                        0.0 <= took < TEN_YEARS_S  # type: ignore[operator]
                        and name
                        and classname != name
                        and len(testcase) <= MAX_LENGTH
                        and name.isprintable()
                    ):
                        # Keys.add without its call, while the head's first names come.
                        if keys.quick and (before := len(live)) < most:
                            take(part)
                            free = len(live) > before
                        else:
                            free = keys.add(part)
                    else:
                        free = False
                    if free:
                        self._passed += 1
                        self._attributes = None
                        key = head.key + part
                        data = head.data
                        word = "passed"
                        said = None
                    else:
                        told = self._told(attributes)
            else:
                told = self._told(attributes)
            if told is not None:
                self._attributes = None
                self._between()
                if told is _NOT_AGAIN:
                    return
                key, testcase, word, took, said, data = told
            tell(key, testcase, word, took, said, data)

        return start, end

    def _teller(self) -> _Tell:
        """Make the function that enters a case into `found`."""
        run, item, item_type = self._about.run, self._about.item, self._about.item_type
        scenario, arch = self._about.scenario, self._about.arch
        enter = self.found.append

        def tell(
            key: str, testcase: str, word: str, took: float | None, said: str | None, data: Data
        ) -> None:
            draft: Any = Draft()
            draft.key = key
            draft.testcase = testcase
            draft.outcome = word
            draft.item = item
            draft.item_type = item_type
            draft.time = self.time
            draft.duration_s = took
            draft.ref_url = None
            draft.note = said
            draft.scenario = scenario
            draft.arch = arch
            draft.parent = OVERALL
            draft.data = data
            draft.run = run
            draft.__class__ = Observation
            enter(draft)

        return tell

    def _learn(self, tag: str) -> str:
        """Know a tag by its local name, whatever its namespace."""
        name = tag.rpartition(":")[2]
        name = name.lower() if name.lower() in PROBLEMS else name
        if len(self._names) > _MAX_NAMES:
            raise Refused(f"more than {_MAX_NAMES:,} different element names")
        self._names[tag] = name
        return name

    def _start_outside(self, name: str, tag: str, attributes: dict[str, str]) -> None:
        frame = self._frame
        if frame is None and name not in ROOTS:
            raise Refused(f"the root element is {name[:80]!r}, not testsuites, testsuite or testcase")
        if name in FAILING:
            # A suite that failed outside of its cases (Jenkins' own fixtures have it): told as a
            # case that has only the suite's name.
            self.at = self.parser.CurrentByteIndex
            self._case_frame = frame
            self._attributes = _SUITE_ITSELF
            self._start_inside(name, attributes)
            return
        self._begun = True
        depth, path, heads, suites = (
            (0, (), {}, 0) if frame is None else (frame[3], frame[4], frame[5], frame[6])
        )
        if depth >= MAX_DEPTH:
            raise Refused(f"elements nest deeper than {MAX_DEPTH}")
        if name == "testsuite":
            if not path:
                self.declared.suite(attributes, before_cases=not self.counts)
                suites += 1
                if self._about.time is None:
                    self.time = self.declared.end
            path = (*path, suite_name(attributes.get("name", "").strip()))
            heads = {}
        elif name == "testsuites" and frame is None:
            self.declared.root(attributes)
            self.title = attributes.get("name", "").strip()
            if self._about.time is None:
                self.time = self.declared.end
        self._stand_in(Frame(frame, tag, name, depth + 1, path, heads, suites))

    def _end_outside(self) -> None:
        frame = self._frame
        if frame is None:
            return
        outer = frame.outer
        if outer is not None and outer.suites != frame.suites:
            outer = outer._replace(suites=frame.suites)
        self._stand_in(outer)

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        self._inner += 1
        if self._inner > MAX_DEPTH:
            raise Refused(f"elements nest deeper than {MAX_DEPTH}")
        if self._plain and name in _OUTPUT:
            return
        if self._text is not None:
            if name in _OUTPUT:
                self.parser.CharacterDataHandler = None
        elif name in PROBLEMS:
            self._start_problem(name, attributes)
        elif name == "property":
            self._plain = False
            if "value" in attributes:
                self._property(attributes.get("name", ""), attributes["value"])
            else:
                self._open_text(property_name=attributes.get("name", ""))
        elif name in _OUTPUT:
            # CTest leaves the failure empty and tells the story in the output.
            told = self._problems[-1] if self._problems else None
            if told is not None and told.kind in FAILING and not told.text and not told.message:
                self._problem = told
                self._open_text()

    def _start_problem(self, name: str, attributes: dict[str, str]) -> None:
        self._plain = False
        problems = self._problems
        if name in RETRIED:
            self._retries += 1
        if len(problems) >= MAX_PROBLEMS and any(problem.kind == name for problem in problems):
            return
        message = attributes.get("message", "")
        self._problem = Problem(name, message[:KEPT_CHARS], attributes.get("type", ""))
        problems.append(self._problem)
        self._problem.left_out = max(len(message) - KEPT_CHARS, 0)
        self._open_text()

    def _end_inside(self) -> None:
        if self._text is not None:
            if self._inner == self._text_level:
                self._close_text()
            elif self.parser.CharacterDataHandler is None:
                self.parser.CharacterDataHandler = self._text.add
        self._inner -= 1
        if not self._inner and self._attributes is _SUITE_ITSELF:
            self._end("testcase")

    def _open_text(self, property_name: str = "") -> None:
        self._text = Text()
        self._property_name = property_name
        self._text_level = self._inner
        self.parser.CharacterDataHandler = self._text.add

    def _close_text(self) -> None:
        if self._text is None:
            return
        self.parser.CharacterDataHandler = None
        if self._problem is None:
            self._property(self._property_name, self._text.text())
        else:
            self._problem.text = self._text.text()
            self._problem.left_out += self._text.left_out
        self._text = self._problem = None

    def _property(self, name: str, value: str) -> None:
        """Keep a case's own property; a suite's are the environment, tokens and all, and are not kept."""
        if not name or sum(map(len, self._properties.values())) >= MAX_PROPERTIES:
            return
        if any(word in name.lower() for word in _SECRET):
            value = "(not kept)"
        key = f"property.{tidy(name, 128).replace(':', '_')}"
        self._properties[key] = (*self._properties.get(key, ()), value[:_PROPERTY_CHARS])

    def _start_cdata(self) -> None:
        self._verbatim = True

    def _end_cdata(self) -> None:
        self._verbatim = False

    def _stand_in(self, frame: Frame | None) -> Frame:
        """Be in `frame`; before the root that is a frame of no suites."""
        self._frame = frame
        frame = frame or Frame(None, "testsuites", "testsuites", 0, (), {}, 0)
        self._heads = frame.heads
        return frame

    # Cases ---------------------------------------------------------------------------------------

    def _between(self) -> None:
        """No case is open."""
        self._plain = not self._skip
        self._incomplete = False
        self._problems = []
        self._properties = {}
        self._problem = None
        self._text = None
        self._text_level = 0
        self._property_name = ""
        self._retries = 0
        self._inner = 0

    def _told(self, attributes: Mapping[str, str]) -> _Told:
        """Give what a case tells of itself, where that takes a look at its children or attributes."""
        if self._skip:
            self._skip = False
            return _NOT_AGAIN
        problems = self._problems
        word = verdict(problems, attributes)
        self._words[word] = self._words.get(word, 0) + 1
        data: dict[str, Value] = dict(self._properties)
        said = None
        if problems:
            deciding = problems if len(problems) == 1 else _deciding(problems, word)
            said, length = note(deciding)
            if said is not None and length > len(said):
                data["note_length"] = str(length)
            if self._retries:
                data["attempts"] = str(self._retries + 1)
            for problem in deciding:
                if problem.type:
                    data["problem_type"] = problem.type[:_PROPERTY_CHARS]
                    break
        if word != "passed":
            for place in ("file", "line"):
                if place in attributes:
                    data[place] = attributes[place][:_PROPERTY_CHARS]
            if word == "flaky":
                data["flaky"] = "true"
        if self._incomplete:
            data["incomplete"] = "true"
        classname = attributes.get("classname", attributes.get("class"))
        head, testcase, part = self._named(attributes.get("name", ""), classname)
        if len(testcase) > MAX_LENGTH or not testcase.isprintable():
            data["name"] = testcase[len(self._prefix) :][:_PROPERTY_CHARS]
            testcase = tidy(testcase)
            head, part = tidy_key(head), tidy(part, KEY_PART)
        self._enter(head)
        part = part if ":" not in part else apart(part)
        claimed = self._keys.claim(part)
        if claimed is not part:
            data["occurrence"] = claimed.rpartition("#")[2]
        took = seconds(attributes.get("time", attributes.get("duration")))
        return head.key + claimed, testcase, word, took, said, {**head.data, **data} if data else head.data

    def _named(self, name: str, classname: str | None) -> tuple[Head, str, str]:
        """Give a case's head, its testcase, and the part of its key that comes after the head."""
        frame = self._frame or self._stand_in(None)
        if classname and name and classname != name:
            head = frame.heads.get(classname) or head_of(frame, classname, self._prefix)
            return head, head.testcase + name, name
        head, name = head_and_name(frame, name or classname or "", self._prefix)
        return head, head.testcase + name, name

    def _enter(self, head: Head) -> None:
        self._head = head
        self._keys.enter(head.key)


def _deciding(problems: list[Problem], word: str) -> list[Problem]:
    """Give the problems that made the outcome, for the note."""
    if word in ("failed", "error"):
        failing = [problem for problem in problems if problem.kind in FAILING]
        return failing or problems
    if word == "skipped":
        return [problem for problem in problems if problem.kind == "skipped"]
    return problems


def _refuse_doctype(*declared: object) -> None:
    raise Refused("it declares a document type (DTD), which may define entities; a report needs none")
