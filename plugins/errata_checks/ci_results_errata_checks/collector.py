"""The collector of a tree of reports: what is new is read, the rest costs a look at its listing."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar

from ci_results import (
    Checkpoint,
    CollectError,
    Collector,
    Garbled,
    Observation,
    SourceGarbledError,
    SourceSession,
    SourceUnavailableError,
)
from ci_results import Seen as Yielded

from . import checking
from .disk import Disk
from .options import Options
from .place import GONE, Entry, Place, key_of, path_of
from .reading import WHOLE, Reader
from .seen import Seen
from .walk import Steps, Walk
from .web import Web

FILES_A_CHECKPOINT = 50


class ReportTree(Collector[Options]):
    """Reports of one checker; a subclass says which.

    files    globs of names, the best first: of one folder, the files of the first that any matches are read
    formats  that may read them, in the order in which they are asked
    """

    options: ClassVar[type[Options]] = Options
    files: ClassVar[tuple[str, ...]]
    formats: ClassVar[tuple[str, ...]]

    def harvest(self, options: Options, cursor: str | None, http: SourceSession) -> Iterator[Yielded]:
        """Yield the reports that are new or changed, in the order of the listings."""
        yield from _Harvest(self, options, cursor, http).steps()

    def check(self, options: Options, http: SourceSession) -> Iterator[str]:
        """Yield what a harvest would meet: how many reports, and what three of them are about."""
        return checking.check(place_of(options, http), self.globs(options), self.reader(options))

    def reread(
        self, options: Options, record: Garbled, http: SourceSession
    ) -> Iterable[Observation | Garbled]:
        """Read the file of a record again; where it is gone, what was kept of it if that is all."""
        key = record.key or ""
        if not key or key.endswith("/"):
            raise SourceGarbledError(
                f"{key or 'a record'}: no report; the next harvest reads the folder again"
            )
        place, reader = place_of(options, http), self.reader(options)
        try:
            with place.opened(path_of(key)) as opened:
                return list(reader.read(path_of(key), opened, place.link(path_of(key)), wait=False))
        except CollectError as err:
            if err.status != GONE or record.position != WHOLE:
                raise
        return list(reader.observe(key, io.BytesIO(record.raw), None, place.link(path_of(key))))

    def globs(self, options: Options) -> tuple[str, ...]:
        """Return the globs of a source's files."""
        return options.files or self.files

    def reader(self, options: Options) -> Reader:
        """Return how a source's reports are read."""
        return Reader(options=options, formats=self.formats)


def place_of(options: Options, http: SourceSession) -> Place:
    """Return where a source's reports are."""
    if options.path is not None:
        return Disk(options.path, options.link)
    return Web(str(options.url), http)


class _Harvest:
    """One harvest of one tree."""

    def __init__(
        self, collector: ReportTree, options: Options, cursor: str | None, http: SourceSession
    ) -> None:
        self._place = place_of(options, http)
        self._reader = collector.reader(options)
        self._seen = Seen(cursor)
        closed = options.closed_after_days
        self._walk = Walk(
            self._place,
            collector.globs(options),
            self._seen,
            self._visit,
            None if closed is None else timedelta(days=closed),
            ahead=2 * http.parallel,
        )
        self._since_checkpoint = 0

    def steps(self) -> Iterator[Yielded]:
        try:
            whole = yield from self._walk.steps()
        finally:
            self._place.close()
        if whole:
            self._seen.forget_unmet()
        yield Checkpoint(self._seen.cursor())
        if self._walk.away is not None:
            raise self._walk.away

    def _visit(self, entry: Entry) -> Steps:
        """Read a file unless it was read in this state."""
        try:
            stamp = entry.stamp or self._place.stamp(entry.path)
            if stamp and self._seen.knows(entry.path, stamp):
                return True
            with self._place.opened(entry.path) as opened:
                done = yield from self._reader.read(entry.path, opened, self._place.link(entry.path))
        except SourceUnavailableError as err:
            self._walk.put_off(err)
            return False
        except CollectError as err:
            if err.status == 401:
                raise
            if err.status != GONE:
                yield _unread(entry.path, str(err))
            return False
        except OSError as err:
            yield _unread(entry.path, f"{entry.path}: {err.strerror or type(err).__name__}")
            return False
        self._walk.came()
        if done and stamp:
            self._seen.add(entry.path, stamp)
            yield from self._checkpoint()
        return done and bool(stamp)

    def _checkpoint(self) -> Iterator[Checkpoint]:
        """Yield a Checkpoint now and then: the more is known, the longer is the cursor."""
        self._since_checkpoint += 1
        if self._since_checkpoint >= max(FILES_A_CHECKPOINT, len(self._seen) // 10):
            self._since_checkpoint = 0
            yield Checkpoint(self._seen.cursor())


def _unread(path: str, reason: str) -> Garbled:
    return Garbled(raw=reason.encode("utf-8", "replace"), reason=reason, key=key_of(path))
