"""Report: read report files of any registered format into the store, each whole file once."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from ..collect.faults import guarded, plugin_call
from ..collect.pages import Draft, cut
from ..collect.refine import Normalise, refine, tell_stored
from ..domain.garbled import Garbled
from ..domain.page import Committed, Page
from ..domain.report import Report
from ..domain.run import Run
from ..domain.stored import SourceState
from ..errors import InvalidError, NotFoundError, StaleError
from ..normalise.normaliser import Normaliser
from ..plugin.contract import Format
from ..plugin.manager import Plugins
from ..query.results import ResultQuery
from ..store.protocol import Store

SOURCE = "report"
"""The source that reports are stored under where the caller names none."""
HEAD_BYTES = 65_536
KEPT_BYTES = 16_000_000
_NOTHING = Committed()
_SUFFIXES = frozenset({".xml", ".json", ".sarif", ".tap", ".trx", ".txt", ".log"})


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the caller knows of the files: see Report; `url` is where a person reads about the run."""

    item: str
    item_type: str = "koji_build"
    prefix: str
    time: datetime | None = None
    scenario: str | None = None
    arch: str | None = None
    url: str | None = None
    source: str = SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What became of one file.

    state   "stored", "same" (read before), "empty" (nothing in it), "unreadable" (quarantined)
    format  the format that read it, None where none did
    """

    file: str
    state: str
    counts: Committed = _NOTHING
    format: str | None = None
    run: str | None = None


def report(
    paths: Iterable[str],
    about: About,
    store: Store,
    plugins: Plugins,
    *,
    vocabulary: Sequence[str] = (),
    again: bool = False,
) -> Iterator[Filed]:
    """Read files, folders (all reports below) and "-" (standard input); yield what became of each.

    A file that was read whole before, for the same item, costs a read and a hash; `again` reads it
    all the same. Raises NotFoundError for a path that is not there.
    """
    store.register_source(SourceState(name=about.source, collector=SOURCE))
    for path in paths:
        for file, named in _files(path):
            with _opened(file) as stream:
                yield _File(stream, str(file), about, store, plugins, vocabulary).file(
                    named=named, again=again
                )
    store.note_attempt(about.source, None)


def _files(path: str) -> Iterator[tuple[Path, bool]]:
    """Yield the files of one argument; the flag says that it was named itself, not found in a folder."""
    start = Path(path)
    if path == "-" or start.is_file():
        yield start, True
    elif start.is_dir():
        for file in sorted(start.rglob("*")):
            if file.is_file() and file.suffix.lower() in _SUFFIXES:
                yield file, False
    else:
        raise NotFoundError(f"no file or folder {path}")


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if str(file) != "-":
        with file.open("rb") as stream:
            yield stream
        return
    with SpooledTemporaryFile(max_size=KEPT_BYTES) as spool:
        while block := sys.stdin.buffer.read(1 << 20):
            spool.write(block)
        spool.seek(0)
        yield spool


class _File:
    """The import of one open file."""

    def __init__(
        self,
        stream: IO[bytes],
        name: str,
        about: About,
        store: Store,
        plugins: Plugins,
        vocabulary: Sequence[str],
    ) -> None:
        self.stream, self.name, self.about = stream, name, about
        self.store, self.plugins, self.vocabulary = store, plugins, vocabulary
        self.digest = _digest(stream)
        self.run = Run(key=self._run_key(), ref_url=about.url, data={"file": name, "sha256": self.digest})

    def file(self, *, named: bool, again: bool) -> Filed:
        stream = self.stream
        stream.seek(0)
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        reader = self._reader(head)
        if reader is None:
            return self._refuse(named, "empty file" if not head else "no format recognises it")
        filed = Filed(file=self.name, state="same", format=reader.name, run=self.run.key)
        if not again and self._known():
            return filed
        counts = self._store(reader)
        if not counts.stored and not counts.superseding and not counts.same:
            return replace(filed, state="unreadable" if counts.quarantined else "empty", counts=counts)
        return replace(filed, state="stored" if counts.stored else "same", counts=counts)

    def _run_key(self) -> str:
        """Say which file for which item: the same bytes told of another item are another run."""
        about = self.about
        told = json.dumps([about.item_type, about.item, about.prefix, about.scenario, about.arch])
        return f"{about.item}/{self.digest[:16]}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    def _reader(self, head: bytes) -> Format | None:
        for reader in self.plugins.formats.values():
            with plugin_call(f"{reader.name} of {self.name}", reader):
                if reader.recognises(head):
                    return reader
        return None

    def _known(self) -> bool:
        """Say whether this very file was read to its end before."""
        query = ResultQuery(source=self.about.source, run=self.run.key, limit=1)
        return self.run.key not in _unfinished(self.store.cursor(self.about.source)) and bool(
            self.store.results(query)
        )

    def _store(self, reader: Format) -> Committed:
        about = self.about
        told = Report(
            item=about.item,
            item_type=about.item_type,
            prefix=about.prefix,
            run=self.run,
            time=about.time,
            scenario=about.scenario,
            arch=about.arch,
        )
        normalise = Normaliser(about.source, reader.outcomes, self.plugins.item_types, self.vocabulary)
        what = f"{reader.name} of {self.name}"
        with plugin_call(what, reader):
            seen = reader.read(self.stream, told)
        counts, drafts = Committed(), cut(guarded(seen, what, reader))
        draft = next(drafts, None)
        first = True
        while draft is not None:
            following = next(drafts, None)
            counts += self._commit(draft, normalise, begins=first, ends=following is None)
            draft, first = following, False
        return counts

    def _commit(self, draft: Draft, normalise: Normalise, *, begins: bool, ends: bool) -> Committed:
        """Commit one page; where a file needs several, the source's cursor names it until the last."""
        results, refused = refine(draft.seen, normalise, self.plugins.hook)
        quarantine = [
            each if each.key else replace(each, key=self.name) for each in (*draft.garbled, *refused)
        ]
        page = Page(source=self.about.source, results=results, quarantine=quarantine, door="report")
        for _ in range(100):
            cursor = self.store.cursor(self.about.source)
            marked = None
            if begins != ends:
                marked = _marked(cursor, self.run.key, unfinished=begins)
            page = replace(page, read_from=cursor, cursor=marked)
            try:
                committed = self.store.commit_page(page)
            except StaleError:  # another import moved it in between
                continue
            tell_stored(page, committed, self.plugins.hook)
            return committed
        raise StaleError(f"{self.name}: too many imports at once")

    def _refuse(self, named: bool, reason: str) -> Filed:
        """Quarantine a file that was named; one merely found in a folder is passed over."""
        if not named:
            return Filed(file=self.name, state="empty")
        raw = self.stream.read(KEPT_BYTES)
        where = None if len(raw) < KEPT_BYTES else f"first {KEPT_BYTES} bytes"
        key = f"{self.about.item_type}:{self.about.item} {self.name}"
        garbled = Garbled(raw=raw, reason=f"{self.name}: {reason}", key=key, position=where, kind="report")
        draft = Draft(garbled=[garbled])
        counts = self._commit(draft, _refuse_all, begins=True, ends=True)
        return Filed(file=self.name, state="unreadable", counts=counts)


def _refuse_all(seen: object) -> Any:
    raise InvalidError("a refused file has no observations")


def _digest(stream: IO[bytes]) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _unfinished(cursor: str | None) -> list[str]:
    """Read the cursor of a source of reports: the runs whose files were begun and not ended."""
    if cursor is None:
        return []
    try:
        runs = json.loads(cursor)
    except json.JSONDecodeError:
        return []
    return [run for run in runs if isinstance(run, str)] if isinstance(runs, list) else []


def _marked(cursor: str | None, run: str, *, unfinished: bool) -> str:
    others = [other for other in _unfinished(cursor) if other != run]
    return json.dumps([*others, run] if unfinished else others)
