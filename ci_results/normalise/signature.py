"""Signature: two failures that say the same, but for numbers, times and places, have the same one.

docs/signatures.md describes it, with examples that a test holds true. A change that gives any text
another signature needs a new VERSION: what was stored stays as it is, and is not compared with the new.
"""

from __future__ import annotations

import re
from hashlib import blake2b

VERSION = "1"
"""Of the algorithm: it stands before the dash of each signature."""

READ = 8_000
"""Characters of a text that are read; what comes after does not count."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")

_CHANGING = re.compile(
    r"""
    (?P<url>  [a-z][a-z0-9+.-]{1,15}://[^\s'"<>)\]]+ )
  | (?P<uuid> \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b )
  | (?P<time> \b\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b
            | \b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b )
  | (?P<path> (?<![\w/.-])(?:[A-Za-z]:\\|~/|\.{1,2}/|/)(?:[\w.+@~\-]+[/\\])*(?P<last>[\w.+@~\-]*) )
  | (?P<hex>  \b0x[0-9a-f]+\b | \b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,}\b )
  | (?P<num>  \d+(?:[.,]\d+)* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SUSPECT = re.compile(r"[0-9/\\]")
"""What every word with something to blank in it has; the others, most of them, cost next to nothing."""

_MORE_THAN_NUMBERS = re.compile(r"[/\\-]|[0-9a-f]{7}|\d:\d|0x", re.IGNORECASE)
"""What every word has in which something else than a number changes: the others are read twice as fast."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_KNOWN_WORDS = 4_096
_KNOWN_CHARS = 80
_KNOWN_LINES = 1_024
_LINE_CHARS = 200
_TEMPORARY = re.compile(r"/(?:tmp|var/tmp|run|proc|dev/shm)/", re.IGNORECASE)


def signature(outcome: str, text: str) -> str:
    """Return the signature of a failure, e.g. "1-9f86d081884c7d", from its outcome and its text."""
    said = f"{outcome}\n{blanked(text)}".encode("utf-8", "backslashreplace")
    return f"{VERSION}-{blake2b(said, digest_size=7).hexdigest()}"


def blanked(text: str) -> str:
    """Return what counts of a failure's text.

    >>> blanked("Timeout after 31.5 s at 0x7f3a  (/tmp/a1/log)")
    'Timeout after <n> s at <hex> (<path>)'
    """
    head = text[:READ]
    if "\x1b" in head:
        head = _ESCAPES.sub("", head)
    return " ".join(filter(None, map(_lines.__getitem__, head.split("\n"))))


class _Words(dict[str, str]):
    """What stands for each word. Tracebacks repeat theirs: a word met before costs a look."""

    def __missing__(self, word: str) -> str:
        if word.isalpha() or not _SUSPECT.search(word):
            blank = word
        elif word.isdecimal():
            blank = "<n>"
        elif _MORE_THAN_NUMBERS.search(word):
            blank = _CHANGING.sub(_blank, word)
        else:
            blank = _NUMBER.sub("<n>", word)
        if len(word) <= _KNOWN_CHARS:
            if len(self) >= _KNOWN_WORDS:
                self.clear()
            self[word] = blank
        return blank


def _blank(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "num":
        return "<n>"
    if kind in ("path", "last"):
        if _TEMPORARY.match(found[0]):
            return "<path>"
        return f"<path>{_NUMBER.sub('<n>', found['last'])}"
    return f"<{kind}>"


class _Lines(dict[str, str]):
    """What stands for each line. Tracebacks share most of theirs: a line met before costs a look."""

    def __missing__(self, line: str) -> str:
        blank = " ".join(map(_words.__getitem__, line.split()))
        if len(line) <= _LINE_CHARS:
            if len(self) >= _KNOWN_LINES:
                self.clear()
            self[line] = blank
        return blank


_words = _Words()
_lines = _Lines()
