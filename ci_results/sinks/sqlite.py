"""The sink `sqlite`: keeps results in a second SQLite file, with the same public views."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.page import Page
from ..errors import SinkUnavailableError, StoreError
from ..plugin.contract import Sink

if TYPE_CHECKING:
    from ..domain.batch import Batch
    from ..domain.receipt import Receipt
    from ..store.sqlite import SqliteStore


@dataclass(frozen=True, kw_only=True)
class Options:
    """`path` is the file; it is made where it is not there, its folder is not."""

    path: Path


class Sqlite(Sink[Options]):
    """Delivers each result once, and refuses none: what one store holds another can. The file knows it
    by source, run and key: a batch that comes twice is stored once, and what supersedes another result
    does so there too. Ids, commits and times of receipt are that file's own.
    """

    name = "sqlite"
    options = Options

    def deliver(self, options: Options, batch: Batch) -> None:
        """Commit the batch, a page for each run of results of one source; see Sink."""
        done = 0
        with _opened(options.path) as store:
            if batch.receipts and _is_where_it_comes_from(store, batch.receipts[0]):
                raise SinkUnavailableError(
                    f"{options.path}: is this very store, or a copy of it; change `path`"
                )
            for source, results in groupby(batch, key=lambda result: result.source):
                page = _page(source, batch[done : done + len(list(results))])
                try:
                    store.commit_page(page)
                except StoreError as err:
                    raise SinkUnavailableError(str(err), delivered=done) from err
                done += len(page.results)

    def check(self, options: Options) -> Iterator[str]:
        """Look at the file; see Sink."""
        if not options.path.exists():
            if not options.path.parent.is_dir():
                raise SinkUnavailableError(f"{options.path}: no folder {options.path.parent}; make it first")
            yield f"{options.path} will be made"
            return
        with _opened(options.path) as store:
            yield f"{options.path} has {store.counts()['results']} results"


def _is_where_it_comes_from(store: SqliteStore, receipt: Receipt) -> bool:
    """Say whether the store itself noted that receipt: it would be fed with its own results, for ever."""
    return list(store.outbox.these([receipt.id]).batch.receipts) == [receipt]


def _page(source: str, part: Batch) -> Page:
    groups = {uuid for result in part for uuid in result.groups}
    return Page(
        source=source,
        results=part,
        door="import",
        groups={
            uuid: {"description": group.description, "ref_url": group.ref_url}
            for uuid, group in part.groups.items()
            if uuid in groups
        },
        ref_urls={
            name: part.ref_urls[name] for name in {result.testcase for result in part} & part.ref_urls.keys()
        },
    )


@contextmanager
def _opened(path: Path) -> Iterator[SqliteStore]:
    """Give the file as a store, let go of after the batch. Raises SinkUnavailableError."""
    from ..store.sqlite import SqliteStore

    if not path.parent.is_dir():
        raise SinkUnavailableError(f"{path}: no folder {path.parent}; make it first")
    try:
        store = SqliteStore.open(path)
    except StoreError as err:
        raise SinkUnavailableError(str(err)) from err
    with store:
        yield store
