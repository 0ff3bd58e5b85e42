"""What a checker found, summed up by check: one child a check, however many findings it has.

A result a finding would make many of one testcase, the last of which hides the worst. So the worst
decides for its check, and the note lists what was found as far as there is room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..domain.observation import Observation
from ..domain.outcome import WORST_FIRST, Outcome
from . import plain_text
from .telling import Telling

MAX_CHECKS = 2_000
OTHERS = "[other checks]"
"""Takes the findings of checks beyond 2,000."""
_LISTED = 100
_WORDS = 20
LINE_CHARS = 512
_NOTE_CHARS = 8_000


@dataclass(slots=True)
class Check:
    """The findings of one check: their words with numbers, and the first of them as lines of text."""

    words: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    chars: int = 0
    data: dict[str, str] = field(default_factory=dict)


class Findings:
    """Sums findings up; `outcomes` maps the words that they are given."""

    def __init__(self, outcomes: Mapping[str, str]) -> None:
        self._outcomes = outcomes
        self._checks: dict[str, Check] = {}
        self.total = 0

    def add(
        self,
        check: str,
        word: str,
        lines: str | Sequence[str] = "",
        *,
        data: Mapping[str, str] | None = None,
        count: int = 1,
    ) -> None:
        """Count a finding; `lines` say where and what, data of the first of a check is kept."""
        self.total += count
        found = self._checks.get(check)
        if found is None:
            if len(self._checks) >= MAX_CHECKS:
                check = OTHERS
            found = self._checks.setdefault(check, Check(data=dict(data or {})))
        if word not in found.words and len(found.words) >= _WORDS:
            word = "unclear"
        found.words[word] += count
        for line in (lines,) if isinstance(lines, str) else lines:
            if line and len(found.lines) < _LISTED and found.chars < _NOTE_CHARS:
                found.lines.append(plain_text.storable(line[:LINE_CHARS]))
                found.chars += len(found.lines[-1])

    def children(
        self, telling: Telling, *, ran: bool | None = None, word: str | None = None
    ) -> Iterator[Observation]:
        """Yield one child a check, by name; its word is that of its worst finding, or `word`."""
        for name, check in sorted(self._checks.items()):
            count = check.words.total()
            more = count - len(check.lines)
            listed = [*check.lines, f"[... {more:,} more ...]"] if more and check.lines else check.lines
            sums = {plain_text.attribute(word): str(number) for word, number in check.words.items()}
            yield telling.child(
                name,
                word or min(check.words, key=self._rank),
                note=plain_text.note("\n".join(listed)),
                data={"findings": str(count), **(sums if len(sums) > 1 else {}), **check.data},
                ran=ran,
            )

    def _rank(self, word: str) -> int:
        return WORST_FIRST.index(Outcome(self._outcomes.get(word, Outcome.NEEDS_INSPECTION)))
