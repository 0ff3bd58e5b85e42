"""Where the results of a file go, page by page: into the store; nowhere, but foreseen; or only named."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...collect.pages import Draft
from ...collect.refine import Normalise, refine, tell_stored
from ...domain.page import Committed, Page
from ...domain.result import Result
from ...errors import OverloadedError, StaleError
from ...query.results import MAX_LIMIT, ResultQuery
from ...store.protocol import Store
from ..retold import what_it_says
from .about import Foreseen

TRIES = 1_000
_Place = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """The file whose pages come.

    run     the run that it is, "" where nobody reads it
    told    what is kept with what cannot be read, so that it can be read again
    before  by key what its run said before: that is not stored again
    """

    name: str
    run: str = ""
    told: Mapping[str, str] | None = None
    before: Mapping[str, bytes] = field(default_factory=dict)


class Shelf(ABC):
    """Takes the pages of one file after the other. `hook`: relay of the plugins' hooks.

    outcomes, foreseen  of what it took since `begin`; reason: why the first of it was quarantined
    """

    def __init__(self, source: str, hook: Any) -> None:
        self.source, self.hook = source, hook
        self.filing = Filing(name="")
        self.outcomes: Counter[str] = Counter()
        self.foreseen: list[Foreseen] = []
        self.reason: str | None = None

    def begin(self, filing: Filing) -> None:
        """Begin with another file."""
        self.filing = filing
        self.outcomes = Counter()
        self.foreseen = []
        self.reason = None

    def take(self, draft: Draft, normalise: Normalise, *, begins: bool, ends: bool) -> Committed:
        """Take a page of the file; say what became of it."""
        filing = self.filing
        results, refused = refine(draft.seen, normalise, self.hook)
        quarantine = [
            each if each.key else replace(each, key=filing.name) for each in (*draft.garbled, *refused)
        ]
        if quarantine and self.reason is None:
            self.reason = quarantine[0].reason
        self.outcomes.update([result.outcome for result in results if "parent" in result.data])
        read = len(results)
        if filing.before:
            results = [each for each in results if filing.before.get(each.key) != what_it_says(each)]
        page = Page(
            source=self.source, results=results, quarantine=quarantine, door="report", told=filing.told
        )
        counts = self.put(page, filing.run, begins=begins, ends=ends)
        return replace(counts, same=counts.same + read - len(results))

    @abstractmethod
    def put(self, page: Page, run: str, *, begins: bool, ends: bool) -> Committed:
        """Do with a page what is to be done."""


class Committing(Shelf):
    """Stores each page; where a file needs several, the source's cursor names it until the last."""

    def __init__(self, source: str, hook: Any, store: Store) -> None:
        super().__init__(source, hook)
        self._store = store

    def put(self, page: Page, run: str, *, begins: bool, ends: bool) -> Committed:
        """Commit it. Raises OverloadedError where too many others do at once."""
        marks = begins != ends
        for _ in range(TRIES):
            if marks:  # else it is not asked for: after a large page a reader reads the whole schema anew
                cursor = self._store.cursor(self.source)
                page = replace(page, read_from=cursor, cursor=_marked(cursor, run, begun=begins))
            try:
                committed = self._store.commit_page(page)
            except StaleError:  # another import moved it in between
                continue
            tell_stored(page, committed, self.hook)
            return committed
        raise OverloadedError("too many reports at once: try again in a second")


class Previewing(Shelf):
    """Says of each result what it would be, and writes nothing."""

    def __init__(self, source: str, hook: Any, store: Store) -> None:
        super().__init__(source, hook)
        self._store = store
        self._keys: tuple[str, frozenset[str]] = "", frozenset()
        self._now: dict[tuple[str, str], dict[_Place, str]] = {}

    def put(self, page: Page, run: str, *, begins: bool, ends: bool) -> Committed:
        """Foresee it."""
        if self._keys[0] != run:
            self._keys = run, frozenset(self._stored_keys(run))
        counts = self._store.preview_page(replace(page, tell_ids=True))
        for result, number in zip(page.results, counts.ids, strict=True):
            new = "superseding" if result.key in self._keys[1] else "new"
            self.foreseen.append(
                Foreseen(
                    testcase=result.testcase,
                    item=result.item,
                    scenario=result.scenario,
                    arch=result.arch,
                    outcome=result.outcome,
                    now=self._outcome_now(result),
                    what="same" if number else new,
                )
            )
        return replace(counts, ids=())

    def _stored_keys(self, run: str) -> list[str]:
        return [
            each.key for each in _all(self._store, ResultQuery(source=self.source, run=run, limit=MAX_LIMIT))
        ]

    def _outcome_now(self, result: Result) -> str | None:
        """Return what the store says now of what this result is about."""
        item = result.item_type, result.item
        if item not in self._now:
            found = _all(self._store, ResultQuery(item=result.item, latest=True, limit=MAX_LIMIT))
            self._now[item] = {
                (each.item_type, each.item, each.testcase, each.scenario, each.arch): each.outcome
                for each in reversed(found)
            }
        return self._now[item].get((*item, result.testcase, result.scenario or "", result.arch or ""))


class Naming(Shelf):
    """Keeps the names of testcases alone: somebody has to be asked whether they may be stored."""

    def __init__(self, source: str, hook: Any) -> None:
        super().__init__(source, hook)
        self.testcases: set[str] = set()

    def put(self, page: Page, run: str, *, begins: bool, ends: bool) -> Committed:
        """Note the names."""
        self.testcases.update(result.testcase for result in page.results)
        return Committed(stored=len(page.results), quarantined=len(page.quarantine))


def unfinished(cursor: str | None) -> list[str]:
    """Read the cursor of a source of reports: the runs whose files were begun and not ended."""
    if cursor is None:
        return []
    try:
        runs = json.loads(cursor)
    except json.JSONDecodeError:
        return []
    return [run for run in runs if isinstance(run, str)] if isinstance(runs, list) else []


def _marked(cursor: str | None, run: str, *, begun: bool) -> str:
    others = [other for other in unfinished(cursor) if other != run]
    return json.dumps([*others, run] if begun else others)


def _all(store: Store, query: ResultQuery) -> Sequence[Any]:
    """Return all that `query` asks, newest first, page by page."""
    found = store.results(query)
    page = found
    while len(page) == query.limit:
        last = page[-1]
        place = last.time.strftime("%Y-%m-%dT%H:%M:%S.%f"), last.id
        page = store.results(replace(query, before=place))
        found += page
    return found
