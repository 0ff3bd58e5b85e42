"""rpminspect's results as JSON: recognise it, read it. See docs/formats/rpminspect.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from . import plain_text
from .json_records import json_records, shape
from .json_values import text
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "ok": Outcome.PASSED,
    "info": Outcome.INFO,
    "skip": Outcome.INFO,
    "waived": Outcome.INFO,
    "verify": Outcome.NEEDS_INSPECTION,
    "bad": Outcome.FAILED,
}
WORDS = frozenset({"OK", "INFO", "VERIFY", "BAD", "SKIP", "DIAGNOSTICS", "WAIVED", "NULL", "UnKnOwN"})
_ORDER = ("skip", "info", "ok", "waived", "verify", "bad")
"""As rpminspect's users order them: one OK beside INFO is a pass."""
NAMES = {
    "header-metadata": "metadata", "man-pages": "manpage", "xml-files": "xml", "elf-object-properties": "elf",
    "desktop-entry-files": "desktop", "dist-tag": "disttag", "spec-file-name": "specname",
    "java-bytecode": "javabytecode", "changed-files": "changedfiles", "moved-files": "movedfiles",
    "removed-files": "removedfiles", "added-files": "addedfiles", "shell-syntax": "shellsyntax",
    "dso-deps": "dsodeps", "kernel-modules": "kmod", "path-migration": "pathmigration",
    "empty-payload": "emptyrpm", "lost-payload": "lostpayload",
}  # fmt: skip
"""Inspections as version 1 called them, and as they are called since."""
_NO_INSPECTIONS = frozenset({"diagnostics", "rpminspect"})
_NOTE_CHARS = 32_768


class Rpminspect:
    """Reads rpminspect's JSON: one observation an inspection, then one for the whole."""

    name: ClassVar[str] = "rpminspect"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it is an object of inspections, each a list of results in rpminspect's words."""
        found = shape(head)
        results = [value for path, value in found.items() if path[1:] == ("[]", "result")]
        lists = [value for path, value in found.items() if len(path) == 1]
        told = bool(results) and all(isinstance(word, str) and word in WORDS for word in results)
        return told and all(value == [] for value in lists)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the report holds."""
        telling = telling_of(about)
        inspection = Inspection("")
        for path, value in json_records(stream, ("*", "[]")):
            if isinstance(value, Garbled):
                yield telling.unread(value)
                continue
            if path[0] != inspection.name:
                yield from inspection.told(telling)
                inspection = Inspection(path[0])
            if len(path) == 1:
                continue
            if not text(value, "result"):
                yield from telling.bad(value, f"a result of {path[0][:80]} without a word")
                continue
            said = (text(value, "message"), text(value, "details"), text(value, "remedy"))
            inspection.add(
                text(value, "result"), "\n".join(filter(None, said)), text(value, "waiver authorization")
            )
        yield from inspection.told(telling)
        yield from telling.end(total="inspections")


def telling_of(about: Report) -> Telling:
    """Begin the account of a run: a comparison where the item is a pair of builds, else an analysis."""
    mode = "comparison" if about.item_type.endswith("_pair") else "analysis"
    return Telling(about, f"rpminspect.{mode}", OUTCOMES, checker=True)


class Inspection:
    """The results of one inspection."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._words: dict[str, int] = {}
        self._said: list[str] = []
        self._chars = 0
        self._authorities: set[str] = set()

    def add(self, word: str, said: str, authority: str) -> None:
        """Take a result: its word, what it says, and who may waive it."""
        lower = word.lower()
        if lower in self._words or len(self._words) < len(WORDS):
            self._words[lower] = self._words.get(lower, 0) + 1
        if said and lower != "ok" and self._chars < _NOTE_CHARS:
            self._said.append(f"{word}: {said}")
            self._chars += len(said)
        if authority and len(self._authorities) < len(WORDS):
            self._authorities.add(plain_text.value(authority))

    def told(self, telling: Telling) -> Iterator[Observation]:
        """Yield the inspection, by its name of version 2; nothing for what is no inspection."""
        if not self._words or self.name in _NO_INSPECTIONS or set(self._words) == {"diagnostics"}:
            return
        unknown = [word for word in self._words if word not in _ORDER and word != "diagnostics"]
        word = unknown[0] if unknown else max(set(self._words) & set(_ORDER), key=_ORDER.index)
        data: dict[str, str | tuple[str, ...]] = {"results": str(sum(self._words.values()))}
        if self._authorities:
            data["waiver_authorization"] = tuple(sorted(self._authorities))
        if self.name in NAMES:
            data["inspection"] = self.name
        yield telling.child(
            NAMES.get(self.name, self.name),
            word,
            note=plain_text.note("\n\n".join(self._said)),
            data=data,
            ran=word != "skip",
        )
