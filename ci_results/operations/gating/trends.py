"""Facts beyond the latest results: what came before of a testcase, and of the item before this one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from ...decide.concerned import product_versions
from ...decide.policy_set import PolicySet
from ...domain.asked import BaselineOf, HistoryOf, Question
from ...domain.decision import State
from ...domain.facts import Baseline, Evidence
from ...domain.policy import is_glob
from ...domain.search import ComponentQuery
from ...domain.stored import StoredResult
from ...domain.subject import Subject
from ...errors import TooBroadError
from ...normalise.items import BUILT_IN, nvr_parts
from ...normalise.versions import build_order
from ..import_et import SOURCE as FROM_ET
from .latest import Latest, Results

MOST = 20_000
"""Results that are looked at for one history: a thousand that count may lie behind many that run."""

ITEMS = 2_000
"""Items of a component that are looked at, those that came last."""

TRIED = 20
"""Items before this one that are asked for results to compare with."""

_ITEM_TYPES = {kind.name: kind for kind in BUILT_IN}


class Trends:
    """Reads histories and baselines; `unanswered` gathers why there is none."""

    def __init__(self, results: Results, policies: PolicySet) -> None:
        self.unanswered: dict[Question, str] = {}
        self._results, self._store = results, results.store
        self._types, self._settings = policies.subject_types, policies.settings

    def histories(self, asked: Iterable[HistoryOf]) -> dict[HistoryOf, list[Evidence]]:
        """Return the last finished results for each, the newest first."""
        found = {}
        for each in asked:
            pages = self._of_component(each) if each.component else self._of_subject(each)
            if pages is not None:
                counted = (one for one in _bounded(pages, each) if self._counts(one, each.scenario))
                found[each] = list(map(self._results.evidence, islice(counted, each.last)))
        return found

    def baselines(self, asked: Iterable[BaselineOf]) -> dict[BaselineOf, Baseline]:
        """Return for each the item to compare with and its latest results."""
        return {each: self._baseline(each) for each in asked}

    def _counts(self, one: StoredResult | Evidence, scenario: str | None) -> bool:
        if self._settings.state_of(one.outcome) is State.WAITING:
            return False
        return scenario is None or one.scenario == scenario or scenario in one.data.get("scenario", ())

    def _of_subject(self, asked: HistoryOf) -> Iterator[list[StoredResult]]:
        """Yield pages of the results of a subject; under several names it has several sequences."""
        queries = self._results.queries(asked.subject)
        if len(queries) == 1:
            yield from self._results.pages(asked.testcase, queries[0], _page(asked))
            return
        found: dict[int, StoredResult] = {}
        for query in queries:
            wanted = asked.last
            for page in self._results.pages(asked.testcase, query, _page(asked)):
                found |= {one.id: one for one in page}
                wanted -= sum(self._counts(one, asked.scenario) for one in page)
                if wanted <= 0 or len(found) > MOST:
                    break
        yield sorted(found.values(), key=lambda one: (one.time, one.id), reverse=True)

    def _of_component(self, asked: HistoryOf) -> Iterator[list[StoredResult]] | None:
        component = self._component(asked.subject)
        if component is None:
            self.unanswered[asked] = f"{asked.subject} does not tell its component"
            return None
        if self._results.until is not None:
            types = self._item_types(asked.subject)
            if len(self._store.items_of(component, types, ITEMS)) == ITEMS:
                self.unanswered[asked] = f"{component} has too many items since then: leave the time out"
                return None
        return self._pages_of_component(component, asked)

    def _pages_of_component(self, component: str, asked: HistoryOf) -> Iterator[list[StoredResult]]:
        size, after = _page(asked), None
        while True:
            found = self._store.of_component(
                ComponentQuery(
                    component=component, item_types=self._item_types(asked.subject), testcase=asked.testcase,
                    passed_over=tuple(sorted(self._settings.outcomes_incomplete)),
                    sources_passed_over=(FROM_ET,), items=ITEMS, limit=size, after=after,
                    until=self._results.until,
                )
            )  # fmt: skip
            yield self._store.stored([number for _rank, number in found])
            if len(found) < size:
                return
            after = found[-1]

    # -- baselines -----------------------------------------------------------------------------------

    def _baseline(self, asked: BaselineOf) -> Baseline:
        if asked.baseline is not None:
            candidates = iter((asked.baseline,))
        else:
            component = self._component(asked.subject)
            if component is None:
                self.unanswered[asked] = f"{asked.subject} does not tell its component"
                return Baseline(None)
            candidates = islice(self._before(asked.subject, component), TRIED)
        for identifier in candidates:
            latest = self._latest(Subject(asked.subject.type, identifier), asked.patterns)
            if any(self._counts(one, None) for one in chain.from_iterable(latest.values())):
                return Baseline(identifier, latest)
        self.unanswered[asked] = _no_results(asked)
        return Baseline(None)

    def _latest(self, subject: Subject, patterns: tuple[str, ...]) -> Latest:
        plain = [name for name in patterns if not is_glob(name)]
        return self._results.latest(subject, plain, [name for name in patterns if is_glob(name)])

    def _before(self, subject: Subject, component: str) -> Iterator[str]:
        """Yield the items of the component before a subject, for the same products, the last one first.

        Builds go by their versions, as rpm orders them: an older branch is built after a newer one, too.
        Other items go by when they came.
        """
        kind = self._types.find(subject.type)
        names = self._store.items_of(component, self._item_types(subject), ITEMS)
        nvr = nvr_parts(subject.identifier).get("nvr")
        if nvr is None:
            known = names.index(subject.identifier) + 1 if subject.identifier in names else 0
            yield from names[known:]
            return
        products, here = product_versions(kind, nvr), build_order(nvr)
        builds = {parts["nvr"]: name for name in reversed(names) if (parts := nvr_parts(name))}
        before = [
            (order, name)
            for build, name in builds.items()
            if (order := build_order(build)) < here and product_versions(kind, build) == products
        ]
        yield from (name for _, name in sorted(before, reverse=True))

    def _component(self, subject: Subject) -> str | None:
        package = self._types.find(subject.type).package(subject.identifier)
        if package is not None:
            return package
        kind = _ITEM_TYPES.get(subject.type)
        return None if kind is None or kind.parts is None else kind.parts(subject.identifier).get("component")

    def _item_types(self, subject: Subject) -> tuple[str, ...]:
        """Return the types that items have which results of such subjects are about."""
        kind = self._types.find(subject.type)
        said = [query.get("type", "").split(",") for query in kind.queries(subject.identifier)]
        return tuple(dict.fromkeys([*kind.names, *filter(None, chain.from_iterable(said))]))


def _bounded(pages: Iterator[list[StoredResult]], asked: HistoryOf) -> Iterator[StoredResult]:
    for number, one in enumerate(chain.from_iterable(pages)):
        if number >= MOST:
            raise TooBroadError(
                f"{asked.subject}: {MOST} results of {asked.testcase} are looked at, and fewer than "
                f"{asked.last} of them are finished: ask for fewer"
            )
        yield one


def _page(asked: HistoryOf) -> int:
    """Return how many to read at once: of three rows one is the end of a run, where all its states came."""
    return min(max(3 * asked.last, 20), 1_000)


def _no_results(asked: BaselineOf) -> str:
    what = ", ".join(asked.patterns)
    if asked.baseline is not None:
        return f"{asked.baseline} has no finished result of {what}"
    return f"no item of the component before this one has a finished result of {what}"
