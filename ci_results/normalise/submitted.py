"""From submissions to a page: what compatible APIs take is stored as it was said.

Here the mould is the peer's: no item, an item of no grammar, a testcase without a namespace are kept.
What our own doors refuse is only not *named*: such a result has an empty item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from ..domain.page import Page
from ..domain.result import Result, ResultDraft
from ..domain.submission import Submission
from ..domain.testcase import check_testcase
from ..errors import InvalidError, shown
from .items import BUILT_IN, MAX_LENGTH, NVR, check_item, nvr_parts

_KINDS = {kind.name: kind for kind in BUILT_IN}
MAX_WORD = 255
"""Characters of a type, scenario or architecture that names a column; a longer one stays an attribute."""


class Gathering:
    """Gathers submissions of one source into one page, in the order in which they came.

    What two of them say of one group or testcase, the later one says.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._results: list[Result] = []
        self._groups: dict[str, dict[str, str | None]] = {}
        self._ref_urls: dict[str, str | None] = {}

    def __len__(self) -> int:
        return len(self._results)

    @property
    def testcases(self) -> set[str]:
        """What the results are of."""
        return {result.testcase for result in self._results}

    def add(self, given: Submission, key: str) -> None:
        """Take a submission; `key` is unique within the source for it."""
        self._results.append(_result(given, key, self._source))
        for uuid, said in given.described.items():
            self._groups.setdefault(uuid, {}).update(said)
        self._ref_urls.update(given.ref_urls)

    def page(self) -> Page:
        """Return the page that stores all that was gathered, and answers with the ids."""
        return self._page(self._results)

    def pages(self, most: int) -> Iterator[Page]:
        """Yield pages of at most so many results; the first has what is said of groups and testcases."""
        yield self._page(self._results[:most])
        for start in range(most, len(self), most):
            yield replace(self._page(self._results[start : start + most]), groups={}, ref_urls={})

    def _page(self, results: list[Result]) -> Page:
        return Page(
            source=self._source,
            results=results,
            door="api",
            groups=self._groups,
            ref_urls=self._ref_urls,
            tell_ids=True,
            once=True,
        )


def submitted(given: Submission, key: str, source: str) -> Page:
    """Return the page that stores `given` under `key`, unique within `source` for one submission."""
    alone = Gathering(source)
    alone.add(given, key)
    return alone.page()


def _result(given: Submission, key: str, source: str) -> Result:
    data = given.data
    item, item_type = _first(data, "item", MAX_LENGTH), _first(data, "type")
    if not item.isprintable():
        item = ""
    draft: Any = ResultDraft()
    draft.source = source
    draft.key = key
    draft.testcase = given.testcase
    draft.outcome = given.outcome
    draft.item = item
    draft.item_type = item_type
    draft.submit_time = given.submit_time
    draft.duration_s = None
    draft.ref_url = given.ref_url
    draft.note = given.note
    draft.scenario = _first(data, "scenario") or None
    draft.arch = _first(data, "arch") or _first(data, "system_architecture") or None
    draft.data = data
    draft.run = None
    draft.item_parts = _parts(item, item_type)
    draft.groups = given.groups
    draft.verbatim = True
    draft.__class__ = Result
    return cast(Result, draft)


def check_strictly(given: Submission) -> None:
    """Hold `given` to the rules of our own doors. Raises InvalidError that says what breaks which rule."""
    check_testcase(given.testcase)
    items, types = given.data.get("item", ()), given.data.get("type", ())
    if not items or not types:
        raise InvalidError("data must hold an item and its type")
    kind = _KINDS.get(types[0])
    if kind is None:
        raise InvalidError(f"item type {shown(types[0])} is not known; known are {', '.join(sorted(_KINDS))}")
    check_item(kind, items[0])


@lru_cache(maxsize=10_000)  # a batch names one item many times
def _parts(item: str, item_type: str) -> Mapping[str, str]:
    """Say what else an item is known by, where its type is known and it obeys that type's grammar."""
    kind = _KINDS.get(item_type)
    if not item or kind is None or kind.parts is None:
        return {}
    if kind.grammar == NVR:
        return nvr_parts(item)
    return kind.parts(item) if kind.pattern is None or kind.pattern.fullmatch(item) else {}


def _first(data: Mapping[str, tuple[str, ...]], key: str, most: int = MAX_WORD) -> str:
    values = data.get(key)
    return values[0] if values and len(values[0]) <= most else ""
