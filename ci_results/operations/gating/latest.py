"""The latest results of subjects, one of each testcase, scenario, architecture and variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter

from ...domain.facts import Evidence, variant_of
from ...domain.policy import globs
from ...domain.search import Attribute, Search
from ...domain.stored import StoredResult
from ...domain.subject import Subject, SubjectTypes
from ...store.protocol import Store
from ..import_et import SOURCE as FROM_ET
from ..import_resultsdb import DOOR

APART = ("scenario", "arch", "system_architecture", "variant", "system_variant")
"""Attributes that set results of one testcase apart."""

PAGE = 200

_TIME_AND_ID = itemgetter(3, 0)
_VARIANT = itemgetter(1, 4, 5, 6)
"""Of Evidence, by place: testcase, scenario, architecture, variant."""

Query = tuple[Attribute, ...]
Latest = dict[str, list[Evidence]]


class Results:
    """Reads results as evidence; nothing that the Errata Tool said is any, and it hides nothing of ours.

    until  microseconds since 1970: as it was then; None = now
    """

    def __init__(self, store: Store, types: SubjectTypes, until: int | None = None) -> None:
        self.store, self._types, self._until = store, types, until
        self._imported: frozenset[str] | None = None

    def latest(self, subject: Subject, names: Iterable[str], like: Iterable[str] = ()) -> Latest:
        """Return what is latest of these testcases and of those that match a glob, by testcase."""
        return self.latest_of_each({subject: names}, {subject: like})[subject]

    def latest_of_each(
        self, names: Mapping[Subject, Iterable[str]], like: Mapping[Subject, Iterable[str]]
    ) -> dict[Subject, Latest]:
        """Return the same for several subjects, read with one statement for all."""
        plain = {subject: frozenset(testcases) for subject, testcases in names.items()}
        globs_of = {subject: tuple(sorted(patterns)) for subject, patterns in like.items() if patterns}
        asked = [
            (subject, query)
            for subject in names
            if plain[subject] or subject in globs_of
            for query in self.queries(subject)
        ]
        of_any = {one for patterns in globs_of.values() for one in patterns}
        read = self.store.newest(
            [query for _subject, query in asked],
            sorted(frozenset[str]().union(*plain.values())),
            APART,
            testcase_patterns=sorted(set(map(_wider, of_any))),
            passed_over=(FROM_ET,),
            copies_of=DOOR,
            until=self._until,
        )
        found: dict[Subject, list[list[Evidence]]] = {subject: [] for subject in names}
        for (subject, _query), results in zip(asked, read, strict=True):
            if not results:
                continue
            if len(names) > 1 or globs_of:  # the store knows what all of them ask for together
                exactly, wanted = plain[subject], globs(globs_of.get(subject, ()))
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
                    testcases=(testcase,), attributes=query, limit=size, after=after, until=self._until
                )
            )  # fmt: skip
            yield self.current(fact.id for fact in page)
            if len(page) < size:
                return
            after = page[-1].rank, page[-1].id

    def current(self, ids: Iterable[int]) -> list[StoredResult]:
        """Return those of some results that are current, and ours."""
        return [
            one for one in self.store.stored(list(ids)) if one.source != FROM_ET and one.superseded_by is None
        ]

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


def _ordered(several: Sequence[Sequence[Evidence]]) -> Latest:
    """Sort by testcase, the newest first; of several of one variant, or of one result, the first."""
    results = several[0] if len(several) == 1 else sorted(chain(*several), key=_TIME_AND_ID, reverse=True)
    found: Latest = {}
    seen: set[tuple[str, str | None, str | None, str | None]] = set()
    for each in results:
        key = _VARIANT(each)
        if key not in seen:
            seen.add(key)
            found.setdefault(each.testcase, []).append(each)
    return found


def _wider(glob: str) -> str:
    """Return a pattern of a search that matches at least what a shell glob does.

    >>> _wider("dist.[ab]*"), _wider("dist.?.x")
    ('dist.*', 'dist.*')
    """
    return glob[: min(at for sign in "*?[" if (at := glob.find(sign)) >= 0)] + "*"
