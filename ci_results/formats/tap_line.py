"""What one line of TAP says, by the grammars of TAP 12, 13, 14 and of the kernel's KTAP; pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from .junit_values import seconds

TEST = re.compile(r"(not )?ok(?:\s+(\d{1,18})(?=\s|$))?(?:\s+(?:-(?:\s+|$))?(.*)|\s*)$", re.DOTALL)
PLAN = re.compile(r"1\.\.(\d{1,15})\s*(?:#\s*(.*))?$")
VERSION = re.compile(r"(K?TAP) version \d+\s*$", re.IGNORECASE)
BAIL = re.compile(r"bail out!\s*(.*)", re.IGNORECASE)
SUBTEST = re.compile(r"#\s*Subtest(?::\s*(.*))?$")
_DIRECTIVE = re.compile(
    r"(?:^|\s)#\s*(skip|todo|xfail|timeout|error)(\S*)(?:\s+(.*))?$", re.IGNORECASE | re.DOTALL
)
_TRAILER = re.compile(r"\s#\s*(?:time=(\d[\d.]{0,20} ?m?s)|(exit=\d+|Warnings were printed .*))\s*$")
_MOST_DIGITS = 18
_ESCAPED = re.compile(r"\\([\\#])")
_SKIP = re.compile(r"skip\S*\s*(.*)", re.IGNORECASE | re.DOTALL)


class Point(NamedTuple):
    """A test line: `word` says how it went, `name` is "" where only a number is told.

    number  as written, None where it was left out
    opens   whether a buffered subtest begins behind it ("ok 1 - name {")
    """

    word: str
    name: str
    number: int | None
    reason: str = ""
    duration_s: float | None = None
    opens: bool = False
    unexpected: bool = False

    @property
    def plain(self) -> bool:
        """Whether it says no more than name and word."""
        return self.duration_s is None and not self.reason and not self.unexpected


def point(line: str, *, kernel: bool = False) -> Point | None:
    r"""Read a test line; None for any other.

    >>> point("not ok 3 - b \\# c # TODO later")
    Point(word='todo', name='b # c', number=3, reason='later', duration_s=None, opens=False, unexpected=False)
    """
    if line[:3] == "ok ":
        # Nearly all lines, and no more than "ok 1 - name": a third of the expression's time.
        written, _, text = line[3:].partition(" ")
        if text[:2] == "- " and written.isdecimal() and written.isascii() and len(written) <= _MOST_DIGITS:
            text = text[2:].strip()
            if text and "#" not in text and "\\" not in text and text[-1] != "{":
                return Point("ok", text, int(written))
    found = TEST.match(line)
    if found is None:
        return None
    failed, written, text = found.groups()
    word = "not ok" if failed else "ok"
    number = int(written) if written else None
    if not text:
        return Point(word, "", number)
    text = text.strip()
    opens = text == "{" or text.endswith(" {")
    if opens:
        text = text[:-1].rstrip()
    if "#" not in text:
        return Point(word, text.replace("\\\\", "\\") if "\\" in text else text, number, "", None, opens)
    reason, took, unexpected = "", None, False
    if directive := _DIRECTIVE.search(text):
        said = _said(directive[1].lower(), word, kernel)
        if said:
            unexpected = said == "todo" and word == "ok"
            word, reason, text = said, (directive[3] or "").strip(), text[: directive.start()]
    if trailer := _TRAILER.search(text):
        took, text = seconds(trailer[1]), text[: trailer.start()]
        reason = reason or trailer[2] or ""
    return Point(word, _ESCAPED.sub(r"\1", text.strip()), number, reason, took, opens, unexpected)


def plan(line: str) -> tuple[int, str | None] | None:
    """Read a plan: how many tests, and why all are skipped (None where they are not).

    >>> plan("1..0 # SKIP not on linux"), plan("1..3")
    ((0, 'not on linux'), (3, None))
    """
    found = PLAN.match(line)
    if found is None:
        return None
    skipped = _SKIP.match(found[2] or "")
    return int(found[1]), skipped[1].strip() if skipped else None


def _said(directive: str, word: str, kernel: bool) -> str | None:
    """Say what a directive makes of a test; only the kernel's own failures may be expected ones."""
    if directive in ("skip", "todo"):
        return directive
    if word == "ok" or not kernel:
        return None
    return directive
