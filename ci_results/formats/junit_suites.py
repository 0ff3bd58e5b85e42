"""The suites around a JUnit case, and what the file says about itself: counts and times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from . import junit_names
from .junit_keys import SEPARATOR
from .junit_values import end_of, moment, seconds

Data = Mapping[str, str | tuple[str, ...]]

COUNTS = {
    "tests": ("tests",),
    "failures": ("failures",),
    "errors": ("errors",),
    "skipped": ("skipped", "skip", "ignored", "disabled"),
}
"""What a file may declare, and the attributes in which the dialects do; several are added up."""
KEY_PART = 480
"""Characters in a key, at most, of what is around a case, and of its name, where these had to be changed."""
_CLASSES = 1_024
_NO_DATA: Data = {}


class Frame(NamedTuple):
    """One open element outside of cases. Frames are immutable: a case keeps its own for a restart.

    tag, name  as the file spells it ("j:testsuite"); its lower-case local name ("testsuite")
    path       the names of the suites that are open, outermost first
    heads      by classname, what stands before a case's name
    suites     how many outermost suites had begun
    """

    outer: Frame | None
    tag: str
    name: str
    depth: int
    path: tuple[str, ...]
    heads: dict[str, Head]
    suites: int


class Head(NamedTuple):
    """What stands before the names of a class's cases, and what these share.

    testcase  with the prefix: "baseos.tests.test_login."
    key       the same for keys: "tests.test_login::", or "" before a case that stands alone
    data      `suite`, where it says more than what follows: a single suite of the same name as the
              class or the case, or of the tool's, repeats what is known
    """

    testcase: str
    key: str
    data: Data


def head_of(frame: Frame, classname: str, prefix: str) -> Head:
    """Give the head of a class here, kept in `frame.heads` where it is printable.

    So with one found there only a case's own name needs a look.
    """
    found = _head(junit_names.parts(frame.path, classname), frame.path, classname, prefix)
    if found.testcase.isprintable():
        if len(frame.heads) >= _CLASSES:
            frame.heads.clear()
        frame.heads[classname] = found
    return found


def head_and_name(frame: Frame, name: str, prefix: str) -> tuple[Head, str]:
    """Give head and name of a case without a classname, or with one that repeats its name.

    A case without any name is called after its suite.
    """
    said = junit_names.parts(frame.path, name)
    last = said.pop() if said else junit_names.UNNAMED
    return _head(said, frame.path, name, prefix), last


def tidy_key(head: Head) -> Head:
    """Make what a head gives to keys printable and short."""
    return (
        head._replace(key=junit_names.tidy(head.key[: -len(SEPARATOR)], KEY_PART) + SEPARATOR)
        if head.key
        else head
    )


def _head(said: list[str], path: tuple[str, ...], after: str, prefix: str) -> Head:
    """Make a head of what is `said` in a name; `after` is what stands after the suites of `path`."""
    told = junit_names.telling(path)
    data: Data = {"suite": told} if told and told != (after,) else _NO_DATA
    joined = ".".join(said)
    return Head(f"{prefix}{joined}.", f"{joined}{SEPARATOR}", data) if said else Head(prefix, "", data)


class Declared:
    """What root and outermost suites declare. Never trusted: counts are counted, and compared.

    The root's numbers go before the sum of the outermost suites'; nested suites repeat what their
    parents counted.
    """

    def __init__(self) -> None:
        self._root: dict[str, int] = {}
        self._suites: dict[str, int] = {}
        self._root_s: float | None = None
        self._suites_s: float | None = None
        self.begun = 0
        self._repeats = 0
        self.timestamp: str | None = None
        self.end: datetime | None = None
        self.zone_assumed = False

    def root(self, attributes: Mapping[str, str]) -> None:
        """Note what `testsuites` declares."""
        self._root = _counts(attributes)
        self._root_s = seconds(attributes.get("time"))
        self._times(attributes, self._root_s)

    def suite(self, attributes: Mapping[str, str], *, before_cases: bool) -> None:
        """Note what an outermost `testsuite` declares."""
        if self._repeats:
            self._repeats -= 1
            return
        self.begun += 1
        for what, count in _counts(attributes).items():
            self._suites[what] = self._suites.get(what, 0) + count
        took = seconds(attributes.get("time"))
        if took is not None:
            self._suites_s = (self._suites_s or 0.0) + took
        if before_cases:
            # All cases of a file share one time, so it must be known before the first is told.
            self._times(attributes, took)

    def rewind(self, suites: int) -> None:
        """The file is read again from within its outermost suite number `suites`."""
        self._repeats += self.begun - suites

    @property
    def duration_s(self) -> float | None:
        """The run's duration: the root's, else the outermost suites' together."""
        return self._suites_s if self._root_s is None else self._root_s

    def differing(self, found: Mapping[str, int]) -> dict[str, int]:
        """Give the declared numbers that are not those found, e.g. {"tests": 23}."""
        declared = {**self._suites, **self._root}
        return {what: count for what, count in declared.items() if count != found.get(what, 0)}

    def _times(self, attributes: Mapping[str, str], took: float | None) -> None:
        text = attributes.get("timestamp")
        if self.end is not None or not text:
            return
        start, assumed = moment(text)
        if start is not None:
            self.timestamp, self.zone_assumed = text.strip(), assumed
            self.end = end_of(start, took)


def _counts(attributes: Mapping[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for what, names in COUNTS.items():
        for name in names:
            text = attributes.get(name, "").strip()
            if text.isascii() and text.isdigit() and len(text) < 10:
                counts[what] = counts.get(what, 0) + int(text)
    return counts
