"""Quarantine: read again what was refused, after the mapping was mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..collect.quoted import from_raw
from ..collect.refine import refine, tell_stored
from ..collect.session import connect
from ..collect.source import Source
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.ownership import Ownership
from ..domain.page import Committed, Page
from ..domain.result import Result
from ..domain.stored import Quarantined
from ..errors import CiResultsError, InvalidError, StaleError
from ..formats.errata_table import KIND as ET_ROW
from ..normalise.normaliser import Normaliser
from ..plugin.faults import guarded, plugin_call
from ..plugin.manager import Plugins
from ..store.protocol import Store
from ..store.restoring import KIND as FEED_LINE
from ..wire.resultsdb_served import ServedResults
from .harvest import normaliser_of
from .import_et import Reading, row_again
from .imported import KIND, imported
from .ingest import KIND as MESSAGE
from .messages_again import MessagesAgain
from .reread import ReportsAgain

if TYPE_CHECKING:
    from ..plugin.http import SourceSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What became of one record: `reason` says why it stays, None where it was stored."""

    id: int
    source: str
    key: str | None
    stored: int = 0
    reason: str | None = None


def retry(
    records: Iterable[Quarantined],
    sources: Mapping[str, Source],
    store: Store,
    plugins: Plugins,
    vocabulary: Iterable[str] = (),
    *,
    et_words: Mapping[str, str] | None = None,
    ownership: Ownership | None = None,
    messages: MessagesAgain | None = None,
    connect: Callable[[Source], SourceSession] = connect,
) -> Iterator[Retried]:
    """Read each record again with today's configuration; store what is readable now, keep the rest.

    `et_words`: words of the Errata Tool that the configuration maps. `ownership`: the testcases that
    reports may say something about; sources have their own. `messages` reads what came by a bus.
    """
    words = tuple(vocabulary)
    table = Reading(plugins=plugins, words=et_words or {}, vocabulary=words)
    again = _Again(sources, store, plugins, words, table, ownership, connect)
    for record in records:
        try:
            stored = _message(record, messages, store) if record.kind == MESSAGE else again.one(record)
        except CiResultsError as err:
            yield Retried(id=record.id, source=record.source, key=record.key, reason=str(err))
        else:
            yield Retried(id=record.id, source=record.source, key=record.key, stored=stored)


def _message(record: Quarantined, messages: MessagesAgain | None, store: Store) -> int:
    """Store a message and close its record; return how many results. Raises InvalidError where it stays."""
    if record.resolved_at is not None:
        raise InvalidError(f"is closed already: {record.resolution}")
    if messages is None:
        raise InvalidError("is a message of a bus, and nothing reads those here")
    count = messages.one(record)
    store.resolve(record.id, f"stored {count} result{'' if count == 1 else 's'}")
    return count


def dismiss(records: Iterable[Quarantined], reason: str, store: Store) -> list[int]:
    """Close open records that nobody will read, saying why; return their ids."""
    closed = [record.id for record in records if record.resolved_at is None]
    for number in closed:
        store.resolve(number, f"dismissed: {reason}")
    return closed


def open_records(store: Store, source: str | None = None, step: int = 500) -> list[Quarantined]:
    """Return all open records of one source or all, oldest first."""
    records = store.quarantined(source, limit=step)
    while len(records) == step:
        step *= 4
        records = store.quarantined(source, limit=step)
    return records


class _Again:
    def __init__(
        self,
        sources: Mapping[str, Source],
        store: Store,
        plugins: Plugins,
        vocabulary: tuple[str, ...],
        table: Reading,
        ownership: Ownership | None,
        connect: Callable[[Source], SourceSession],
    ) -> None:
        self.sources, self.store, self.plugins = sources, store, plugins
        self.vocabulary, self.table, self.connect = vocabulary, table, connect
        self.ownership = ownership
        self.reports = ReportsAgain(store, plugins, vocabulary, ownership)

    def one(self, record: Quarantined) -> int:
        """Store one record and close it; return how many results. Raises InvalidError where it stays."""
        if record.resolved_at is not None:
            raise InvalidError(f"is closed already: {record.resolution}")
        if record.kind == FEED_LINE:
            raise InvalidError("is a line of a feed: mend the feed, then ci-results replay FEED")
        if record.kind == "report" and record.door != "harvest":
            count, resolution = self.reports.one(record)
            self.store.resolve(record.id, resolution)
            return count
        results = self._results(record)
        committed = Committed()
        for left in range(9, -1, -1):
            cursor = self.store.cursor(record.source)
            page = Page(source=record.source, results=results, door=record.door, read_from=cursor)
            try:
                committed = self.store.commit_page(page)
                break
            except StaleError:  # a harvest goes on beside us
                if not left:
                    raise
        tell_stored(page, committed, self.plugins.hook)
        count = len(results)
        self.store.resolve(record.id, f"stored {count} result{'' if count == 1 else 's'}")
        return count

    def _results(self, record: Quarantined) -> Sequence[Result]:
        """Return what a record says. Raises InvalidError where it is still unreadable."""
        if record.kind == KIND:
            served = ServedResults(self.vocabulary)
            return [imported(json.loads(record.raw), record.source, served)]
        if record.kind == ET_ROW:
            return row_again(record, self.table)
        seen = self._read(record)
        results, refused = refine(seen, self._normaliser(record), self.plugins.hook)
        if refused:
            raise InvalidError(refused[0].reason)
        return results

    def _read(self, record: Quarantined) -> list[Observation]:
        if record.kind == "observation":
            return [from_raw(record.raw)]
        return self._reread(record)

    def _reread(self, record: Quarantined) -> list[Observation]:
        """Let the collector read a record of its own."""
        source = self.sources.get(record.source)
        if source is None:
            raise InvalidError(f"source {record.source} is not configured any more")
        garbled = Garbled(
            raw=record.raw, reason=record.reason, key=record.key, position=record.position, kind=record.kind
        )
        what = f"reread of record {record.id}"
        with ExitStack() as held:
            session = self.connect(source)
            held.callback(session.close)
            with plugin_call(what, source.collector):
                things = source.collector.reread(source.options, garbled, session)
            seen = list(guarded(things, what, source.collector))
        for each in seen:
            if isinstance(each, Garbled):
                raise InvalidError(each.reason)
        return [each for each in seen if isinstance(each, Observation)]

    def _normaliser(self, record: Quarantined) -> Normaliser:
        """Return what knows the words of the record: of its source, of its format, else of all formats."""
        source = self.sources.get(record.source)
        if source is not None:
            return normaliser_of(source, self.plugins, self.vocabulary)
        formats = self.plugins.formats
        own = formats.get((record.told or {}).get("format", ""))
        readers = formats.values() if own is None else [own]
        words = {word: ours for reader in readers for word, ours in reader.outcomes.items()}
        owned = self.ownership if record.door == "report" else None
        return Normaliser(record.source, words, self.plugins.item_types, self.vocabulary, owned)
