"""The latest results of subjects, one of each testcase, scenario, architecture and variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from operator import itemgetter

from ...domain.facts import Evidence, variant_of
from ...domain.policy import globs
from ...domain.search import Attribute, Search
from ...domain.stored import StoredResult
from ...domain.subject import Subject, SubjectTypes
from ...store.identity import to_us
from ...store.protocol import Store
from ..import_et import SOURCE as FROM_ET
from ..import_resultsdb import DOOR

APART = ("scenario", "arch", "system_architecture", "variant", "system_variant")
"""Attributes that set results of one testcase apart."""

PAGE = 200

_TIME_AND_ID = itemgetter(3, 0)
_VARIANT = itemgetter(4, 5, 6)
"""Of Evidence, by place: scenario, architecture, variant."""

Query = tuple[Attribute, ...]
Latest = dict[str, list[Evidence]]


class Results:
    """Reads results as evidence; nothing that the Errata Tool said is any, and it hides nothing of ours.

    until  microseconds since 1970: as it was then; None = now
    """

    def __init__(self, store: Store, types: SubjectTypes, until: int | None = None) -> None:
        self.store, self._types, self.until = store, types, until
        self._imported: frozenset[str] | None = None

    def latest(self, subject: Subject, names: Iterable[str], like: Iterable[str] = ()) -> Latest:
        """Return what is latest of these testcases and of those that match a glob, by testcase."""
        return self.latest_of_each({subject: frozenset(names)}, {subject: frozenset(like)})[subject]

    def latest_of_each(
        self, names: Mapping[Subject, Set[str]], like: Mapping[Subject, Set[str]]
    ) -> dict[Subject, Latest]:
        """Return the same for several subjects, read with one statement for all."""
        asked = [
            (subject, query)
            for subject, testcases in names.items()
            if testcases or like.get(subject)
            for query in self.queries(subject)
        ]
        patterns = _all(like)
        read = self.store.newest(
            [query for _subject, query in asked],
            _all(names),
            APART,
            testcase_patterns=sorted(set(map(_wider, patterns))) if patterns else (),
            passed_over=(FROM_ET,),
            copies_of=DOOR,
            until=self.until,
        )
        found: dict[Subject, list[list[Evidence]]] = {subject: [] for subject in names}
        for (subject, _query), results in zip(asked, read, strict=True):
            if not results:
                continue
            if len(names) > 1 or patterns:  # the store knows what all of them ask for together
                exactly, wanted = names[subject], globs(sorted(like.get(subject, ())))
                results = [one for one in results if one.testcase in exactly or wanted(one.testcase)]
            found[subject].append(results)
        return {subject: _ordered(several) for subject, several in found.items()}

    def queries(self, subject: Subject) -> list[Query]:
        """Return the questions for a subject's results: what it goes by, what names it first."""
        identifier = subject.identifier
        found = []
        for query in self._types.find(subject.type).queries(identifier):
            first, others = [], []
            for key, value in query.items():
                if value == identifier:
                    first.append(Attribute(key, (value,)))
                else:
                    others.append(Attribute(key, tuple(value.split(","))))
            found.append((*first, *others))
        return found

    def pages(self, testcase: str, query: Query, size: int | None = None) -> Iterator[list[StoredResult]]:
        """Yield the current results of a testcase, but for those of the Errata Tool, the newest first."""
        size, after = size or PAGE, None
        while True:
            page = self.store.search(
                Search(
                    testcases=(testcase,), attributes=query, limit=size, after=after, until=self.until
                )
            )  # fmt: skip
            yield self.current(fact.id for fact in page)
            if len(page) < size:
                return
            after = page[-1].rank, page[-1].id

    def current(self, ids: Iterable[int]) -> list[StoredResult]:
        """Return those of some results that are ours and current, or were then."""
        ours = [one for one in self.store.stored(list(ids)) if one.source != FROM_ET]
        later: set[int | None] = {None}
        if self.until is not None:
            by = {one.superseded_by for one in ours if one.superseded_by is not None}
            later.update(one.id for one in self.store.stored(sorted(by)) if to_us(one.time) > self.until)
        return [one for one in ours if one.superseded_by in later]

    def evidence(self, one: StoredResult) -> Evidence:
        """Return a result as decisions see it."""
        scenario, arch, variant = variant_of(one.data, one.scenario, one.arch)
        return Evidence(
            *(one.id, one.testcase, one.outcome, one.time, scenario, arch, variant, one.data),
            *(one.note, one.ref_url, one.source in self._copies(), one.signature),
        )

    def _copies(self) -> frozenset[str]:
        """Return the names of the sources of what was imported from another ResultsDB."""
        if self._imported is None:
            self._imported = self.store.collected_by(DOOR)
        return self._imported


def _all(names: Mapping[Subject, Set[str]]) -> Set[str]:
    """Return the names of all subjects; those of a single one as they are, whose hash is known."""
    if len(names) == 1:
        return next(iter(names.values()))
    return frozenset[str]().union(*names.values())


def _ordered(several: Sequence[Sequence[Evidence]]) -> Latest:
    """Sort by testcase, the newest first; of several of one variant, or of one result, the first."""
    results = several[0] if len(several) == 1 else sorted(chain(*several), key=_TIME_AND_ID, reverse=True)
    found: Latest = {}
    for each in results:
        found.setdefault(each.testcase, []).append(each)
    for testcase, its in found.items():
        if len(its) > 1:
            first: dict[object, Evidence] = {}
            for each in its:
                first.setdefault(_VARIANT(each), each)
            found[testcase] = list(first.values())
    return found


def _wider(glob: str) -> str:
    """Return a pattern of a search that matches at least what a shell glob does.

    >>> _wider("dist.[ab]*"), _wider("dist.?.x")
    ('dist.*', 'dist.*')
    """
    return glob[: min(at for sign in "*?[" if (at := glob.find(sign)) >= 0)] + "*"
