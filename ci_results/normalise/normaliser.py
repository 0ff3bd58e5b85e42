"""Normaliser: an observation in the source's words becomes a result in ours, or is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from ..domain.itemtype import ItemType
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.ownership import Ownership
from ..domain.result import Result, ResultDraft
from ..domain.run import Run
from ..domain.testcase import check_testcase
from ..errors import InvalidError, shown
from .field_types import check_types
from .items import BUILT_IN, check_item
from .text import MAX_KEY, MAX_NOTE, MAX_VALUE, check_key, check_text

NOTHING_EXECUTED = "nothing executed"
_NO_DATA: Mapping[str, tuple[str, ...]] = {}
_KNOWN_ITEMS = 50_000


class Normaliser:
    """Translates the observations of one source; keeps nothing but caches of what it has checked.

    source      the name it gives its results
    outcomes    the source's words, lower case, to ours: {"unstable": "FAILED"}
    item_types  the vocabulary, by name; default: the built-in types
    vocabulary  outcomes that the configuration adds to ours: ["CRASHED"]
    ownership   the testcases that the source may say something about; None = any
    groups      uuids of groups that every result is in

    Raises InvalidError for a word it lacks: a guess could open a gate.
    """

    def __init__(
        self,
        source: str,
        outcomes: Mapping[str, str],
        item_types: Mapping[str, ItemType] | None = None,
        vocabulary: Iterable[str] = (),
        ownership: Ownership | None = None,
        groups: tuple[str, ...] = (),
    ) -> None:
        self._ownership = ownership
        self._owned: set[str] = set()
        self._source = source
        self._groups = groups
        known = {word: str(word) for word in (*Outcome, *vocabulary)}
        for theirs, ours in outcomes.items():
            if ours not in known:
                raise InvalidError(f"outcome word {shown(theirs)} maps to no outcome of ours: {shown(ours)}")
        self._words = known | {theirs.lower(): known[ours] for theirs, ours in outcomes.items()}
        self._item_types = {kind.name: kind for kind in BUILT_IN} if item_types is None else item_types
        self._parts: dict[tuple[str, str], Mapping[str, str]] = {}
        self._parents: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._checked_run: Run | None = None
        self._checked_time: datetime | None = None
        # What the result before this one had: those of a file share the objects.
        self._last_item: tuple[object, object, Mapping[str, str]] = (self, self, {})
        self._last_parent: tuple[str | None, Mapping[str, tuple[str, ...]]] = (None, _NO_DATA)

    def __call__(self, seen: Observation) -> Result:
        """Return the result of `seen`. Raises InvalidError that says what breaks which rule."""
        try:
            return self._result(seen)
        except (AttributeError, TypeError):
            # Asked only now: the types of all fields, of each observation, would cost more than the rest.
            check_types(seen)
            raise

    def _result(self, seen: Observation) -> Result:
        outcome = self._words.get(seen.outcome) or self._outcome(seen.outcome)
        item, item_type = seen.item, seen.item_type
        same_type, same_item, parts = self._last_item
        if item is not same_item or item_type is not same_type:
            parts = self._parts_of(item_type, item)
        if seen.run is not self._checked_run:
            self._check_run(seen.run)
        note = seen.note
        if note is not None:
            check_text(note, "note", MAX_NOTE)
        if seen.ref_url is not None:
            check_url(seen.ref_url)
        if self._ownership is not None and seen.testcase not in self._owned:
            self._check_owned(self._ownership, seen.testcase)
        key, time = seen.key, seen.time
        if type(key) is not str or not key.isascii() or len(key) > MAX_KEY or "\0" in key:
            check_key(key)
        if time is not self._checked_time:
            self._check_time(time)
        if seen.data:
            data = as_data(seen.data, seen.parent)
            if outcome == "PASSED" and data.get("executed") == ("0",):
                outcome = str(Outcome.NEEDS_INSPECTION)
                note = f"{NOTHING_EXECUTED}\n{note}" if note else NOTHING_EXECUTED
        else:
            parent, data = self._last_parent
            if seen.parent is not parent:
                data = self._only_parent(seen.parent)
        duration = seen.duration_s
        if duration is not None and not 0.0 <= duration < 1e9:
            raise InvalidError(f"duration of {shown(seen.key)} is no time in seconds: {duration!r}")
        draft: Any = ResultDraft()
        draft.source = self._source
        draft.key = key
        draft.testcase = check_testcase(seen.testcase)
        draft.outcome = outcome
        draft.item = item
        draft.item_type = item_type
        draft.submit_time = time
        draft.duration_s = duration
        draft.ref_url = seen.ref_url
        draft.note = note
        draft.scenario = seen.scenario and check_text(seen.scenario, "scenario", MAX_VALUE)
        draft.arch = seen.arch and check_text(seen.arch, "arch", MAX_VALUE)
        draft.data = data
        draft.run = seen.run
        draft.item_parts = parts
        draft.groups = self._groups
        draft.verbatim = False
        draft.__class__ = Result
        return cast(Result, draft)

    def _only_parent(self, parent: str | None) -> Mapping[str, tuple[str, ...]]:
        """Return the attributes of results that have nothing but the same parent: one mapping for all."""
        only = _NO_DATA if parent is None else self._parents.get(parent)
        if only is None:
            only = as_data({}, parent)
            if len(self._parents) >= _KNOWN_ITEMS:
                self._parents.clear()
            self._parents[str(parent)] = only
        self._last_parent = parent, only
        return only

    def _outcome(self, word: str) -> str:
        ours = self._words.get(word.lower())
        if ours is None:
            raise InvalidError(
                f"outcome word {shown(word)} of source {self._source} is not known; map it in `outcomes`"
            )
        self._words[word] = ours
        return ours

    def _parts_of(self, item_type: str, item: str) -> Mapping[str, str]:
        parts = self._parts.get((item_type, item))
        if parts is None:
            parts = self._check_item(item_type, item)
        self._last_item = item_type, item, parts
        return parts

    def _check_item(self, item_type: str, item: str) -> Mapping[str, str]:
        kind = self._item_types.get(item_type)
        if kind is None:
            known = ", ".join(sorted(self._item_types))
            raise InvalidError(f"item type {shown(item_type)} is not known; known are {known}")
        check_item(kind, item)
        parts = kind.parts(item) if kind.parts else {}
        if len(self._parts) >= _KNOWN_ITEMS:
            self._parts.clear()
        self._parts[item_type, item] = parts
        return parts

    def _check_owned(self, ownership: Ownership, testcase: str) -> None:
        ownership.check(check_testcase(testcase))
        if len(self._owned) >= _KNOWN_ITEMS:
            self._owned.clear()
        self._owned.add(testcase)

    def _check_run(self, run: Run | None) -> None:
        if run is not None:
            check_key(run.key)
            if run.ref_url is not None:
                check_url(run.ref_url)
            as_data(run.data, None)
        self._checked_run = run

    def _check_time(self, time: datetime | None) -> None:
        if time is not None and not 1980 <= time.year <= 9000:
            raise InvalidError(f"time is not of this world: {time.isoformat()}")
        self._checked_time = time


def as_data(given: Mapping[str, str | tuple[str, ...]], parent: str | None) -> Mapping[str, tuple[str, ...]]:
    """Return attributes in the store's form: each value a tuple of texts. Raises InvalidError."""
    data: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        if not name or ":" in name or not name.isprintable():
            raise InvalidError(f"name of an attribute is empty, unprintable or holds a colon: {shown(name)}")
        if isinstance(value, str):
            values: tuple[str, ...] = (value,)
        elif isinstance(value, tuple | list):
            values = tuple(value)
        else:
            raise InvalidError(f"data {shown(name)} is no text: {shown(value)}")
        for text in values:
            check_text(text, name, MAX_VALUE)
        data[name] = values
    if parent is not None:
        data["parent"] = (check_key(parent),)
    return data


def check_url(url: str) -> str:
    """Return `url` if it is http or https; anything else could run in a reader's browser."""
    if not url.startswith(("http://", "https://")) or not url.isprintable():
        raise InvalidError(f"ref_url is not http or https: {shown(url)}")
    return url
