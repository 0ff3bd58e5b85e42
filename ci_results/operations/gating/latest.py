"""The latest results of subjects, one of each testcase, scenario, architecture and variant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from operator import itemgetter

from ...domain.facts import Evidence
from ...domain.policy import globs
from ...domain.search import Attribute, Search
from ...domain.stored import Newest, StoredResult
from ...domain.subject import Subject, SubjectTypes
from ...store.protocol import Store
from ..import_et import SOURCE as FROM_ET
from ..import_resultsdb import DOOR

APART = ("scenario", "arch", "system_architecture", "variant", "system_variant")
"""Attributes that set results of one testcase apart."""

PAGE = 200

_TIME_AND_ID = itemgetter(1, 0)
"""Of a Newest, by place."""

_VARIANT = itemgetter(1, 4, 5, 6)
"""Of Evidence, by place: testcase, scenario, architecture, variant."""

_newest = partial(tuple.__new__, Newest)
_made = partial(tuple.__new__, Evidence)

Query = tuple[Attribute, ...]
Latest = dict[str, list[Evidence]]


class Results:
    """Reads results as evidence; nothing that the Errata Tool said is any, and it hides nothing of ours.

    until  microseconds since 1970: as it was then; None = now
    """

    def __init__(self, store: Store, types: SubjectTypes, until: int | None = None) -> None:
        self.store, self._types, self._until = store, types, until
        self._copies: frozenset[str] | None = None

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
        testcases = Search(
            testcases=tuple(sorted(frozenset().union(*plain.values()))),
            testcase_patterns=tuple(sorted(set(map(_wider, of_any)))),
        )
        read = self.store.newest(
            [query for _subject, query in asked],
            testcases,
            APART,
            passed_over=(FROM_ET,),
            until=self._until,
        )
        found: dict[Subject, list[Newest]] = {subject: [] for subject in names}
        for (subject, _query), results in zip(asked, read, strict=True):
            if not results:
                continue
            exactly, wanted = plain[subject], globs(globs_of.get(subject, ()))
            found[subject] += [one for one in results if one.testcase in exactly or wanted(one.testcase)]
        return {subject: self._ordered(results) for subject, results in found.items()}

    def queries(self, subject: Subject) -> list[Query]:
        """Return the questions for a subject's results: what it goes by, what names it first."""
        identifier = subject.identifier
        found = []
        for query in self._types.find(subject.type).queries(identifier):
            conditions = [
                Attribute(key=key, values=(value,) if value == identifier else tuple(value.split(",")))
                for key, value in query.items()
            ]
            found.append(tuple(sorted(conditions, key=lambda each: identifier not in each.values)))
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
        said = (one.source, one.note, one.ref_url, one.data, one.scenario, one.arch, one.signature)
        return _evidence(_newest((one.id, one.time, one.testcase, one.outcome, *said)), self._imported)

    @property
    def _imported(self) -> frozenset[str]:
        """Names of the sources of what was imported from another ResultsDB."""
        if self._copies is None:
            self._copies = self.store.collected_by(DOOR)
        return self._copies

    def _ordered(self, results: list[Newest]) -> Latest:
        """Sort by testcase, the newest first; of several of one variant, or of one result, the first."""
        found: Latest = {}
        seen: set[tuple[str, str | None, str | None, str | None]] = set()
        results.sort(key=_TIME_AND_ID, reverse=True)
        imported = self._imported if results else ()
        for each in results:
            evidence = _evidence(each, imported)
            key = _VARIANT(evidence)
            if key not in seen:
                seen.add(key)
                found.setdefault(evidence.testcase, []).append(evidence)
        return found


def _evidence(one: Newest, imported: Collection[str]) -> Evidence:
    """Return a result as decisions see it; `imported` = names of sources of what was elsewhere before."""
    number, time, testcase, outcome, source, note, ref_url, data, scenario, arch, signature = one
    return _made(
        (
            *(number, testcase, outcome, time),
            scenario or _first(data, "scenario"),
            arch or _first(data, "arch", "system_architecture"),
            _first(data, "variant", "system_variant"),
            *(data, note, ref_url, _first(data, "message_id"), source in imported, signature),
        )
    )


def _first(data: Mapping[str, list[str]], name: str, other: str | None = None) -> str | None:
    values = data.get(name)
    if not values and other is not None:
        values = data.get(other)
    return values[0] if values else None


def _wider(glob: str) -> str:
    """Return a pattern of a search that matches at least what a shell glob does.

    >>> _wider("dist.[ab]*"), _wider("dist.?.x")
    ('dist.*', 'dist.*')
    """
    return glob[: min(at for sign in "*?[" if (at := glob.find(sign)) >= 0)] + "*"
