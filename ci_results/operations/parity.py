"""Parity: do we say what the old system said of each build and test, and if not, is it known why?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from ..domain.garbled import Garbled
from ..domain.outcome import WORST_FIRST, Outcome
from ..domain.stored import StoredResult
from ..errors import InvalidError, shown
from ..formats.errata_table import WORDS, Verdict, folded
from ..query.results import MAX_LIMIT, ResultQuery
from ..store.protocol import Store
from .known_differences import MISSING, Explanations

BAD = frozenset({Outcome.FAILED, Outcome.NEEDS_INSPECTION})


class Match(StrEnum):
    """How the two sides stand to each other over one item and testcase."""

    MATCHED = "matched"
    MISMATCHED = "mismatched"
    MISSING_HERE = "missing here"
    MISSING_THERE = "missing there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One item and testcase: what both sides say, and why they differ where somebody knows.

    old, new     outcomes, or "missing"
    result       our result, or None; old_url and new_url are where people read on
    explanation  None where nothing explains a difference; "" where there is none
    """

    item: str
    testcase: str
    match: Match
    old: str
    new: str
    explanation: str | None = None
    line: int | None = None
    result: int | None = None
    old_url: str | None = None
    new_url: str | None = None

    @property
    def unexplained(self) -> bool:
        """Say whether somebody must look."""
        return self.match is not Match.MATCHED and self.explanation is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A row of the old system's table that says nothing that can be compared."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """The whole comparison; `unread` rows are compared with nothing."""

    compared: tuple[Compared, ...]
    unread: tuple[Unread, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Count by match: {"mismatched": {"all": 3, "explained": 2, "unexplained": 1}, ...}."""
        found: dict[str, dict[str, int]] = {}
        for match in Match:
            those = [each for each in self.compared if each.match is match]
            open_ = sum(each.unexplained for each in those)
            explained = 0 if match is Match.MATCHED else len(those) - open_
            found[match] = {"all": len(those), "explained": explained, "unexplained": open_}
        return found


@dataclass(slots=True)
class _Old:
    outcome: str
    verdict: Verdict
    time: datetime


def parity(
    rows: Iterable[Verdict | Garbled],
    store: Store,
    known: Explanations,
    *,
    testcases: Collection[str] = (),
    vocabulary: Collection[str] = (),
    now: datetime | None = None,
) -> Parity:
    """Compare the newest old verdict of each item and testcase with our newest result.

    Several architectures or scenarios of one testcase count as the worst of them. Only items that
    the old system names are looked at; of them, testcases that match one of the globs `testcases`
    (all where none is given). Results that were imported are no evidence of ours.
    """
    moment = now or datetime.now(UTC)
    old, unread = _newest(rows, known, testcases, vocabulary)
    found: list[Compared] = []
    for item, theirs in sorted(old.items()):
        ours = _ours(store, item, testcases)
        for testcase in sorted({*theirs, *ours}):
            found.append(
                _compared(item, testcase, theirs.get(testcase, {}), ours.get(testcase, []), known, moment)
            )
    return Parity(compared=tuple(found), unread=tuple(unread))


Theirs = dict[str, dict[str, dict[str, _Old]]]
"""item -> testcase -> architecture -> newest verdict"""


def _newest(
    rows: Iterable[Verdict | Garbled],
    known: Explanations,
    globs: Collection[str],
    vocabulary: Collection[str],
) -> tuple[Theirs, list[Unread]]:
    words = WORDS | {folded(word): word for word in vocabulary}
    words |= {folded(word): ours for word, ours in known.outcomes.items()}
    found: Theirs = {}
    unread: list[Unread] = []
    for row in rows:
        if isinstance(row, Garbled):
            unread.append(Unread(line=row.position or "", reason=row.reason))
            continue
        cells = row.cells
        testcase = known.testcases.get(cells["testcase"], cells["testcase"])
        if not _wanted(testcase, globs):
            continue
        try:
            outcome = words.get(folded(cells["outcome"]))
            if outcome is None:
                raise InvalidError(
                    f"outcome word {shown(cells['outcome'])} is not known; map it in [outcomes]"
                )
            time = row.time or datetime.min.replace(tzinfo=UTC)
        except InvalidError as err:
            unread.append(Unread(line=f"line {row.line}", reason=str(err)))
            continue
        places = found.setdefault(cells["item"], {}).setdefault(testcase, {})
        place = cells.get("arch", "")
        if place not in places or time >= places[place].time:
            places[place] = _Old(outcome, row, time)
    return found, unread


def _ours(store: Store, item: str, globs: Collection[str]) -> dict[str, list[StoredResult]]:
    """Return our newest results of an item by testcase, one for each scenario and architecture."""
    found: dict[str, dict[tuple[str, str], StoredResult]] = {}
    for result in _all_of(store, item):
        if result.superseded_by is None and "imported" not in result.data and _wanted(result.testcase, globs):
            found.setdefault(result.testcase, {}).setdefault((result.scenario, result.arch), result)
    return {testcase: list(places.values()) for testcase, places in found.items()}


def _all_of(store: Store, item: str) -> Iterator[StoredResult]:
    """Yield all results of an item, newest first."""
    before: tuple[str, int] | None = None
    while True:
        page = store.results(ResultQuery(item=item, limit=MAX_LIMIT, before=before))
        yield from page
        if len(page) < MAX_LIMIT:
            return
        last = page[-1]
        before = (last.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"), last.id)


def _compared(
    item: str,
    testcase: str,
    theirs: Mapping[str, _Old],
    ours: list[StoredResult],
    known: Explanations,
    now: datetime,
) -> Compared:
    old = min(theirs.values(), key=lambda each: _rank(each.outcome), default=None)
    new = min(ours, key=lambda each: _rank(each.outcome), default=None)
    said = MISSING if old is None else old.outcome
    says = MISSING if new is None else new.outcome
    if old is None:
        match = Match.MISSING_THERE
    elif new is None:
        match = Match.MISSING_HERE
    else:
        match = Match.MATCHED if said == says else Match.MISMATCHED
    cells: Mapping[str, str] = {} if old is None else old.verdict.cells
    explanation = "" if match is Match.MATCHED else _explained(item, testcase, said, says, cells, known, now)
    return Compared(
        item=item, testcase=testcase, match=match, old=said, new=says, explanation=explanation,
        line=None if old is None else old.verdict.line, result=None if new is None else new.id,
        old_url=cells.get("url") or None, new_url=None if new is None else new.ref_url,
    )  # fmt: skip


def _explained(
    item: str, testcase: str, old: str, new: str, cells: Mapping[str, str], known: Explanations, now: datetime
) -> str | None:
    """Say why two sides differ; None where nobody knows."""
    for each in known.differences:
        if each.covers(item, testcase, old, new, now):
            return each.reason
    waived = folded(cells.get("outcome", "")) == "waived" or bool(cells.get("waived_by"))
    if waived and new in BAD:
        who = f" by {cells['waived_by']}" if cells.get("waived_by") else ""
        why = f": {cells['waiver']}" if cells.get("waiver") else ""
        return f"waived there{who}{why}; a waiver changes no result here"
    return None


def _rank(outcome: str) -> int:
    return WORST_FIRST.index(Outcome(outcome)) if outcome in WORST_FIRST else -1


def _wanted(testcase: str, globs: Collection[str]) -> bool:
    return not globs or any(fnmatchcase(testcase, glob) for glob in globs)
