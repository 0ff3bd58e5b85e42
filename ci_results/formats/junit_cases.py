"""The handlers that turn the elements of a JUnit document into Observations, as expat calls them.

This is the hot part: `start` and `end` run for each element of files of a million cases, so a
passed case with the three usual attributes takes a path without a second look. Nothing here
reads bytes: `junit_reading` feeds the parser and restarts it after damage.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pyexpat import XMLParserType

from ..domain.observation import Draft, Observation, seal
from ..domain.report import Report
from ..domain.testcase import MAX_LENGTH
from .junit_names import UNNAMED, Keys, suite_name, tidy
from .junit_note import Text, note
from .junit_outcome import FAILING, PROBLEMS, RETRIED, Problem, verdict
from .junit_overall import OVERALL
from .junit_suites import Declared, Frame, head_of
from .junit_values import TEN_YEARS_S, seconds
from .xml_refusal import Refused

ROOTS = frozenset({"testsuites", "testsuite", "testcase"})
MAX_DEPTH = 100
MAX_PROPERTIES = 1_000
_SUITE_ITSELF: dict[str, str] = {}
_PROPERTY_CHARS = 1_024
_MAX_NAMES = 1_000
_OUTPUT = frozenset({"system-out", "system-err"})
_SECRET = ("token", "secret", "passw", "credential", "apikey", "api_key", "api-key", "private")

Value = str | tuple[str, ...]


class Cases:
    """Reads cases into `found`, which the caller empties; `counts` tells the words so far.

    One instance reads one file, over as many parsers as its damage asks for.
    """

    __slots__ = (
        "_about", "_attributes", "_begun", "_case_frame", "_frame", "_inner", "_keys", "_names", "_passed",
        "_prefix", "_problem", "_problems", "_properties", "_property_name", "_skip", "_started", "_text",
        "_text_level", "_words", "at", "declared", "found", "parser", "time", "title",
    )  # fmt: skip

    def __init__(self, about: Report) -> None:
        self._about = about
        self._prefix = f"{about.prefix}."
        self._names: dict[str, str] = {"testcase": "testcase"}
        self._keys = Keys(OVERALL)
        self._words: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._properties: dict[str, tuple[str, ...]] = {}
        self._problem: Problem | None = None
        self._text: Text | None = None
        self._passed = 0
        self.found: list[Observation] = []
        self.parser: XMLParserType
        self.time: datetime | None = about.time
        self.forget()

    def forget(self) -> None:
        """Begin before the root element, as if nothing had been read."""
        self.declared = Declared()
        self.title = ""
        self.at = -1
        self._begun = False
        self._started = False
        self._frame: Frame | None = None
        self._case_frame: Frame | None = None
        self._attributes: dict[str, str] | None = None
        self._skip = False
        self._between()

    def attach(self, parser: XMLParserType) -> None:
        """Go on with `parser`, whose next event comes right after what was read before."""
        self.parser = parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = _refuse_doctype

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
        self._frame = self._case_frame = None
        self._skip = False
        self.at = -1

    def abandon(self) -> None:
        """Give up the open case; one that has failed already is told, marked incomplete."""
        attributes = self._attributes
        if attributes is None:
            return
        self._close_text()
        if not self._skip and any(problem.kind in FAILING for problem in self._problems):
            self._tell_case(attributes, {"incomplete": "true"})
        self._attributes = None
        self._between()

    def _reopen(self, frame: Frame | None) -> bytes:
        self._frame = frame
        self._attributes = None
        self.at = -1
        self._between()
        tags: list[str] = []
        while frame is not None:
            tags.append(frame.tag)
            frame = frame.outer
        return "".join(f"<{tag}>" for tag in reversed(tags)).encode()

    # Elements ------------------------------------------------------------------------------------

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "testcase":
            name = self._names.get(tag) or self._learn(tag)
            if name != "testcase":
                if self._attributes is None:
                    self._start_outside(name, tag, attributes)
                else:
                    self._start_inside(name, attributes)
                return
        if self._attributes is not None:
            self._end_case()
        self.at = self.parser.CurrentByteIndex
        self._case_frame = self._frame
        self._attributes = attributes

    def _end(self, tag: str) -> None:
        if tag != "testcase" and self._names[tag] != "testcase":
            if self._attributes is None:
                self._end_outside()
            else:
                self._end_inside()
            return
        self._end_case()

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
                self.declared.suite(attributes, before_cases=not self._started)
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
        self._frame = Frame(frame, tag, name, depth + 1, path, heads, suites)

    def _end_outside(self) -> None:
        frame = self._frame
        if frame is None:
            return
        outer = frame.outer
        if outer is not None and outer.suites != frame.suites:
            outer = outer._replace(suites=frame.suites)
        self._frame = outer

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        self._inner += 1
        if self._inner > MAX_DEPTH:
            raise Refused(f"elements nest deeper than {MAX_DEPTH}")
        if self._text is not None:
            if name in _OUTPUT:
                self.parser.CharacterDataHandler = None
        elif name in PROBLEMS:
            self._problem = Problem(name, attributes.get("message", ""), attributes.get("type", ""))
            self._problems.append(self._problem)
            self._open_text()
        elif name == "property":
            if "value" in attributes:
                self._property(attributes.get("name", ""), attributes["value"])
            else:
                self._open_text(property_name=attributes.get("name", ""))
        elif name in _OUTPUT:
            # CTest and Bazel leave the failure empty and tell the story in the output.
            told = self._problems[-1] if self._problems else None
            if told is not None and told.kind in FAILING and not told.text:
                self._problem = told
                self._open_text()

    def _end_inside(self) -> None:
        if self._text is not None:
            if self._inner == self._text_level:
                self._close_text()
            elif self.parser.CharacterDataHandler is None:
                self.parser.CharacterDataHandler = self._text.add
        self._inner -= 1
        if not self._inner and self._attributes is _SUITE_ITSELF:
            self._end_case()

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
            self._problem.text, self._problem.length = self._text.text(), self._text.length
        self._text = self._problem = None

    def _property(self, name: str, value: str) -> None:
        """Keep a case's own property; a suite's are the environment, tokens and all, and are not kept."""
        if not name or sum(map(len, self._properties.values())) >= MAX_PROPERTIES:
            return
        if any(word in name.lower() for word in _SECRET):
            value = "(not kept)"
        key = f"property.{tidy(name, 128)}"
        self._properties[key] = (*self._properties.get(key, ()), value[:_PROPERTY_CHARS])

    # Cases ---------------------------------------------------------------------------------------

    def _between(self) -> None:
        """No case is open."""
        self._problems = []
        self._properties = {}
        self._problem = None
        self._text = None
        self._text_level = 0
        self._property_name = ""
        self._inner = 0

    def _end_case(self) -> None:
        attributes = self._attributes
        if attributes is None:
            return
        self._attributes = None
        if self._skip:
            self._skip = False
            self._between()
            return
        if not self._problems and not self._properties and len(attributes) == 3:
            try:
                name = attributes["name"]
                classname = attributes["classname"]
                took = float(attributes["time"])
            except (KeyError, ValueError):
                pass
            else:
                if 0.0 <= took < TEN_YEARS_S:
                    self._inner = 0
                    self._passed += 1
                    self._tell(name, classname, took, "passed", None, None)
                    return
        self._tell_case(attributes, {})
        self._between()

    def _tell_case(self, attributes: Mapping[str, str], data: dict[str, Value]) -> None:
        problems = self._problems
        word = verdict(problems, attributes)
        data.update(self._properties)
        attempts = sum(problem.kind in RETRIED for problem in problems)
        if attempts:
            data["attempts"] = str(attempts + 1)
        if word == "flaky":
            data["flaky"] = "true"
        said, length = note(_deciding(problems, word))
        if said is not None and length > len(said):
            data["note_length"] = str(length)
        if word != "passed":
            data.update({name: attributes[name] for name in ("file", "line") if attributes.get(name)})
            if kind := next((problem.type for problem in _deciding(problems, word) if problem.type), ""):
                data["problem_type"] = kind[:_PROPERTY_CHARS]
        self._words[word] = self._words.get(word, 0) + 1
        self._tell(
            attributes.get("name", ""),
            attributes.get("classname", attributes.get("class")),
            seconds(attributes.get("time", attributes.get("duration"))),
            word,
            said,
            data,
        )

    def _tell(
        self,
        name: str,
        classname: str | None,
        took: float | None,
        word: str,
        said: str | None,
        data: dict[str, Value] | None,
    ) -> None:
        frame = self._frame
        if frame is None:
            frame = self._frame = Frame(None, "testsuites", "testsuites", 0, (), {}, 0)
        found = frame[5].get(classname if classname != name else None)
        if found is None:
            found = head_of(frame, classname if classname != name else None)
        head, shared = found
        key = head + name if name else head[:-1] or UNNAMED
        testcase = self._prefix + key
        if len(testcase) > MAX_LENGTH or not testcase.isprintable():
            data = (
                {"name": key[:_PROPERTY_CHARS]} if data is None else {**data, "name": key[:_PROPERTY_CHARS]}
            )
            testcase = tidy(testcase)
            key = testcase[len(self._prefix) :]
        self._started = True
        claimed = self._keys.claim(key)
        if claimed != key:
            data = {} if data is None else data
            data["occurrence"] = claimed.rpartition("#")[2]
        about = self._about
        draft = Draft()
        draft.key = claimed
        draft.testcase = testcase
        draft.outcome = word
        draft.item = about.item
        draft.item_type = about.item_type
        draft.time = self.time
        draft.duration_s = took
        draft.ref_url = None
        draft.note = said
        draft.scenario = about.scenario
        draft.arch = about.arch
        draft.parent = OVERALL
        draft.data = {**shared, **data} if data else shared
        draft.run = about.run
        self.found.append(seal(draft))


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
