"""The sink `archive`: keeps the logs and artifacts of runs, for when the CI server has forgotten them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.outcome import UNFINISHED
from ..errors import CollectError, ConfigError, DeliveryError, InvalidError, SinkUnavailableError, shown
from ..plugin.addresses import SourceAddress
from ..plugin.contract import Sink
from ..wire.resultsdb_client import to_time
from .archiving import Archive, Kept, Place, Record, open_archive
from .fetching import LackingError, names, opened

if TYPE_CHECKING:
    from ..domain.batch import Batch
    from ..domain.result import Result
    from ..plugin.http import SourceSession

MEGABYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Options:
    """`path` is a folder, which is made where it is not there, or `url` a place in S3: one of them.

    endpoint         of an S3 that is not Amazon's: "https://s3.example"; credentials are where boto looks
    files            what is kept of each run, below its address
    artifacts        globs of the artifacts of a Jenkins build that are kept: ["logs/*.txt"]
    max_files        of one run
    max_file_bytes   of one file; a larger one is noted, and not kept
    max_total_bytes  of all; an archive that is full takes no more until somebody acts
    give_up_h        a run that ended so long ago at a source that is away is noted as lost
    origins          where the configured sources are, given by the core: nothing is fetched elsewhere
    """

    path: Path | None = None
    url: str | None = None
    endpoint: str | None = None
    files: tuple[str, ...] = ("consoleText", "api/json")
    artifacts: tuple[str, ...] = ()
    max_files: int = 100
    max_file_bytes: int = 64 * MEGABYTE
    max_total_bytes: int = 100 * 1024 * MEGABYTE
    give_up_h: float = 72.0
    origins: tuple[SourceAddress, ...] = ()

    def __post_init__(self) -> None:
        if (self.path is None) == (self.url is None):
            raise ValueError('give path, of a folder, or url, as "s3://bucket/prefix": one of them')
        if self.url is not None and not self.url.startswith("s3://"):
            raise ValueError(f"url must be s3://bucket/prefix: {shown(self.url)}; path is for folders")
        for name in ("max_files", "max_file_bytes", "max_total_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    @property
    def place(self) -> Place:
        """Where the archive is."""
        return Place(path=self.path, url=self.url, endpoint=self.endpoint)


class ArchiveSink(Sink[Options]):
    """Keeps the files of each run once, when the first result of it that ended comes by.

    A batch that comes again fetches nothing: what a run had is noted when all of it is kept. Results that
    no harvest of a configured source brought pass by, and so do addresses that are not below that source's.
    """

    name = "archive"
    options = Options

    def deliver(self, options: Options, batch: Batch) -> None:
        """Keep what the runs of the batch have; see Sink. A source that is away is waited for."""
        archive = _open(options)
        seen: set[str] = set()
        for number, result in enumerate(batch):
            found = _run_of(result, options)
            if found is None or found[1] in seen:
                continue
            seen.add(found[1])
            try:
                if not _has(archive, found[1]):
                    archive.note(_Fetch(options, archive, result, *found).record())
            except DeliveryError as err:
                err.delivered = number
                raise

    def check(self, options: Options) -> Iterator[str]:
        """Count what is there, and say where files come from; see Sink. Puts the count right."""
        files, size = _open(options).recount()
        yield f"{options.place}: {files} files, {size} of {options.max_total_bytes} bytes"
        for at in options.origins:
            yield f"fetches from {at.url} for results of {at.source}"
        if not options.origins:
            raise SinkUnavailableError(
                "no source of the configuration has an address: there is nothing to fetch"
            )


class _Fetch:
    """The fetching of one run's files, from the source at `at`; `run` ends with a slash."""

    def __init__(
        self, options: Options, archive: Archive, result: Result, at: SourceAddress, run: str
    ) -> None:
        self._options, self._archive, self._result = options, archive, result
        self._at, self._run = at, run

    def record(self) -> Record:
        """Keep all files of the run, and return what is kept. Raises SinkUnavailableError."""
        try:
            with self._at.connect() as http:
                options = self._options
                wanted = names(http, self._at, self._run, options.files, options.artifacts, options.max_files)
                kept = [self._keep(http, name) for name in wanted]
        except (CollectError, ConfigError) as err:
            if not self._is_old():
                raise SinkUnavailableError(str(err)) from err
            kept = [
                Kept(name=name, url=f"{self._run}{name}", lacks=f"could not be fetched in time: {err}")
                for name in self._options.files
            ]
        result = self._result
        return Record(
            url=self._run,
            source=result.source,
            run="" if result.run is None else result.run.key,
            archived_at=to_time(datetime.now(UTC)),
            files=kept,
        )

    def _keep(self, http: SourceSession, name: str) -> Kept:
        url = f"{self._run}{name}"
        try:
            with opened(http, url, self._options.max_file_bytes) as stream:
                digest, size = self._archive.keep(stream, self._options.max_total_bytes)
        except LackingError as err:
            return Kept(name=name, url=url, lacks=str(err))
        return Kept(name=name, url=url, sha256=digest, size=size)

    def _is_old(self) -> bool:
        ended = self._result.submit_time
        return ended is not None and ended < datetime.now(UTC) - timedelta(hours=self._options.give_up_h)


def _run_of(result: Result, options: Options) -> tuple[SourceAddress, str] | None:
    """Return where to fetch the run of `result` from, and its address, None where nothing is fetched."""
    url = run_url(result.ref_url if result.run is None or not result.run.ref_url else result.run.ref_url)
    if url is None or result.outcome in UNFINISHED:
        return None
    at = next((at for at in options.origins if at.source == result.source and at.covers(url)), None)
    return None if at is None else (at, url)


def run_url(url: str | None) -> str | None:
    """Return the address of a run as archives know it, with a slash at its end; None where there is none."""
    return None if not url else url.rstrip("/") + "/"


def _has(archive: Archive, url: str) -> bool:
    """Say whether the run is kept already; what is damaged is kept anew."""
    try:
        return archive.record(url) is not None
    except InvalidError:
        return False


def _open(options: Options) -> Archive:
    try:
        return open_archive(options.place)
    except ConfigError as err:
        raise SinkUnavailableError(str(err)) from err
