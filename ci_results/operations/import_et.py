"""Import of the Errata Tool's verdicts: old results with their times, marked so that none counts as new."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import IO

from ..collect.refine import Normalise, refine, tell_stored
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.stored import Quarantined, SourceState
from ..errors import ConfigError, InvalidError
from ..formats.errata_table import KIND, WORDS, Verdict, as_raw, folded, read_verdicts, verdict_of
from ..normalise.normaliser import Normaliser
from ..plugin.manager import Plugins
from ..store.protocol import Store
from .import_resultsdb import DOOR

log = logging.getLogger(__name__)

SOURCE = "import-et"
"""The source of all of them; a configured source cannot take its place."""
MARK = "et"
"""What the attribute `imported` of each says."""
DEFAULT_TYPE = "koji_build"
PAGE_ROWS = 2_000
_OWN = frozenset({"item", "type", "testcase", "outcome", "time", "arch", "url", "note", "id"})
"""Columns that are no attributes."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How verdicts are read.

    words       words of the Errata Tool, lower case, to ours, before those that are known
    vocabulary  outcomes that the configuration adds
    """

    plugins: Plugins
    words: Mapping[str, str] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()

    def normaliser(self) -> Normaliser:
        """Return what turns a verdict's observation into a result. Raises ConfigError."""
        added = {folded(word): word for word in self.vocabulary}
        words = WORDS | added | {folded(word): ours for word, ours in self.words.items()}
        try:
            return Normaliser(SOURCE, words, self.plugins.item_types, self.vocabulary)
        except InvalidError as err:
            raise ConfigError(f"[import.et] outcomes: {err}") from err


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How an import ended, or how far it is: rows read, what the store took, why rows are quarantined."""

    rows: int = 0
    counts: Committed = field(default_factory=Committed)
    reasons: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False


def import_et(
    stream: IO[bytes],
    name: str,
    store: Store,
    reading: Reading,
    *,
    stop: Event | None = None,
    tell: Callable[[Loaded], None] = lambda loaded: None,
) -> Loaded:
    """Store every verdict of a table once; what cannot be stored goes to the quarantine with its line.

    Raises InvalidError for a file that is no such table, ConfigError for a source that is taken.
    """
    taken = next((state for state in store.sources() if state.name == SOURCE), None)
    if taken is not None and taken.collector != DOOR:
        raise ConfigError(f"source {SOURCE} holds results of {taken.collector or 'api'}, not imported ones")
    normalise = reading.normaliser()
    loading = _Loading(name, store, normalise, reading.plugins)
    verdicts = read_verdicts(stream)
    first = next(verdicts, None)  # refuse the file before the source is made known
    store.register_source(SourceState(name=SOURCE, collector=DOOR))
    each = first
    while each is not None:
        loading.take(each)
        if len(loading) >= PAGE_ROWS:
            loading.commit()
            tell(loading.loaded())
            if stop is not None and stop.is_set():
                return loading.loaded(stopped=True)
        each = next(verdicts, None)
    loading.commit()
    store.note_attempt(SOURCE, None)
    tell(loading.loaded())
    return loading.loaded()


def row_again(record: Quarantined, reading: Reading) -> list[Result]:
    """Return the result of a quarantined row, as it is read today. Raises InvalidError."""
    try:
        cells = json.loads(record.raw)
    except ValueError as err:
        raise InvalidError("is a broken row: mend the file, then: ci-results import et FILE") from err
    results, refused = refine([observed(verdict_of(cells, 0))], reading.normaliser(), reading.plugins.hook)
    if refused:
        raise InvalidError(refused[0].reason)
    return results


def observed(verdict: Verdict) -> Observation:
    """Return a verdict as an observation. Raises InvalidError for a time that would make it fresh."""
    cells, time = verdict.cells, verdict.time
    if time is None:
        raise InvalidError("row has no time: without it an old verdict would count as new")
    if time > datetime.now(UTC):
        raise InvalidError(f"time is in the future: {time.isoformat()}: it would count as new")
    data = {name: text for name, text in cells.items() if text and name not in _OWN}
    if "old_item" in data:
        data["oldnvr"] = data.pop("old_item")
    return Observation(
        key=_key(verdict, time),
        testcase=cells["testcase"],
        outcome=folded(cells["outcome"]),
        item=cells["item"],
        item_type=cells.get("type") or DEFAULT_TYPE,
        time=time,
        ref_url=cells.get("url") or None,
        note=cells.get("note") or None,
        arch=cells.get("arch") or None,
        data={**data, "imported": MARK, "verdict": cells["outcome"]},
    )


class _Loading:
    """Rows of one file on their way into the store."""

    def __init__(self, name: str, store: Store, normalise: Normalise, plugins: Plugins) -> None:
        self._name, self._store, self._normalise, self._plugins = name, store, normalise, plugins
        self._seen: list[Observation] = []
        self._rows_by_key: dict[str, Verdict] = {}
        self._bad: list[Garbled] = []
        self._rows = 0
        self._counts = Committed()
        self._reasons: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._seen) + len(self._bad)

    def take(self, each: Verdict | Garbled) -> None:
        """Take one row."""
        self._rows += 1
        if isinstance(each, Garbled):
            self._bad.append(each)
            return
        try:
            seen = observed(each)
        except InvalidError as err:
            self._bad.append(_bad(each, str(err)))
        else:
            self._seen.append(seen)
            self._rows_by_key[seen.key] = each

    def commit(self) -> None:
        """Store what was taken."""
        if not len(self):
            return
        results, refused = refine(self._seen, self._normalise, self._plugins.hook)
        quarantine = [*self._bad, *(_bad(self._rows_by_key[bad.key or ""], bad.reason) for bad in refused)]
        page = Page(
            source=SOURCE, results=results, quarantine=quarantine, door=DOOR,
            read_from=self._store.cursor(SOURCE), told={"file": self._name, "format": KIND},
        )  # fmt: skip
        committed = self._store.commit_page(page)
        for fault in tell_stored(page, committed, self._plugins.hook) if page.results else ():
            log.warning("a plugin's results_stored failed", extra={"fault": fault})
        self._counts += committed
        self._reasons.update(bad.reason for bad in page.quarantine)
        self._seen, self._bad, self._rows_by_key = [], [], {}

    def loaded(self, *, stopped: bool = False) -> Loaded:
        """Say how far it is."""
        reasons = dict(self._reasons.most_common(20))
        return Loaded(rows=self._rows, counts=self._counts, reasons=reasons, stopped=stopped)


def _bad(verdict: Verdict, reason: str) -> Garbled:
    key = f"{verdict.cells['testcase']} {verdict.cells['item']}"
    return Garbled(
        raw=as_raw(dict(verdict.cells)), reason=reason, key=key, position=f"line {verdict.line}", kind=KIND
    )


def _key(verdict: Verdict, time: datetime) -> str:
    """Return what names a verdict: its run's id where it has one, else all that tells it from others."""
    cells = verdict.cells
    if cells.get("id"):
        return " ".join(filter(None, (cells["testcase"], cells["id"], cells.get("arch"))))
    said = [cells.get(name, "") for name in ("type", "item", "old_item", "arch", "advisory")]
    told = json.dumps([*said, time.isoformat(), folded(cells["outcome"])])
    return f"{cells['testcase']} {hashlib.sha256(told.encode()).hexdigest()[:16]}"
