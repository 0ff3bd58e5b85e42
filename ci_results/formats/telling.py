"""What one report tells: its children as Observations with unique keys, and then itself as a whole.

Readers hand over what they found in the report's own words; what all readers owe (names, keys,
counts, damage, "nothing executed is never passed") is done here, once. JUnit has its own, for speed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from ..domain.garbled import Garbled
from ..domain.observation import Draft, Observation
from ..domain.outcome import WORST_FIRST, Outcome
from ..domain.report import Report
from ..domain.testcase import MAX_LENGTH
from ..errors import InvalidError, shown
from . import plain_text
from .junit_keys import Keys
from .junit_names import UNNAMED, tidy
from .junit_overall import OVERALL
from .whole import whole

RAW_BYTES = 1 << 20
"""So much at most of one unreadable piece goes to the quarantine."""
MAX_UNREADABLE = 1_000
"""More unreadable records of one report are only counted."""
_WORDS = 100
_OTHERS = "other words"
_TOLD_DAMAGES = 3
_OURS = frozenset(map(str, Outcome))

Data = Mapping[str, str | tuple[str, ...]]
_NOTHING: Data = {}


class Telling:
    """The account of one report; use it once.

    tool      how the report's testcase is called where the prefix has no dot: "tap"
    outcomes  the format's words, lower case, to ours
    checker   whether the report is one tool's opinion of one item: its testcases then stand below
              PREFIX.TOOL ("dist.rpmgrill.elf-checks"), else below PREFIX alone, as a runner's tests do
    """

    def __init__(
        self, about: Report, tool: str, outcomes: Mapping[str, str], *, checker: bool = False
    ) -> None:
        if about.time is not None and about.time.tzinfo is None:
            raise InvalidError(f"the time of the report has no zone: {shown(about.time)}")
        prefix = below(about.prefix, tool) if checker else about.prefix
        self.about = about
        self.prefix = prefix
        self.root = prefix if "." in prefix else f"{prefix}.{tool}"
        self.time: datetime | None = None
        self.duration_s: float | None = None
        self.damage: list[str] = []
        self.counts: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        self.ran = 0
        mapped = {word: ours for word, ours in about.outcomes.items() if ours in _OURS}
        self._own_outcomes = outcomes
        self._outcomes = {**outcomes, **mapped} if mapped else outcomes
        self._keys = Keys(about.scratch)
        self._keys.add(OVERALL)
        self._room = MAX_LENGTH - len(prefix) - 1
        self._unclear = False
        self._unreadable = 0
        self._meaning: dict[str, tuple[str, str | None, bool]] = {}

    def child(
        self,
        name: str,
        word: str,
        *,
        note: str | None = None,
        time: datetime | None = None,
        duration_s: float | None = None,
        ref_url: str | None = None,
        item: str | None = None,
        item_type: str | None = None,
        scenario: str | None = None,
        arch: str | None = None,
        parent: str | None = OVERALL,
        data: Data | None = None,
        key: str | None = None,
        testcase: str | None = None,
        ran: bool | None = None,
        counted: bool = True,
    ) -> Observation:
        """Give the observation of one child, named `name` below the prefix.

        word     the report's own word for how it went
        testcase  its whole name, where the report itself tells that
        key      unique within the report where the name is not; a name that comes again is numbered
        ran      whether something was executed; None: yes, unless the format takes its word for INFO
        counted  whether it decides what the whole report says
        """
        name = name.strip() or UNNAMED
        told = data or _NOTHING
        if name.isprintable() and len(name) <= self._room:
            short = name
        else:
            short = tidy(name, self._room)
            told = {**told, "name": plain_text.value(name)}
        wanted = short if key is None else tidy(key)
        if self._keys.add(wanted):
            claimed = wanted
        else:
            claimed = self._keys.claim(wanted)
            if key is None:
                told = {**told, "occurrence": claimed.rpartition("#")[2]}
        if counted:
            self._count(word, ran)
        about = self.about
        draft: Any = Draft()
        draft.key = claimed
        draft.testcase = f"{self.prefix}.{short}" if testcase is None else tidy(testcase)
        draft.outcome = word
        draft.item = item or about.item
        draft.item_type = item_type or about.item_type
        draft.time = about.time or time or self.time
        draft.duration_s = duration_s
        draft.ref_url = ref_url
        draft.note = note
        draft.scenario = plain_text.value(scenario) if scenario else about.scenario
        draft.arch = plain_text.value(arch) if arch else about.arch
        draft.parent = parent
        draft.data = told
        draft.run = about.run
        draft.__class__ = Observation
        return cast(Observation, draft)

    def plain(self) -> Callable[[str, str], Observation]:
        """Give a function (name, word) that tells a child of which no more is said, as `child` does.

        For readers of millions: a closure without arguments by name, half of child's time. Set `time` before.
        """
        about, child, add, meaning, room = self.about, self.child, self._keys.add, self._meaning, self._room
        words, counts, above = self.words, self.counts, f"{self.prefix}."
        item, item_type, run, time = about.item, about.item_type, about.run, about.time or self.time
        scenario, arch = about.scenario, about.arch

        def tell(name: str, word: str) -> Observation:
            known = meaning.get(word)
            if (
                known is None
                or (outcome := known[1]) is None
                or not name
                or len(name) > room
                or not name.isprintable()
                or name.strip() != name
                or not add(name)
            ):
                return child(name, word)
            words[known[0]] += 1
            counts[outcome] += 1
            if known[2]:
                self.ran += 1
            draft: Any = Draft()
            draft.key = name
            draft.testcase = above + name
            draft.outcome = word
            draft.item = item
            draft.item_type = item_type
            draft.time = time
            draft.duration_s = None
            draft.ref_url = None
            draft.note = None
            draft.scenario = scenario
            draft.arch = arch
            draft.parent = OVERALL
            draft.data = _NOTHING
            draft.run = run
            draft.__class__ = Observation
            return cast(Observation, draft)

        return tell

    def unread(self, garbled: Garbled) -> Garbled:
        """Pass on what a stream could not read; the report is then at best NEEDS_INSPECTION."""
        place = f" at {garbled.position}" if garbled.position else ""
        self.damage.append(f"{garbled.reason}{place}")
        return garbled

    def bad(self, record: object, reason: object, position: str | None = None) -> Iterator[Garbled]:
        """Put a record that says too little, or nonsense, into the quarantine, at most 1,000 of them."""
        self._unreadable += 1
        said = str(reason) or type(reason).__name__
        if self._unreadable > MAX_UNREADABLE:
            return
        raw = record if isinstance(record, bytes) else _as_json(record)
        yield self.unread(Garbled(raw=raw[:RAW_BYTES], reason=said, position=position, kind="report"))

    def end(
        self,
        *,
        word: str | None = None,
        note: str | None = None,
        data: Data | None = None,
        ref_url: str | None = None,
        total: str = "cases",
        empty: str = "empty",
    ) -> Iterator[Observation]:
        """Yield the report as a whole, last; before it one error where nothing at all could be read.

        word   what the report says of itself; it is only taken where it is no better than its children
        total  what its children are called in the data: "cases", "checks"
        empty  the word where nothing was executed, and the report says why
        """
        if self.damage and not self.words:
            yield self.child("[failed-to-read]", "error", note=self.damage[0])
        told = {**self._sums(total), **(data or {})}
        own = self.word()
        own = empty if own == "empty" else own
        about = self.about
        yield Observation(
            key=OVERALL,
            testcase=tidy(self.root),
            outcome=own if word is None or self._rank(own) <= self._rank(word) else word,
            item=about.item,
            item_type=about.item_type,
            time=about.time or self.time,
            duration_s=self.duration_s,
            ref_url=ref_url,
            note=plain_text.note("; ".join(self._said(note, total))),
            scenario=about.scenario,
            arch=about.arch,
            data=told,
            run=about.run,
        )

    def job(
        self,
        test: str,
        word: str,
        *,
        note: str | None = None,
        scenario: str | None = None,
        arch: str | None = None,
        data: Data | None = None,
    ) -> Iterator[Observation]:
        """Yield, in the place of `end`, the whole of a report that is one test with parts, called `test`."""
        if self.damage and not self.words:
            yield self.child("[failed-to-read]", "error", note=self.damage[0])
        self._keys = Keys()
        yield self.child(
            test,
            word,
            key=OVERALL,
            note=note,
            duration_s=self.duration_s,
            scenario=scenario,
            arch=arch,
            parent=None,
            data=data,
            counted=False,
        )

    def word(self) -> str:
        """Say what the children make of the report so far."""
        return whole(self.counts, ran=self.ran, damaged=bool(self.damage), unclear=self._unclear)

    def _sums(self, total: str) -> dict[str, str | tuple[str, ...]]:
        """Give the numbers of children by word, and the damage, as data of the whole."""
        sums: dict[str, str | tuple[str, ...]] = {total: str(self.words.total())}
        sums |= {plain_text.attribute(said): str(count) for said, count in sorted(self.words.items())}
        if self.damage:
            sums["recovered"] = "true"
            sums["damage"] = tuple(plain_text.value(each) for each in self.damage[:_TOLD_DAMAGES])
        return sums

    def _count(self, word: str, ran: bool | None) -> None:
        known = self._meaning.get(word)
        if known is None:
            lower = word.lower()
            known = (
                lower if len(self.words) < _WORDS or lower in self.words else _OTHERS,
                self._outcomes.get(lower),
                self._own_outcomes.get(lower) != Outcome.INFO,
            )
            if len(self._meaning) < _WORDS:
                self._meaning[word] = known
        lower, outcome, executed = known
        self.words[lower] += 1
        if outcome is None:
            self._unclear = True
        else:
            self.counts[outcome] += 1
        if executed if ran is None else ran:
            self.ran += 1

    def _rank(self, word: str) -> int:
        """Say how bad a word is: 0 is worst."""
        return WORST_FIRST.index(Outcome(self._outcomes.get(word.lower(), Outcome.NEEDS_INSPECTION)))

    def _said(self, note: str | None, total: str) -> Iterator[str]:
        yield ", ".join(f"{count} {word}" for word, count in sorted(self.words.items())) or f"no {total}"
        if not self.ran:
            yield "nothing executed"
        if note:
            yield note
        if self.damage:
            yield f"the report is damaged, read as far as it goes: {self.damage[0]}"
            more = max(len(self.damage), self._unreadable) - 1
            if more:
                yield f"{more} more damages"


def below(prefix: str, tool: str) -> str:
    """Put a tool's name behind a prefix, as far as that does not end in it.

    >>> below("dist", "rpmdiff.analysis"), below("dist.rpmdiff", "rpmdiff.analysis")
    ('dist.rpmdiff.analysis', 'dist.rpmdiff.analysis')
    """
    parts = tool.split(".")
    for count in range(len(parts), 0, -1):
        if prefix.endswith("." + ".".join(parts[:count])):
            return ".".join([prefix, *parts[count:]])
    return f"{prefix}.{tool}"


def _as_json(record: object) -> bytes:
    return json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "replace")
