"""Archive: files by the hash of what they hold, and a record for each run; a folder, or a bucket of S3.

blobs/2c/f24dba5f...   what a file holds, once, by its sha256
runs/9b/71d224bd...    JSON: of the run at the address with that sha256, which files there were
used.json              how many bytes all blobs are; never less than they are
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

import orjson

from ..errors import ConfigError, InvalidError, NotFoundError, SinkUnavailableError, shown

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

NAME = re.compile(r"[0-9a-f]{64}")
BLOCK = 65_536
_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an archive is: the folder `path`, or `url`, "s3://bucket/prefix", at an `endpoint`."""

    path: Path | None = None
    url: str | None = None
    endpoint: str | None = None

    def __str__(self) -> str:
        return str(self.path or self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One file of a run.

    name    as it was asked for, below the run's address: "consoleText", "artifact/log.txt"
    url     where it was
    sha256  of what it holds, None where it is not kept
    size    in bytes
    lacks   why it is not kept
    """

    name: str
    url: str
    sha256: str | None = None
    size: int = 0
    lacks: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of a run; `archived_at` is text as a feed has it."""

    url: str
    source: str
    run: str
    archived_at: str
    files: Sequence[Kept]


class Archive:
    """An open archive. Raises SinkUnavailableError where it cannot be read or written."""

    def __init__(self, place: Place, files: AbstractFileSystem, root: str) -> None:
        self.place, self._files, self._root = place, files, root

    # -- writing -----------------------------------------------------------------------------------

    def keep(self, stream: IO[bytes], most_bytes: int) -> tuple[str, int]:
        """Keep what `stream` holds, where it is not there already; return its sha256 and its size.

        Raises SinkUnavailableError where all would be more than `most_bytes` then.
        """
        with SpooledTemporaryFile(_IN_MEMORY) as held:
            digest, size = sha256(), 0
            while block := stream.read(BLOCK):
                held.write(block)
                digest.update(block)
                size += len(block)
            held.seek(0)
            name = digest.hexdigest()
            with self._told():
                if self._size(self._blob(name)) != size:
                    self._grow(size, most_bytes)
                    self._write(self._blob(name), held)
        return name, size

    def note(self, record: Record) -> None:
        """Write what is kept of a run; it is there with all its files, or not at all."""
        with self._told(), SpooledTemporaryFile(_IN_MEMORY) as held:
            held.write(orjson.dumps(record, option=orjson.OPT_INDENT_2))
            held.seek(0)
            self._write(self._run(record.url), held)

    def recount(self) -> tuple[int, int]:
        """Count the blobs and their bytes, and let the limit go by that count."""
        with self._told():
            found = self._files.find(f"{self._root}/blobs", detail=True)
            sizes = [int(about["size"]) for name, about in found.items() if not name.endswith(".new")]
            self._tell_used(sum(sizes))
        return len(sizes), sum(sizes)

    # -- reading -----------------------------------------------------------------------------------

    def record(self, url: str) -> Record | None:
        """Return what is kept of the run at `url`, None where nothing is.

        Raises InvalidError for a record that is damaged.
        """
        with self._told():
            try:
                said = orjson.loads(self._files.cat_file(self._run(url)))
                return Record(**{**said, "files": tuple(Kept(**each) for each in said["files"])})
            except FileNotFoundError:
                return None
            except (orjson.JSONDecodeError, TypeError, KeyError) as err:
                raise InvalidError(f"{self.place}: the record of {shown(url)} is damaged") from err

    def open(self, name: str) -> tuple[int, Iterator[bytes]]:
        """Return the size of a blob, and what it holds. Raises NotFoundError."""
        size = -1
        if NAME.fullmatch(name):
            with self._told():
                size = self._size(self._blob(name))
        if size < 0:
            raise NotFoundError(f"no file {shown(name)} in {self.place}")
        return size, self._blocks(self._blob(name))

    def _blocks(self, path: str) -> Iterator[bytes]:
        with self._told(), self._files.open(path, "rb") as file:
            while block := file.read(BLOCK):
                yield block

    # -- files -------------------------------------------------------------------------------------

    def _blob(self, name: str) -> str:
        return f"{self._root}/blobs/{name[:2]}/{name[2:]}"

    def _run(self, url: str) -> str:
        name = sha256(url.encode()).hexdigest()
        return f"{self._root}/runs/{name[:2]}/{name[2:]}"

    def _size(self, path: str) -> int:
        """Return how large a file is, -1 where there is none."""
        try:
            return int(self._files.info(path)["size"])
        except FileNotFoundError:
            return -1

    def _write(self, path: str, held: IO[bytes]) -> None:
        """Write a file: it has its name when all of it is there, as an object of S3 has by itself."""
        if self.place.path is None:
            with self._files.open(path, "wb") as file:
                shutil.copyfileobj(held, file, BLOCK)
            return
        new, place = Path(f"{path}.new"), Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            shutil.copyfileobj(held, file, BLOCK)
            file.flush()
            os.fsync(file.fileno())
        new.replace(place)

    def _grow(self, size: int, most_bytes: int) -> None:
        """Count `size` bytes more before they are written: after a crash the count is never too low."""
        try:
            used = int(orjson.loads(self._files.cat_file(f"{self._root}/used.json"))["bytes"])
        except FileNotFoundError:
            used = 0
        except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
            _, used = self.recount()
        if used + size > most_bytes:
            raise SinkUnavailableError(
                f"{self.place}: is full: {used} bytes and {size} more are over max_total_bytes, {most_bytes};"
                " raise it, or take old blobs away and run: ci-results sink check"
            )
        self._tell_used(used + size)

    def _tell_used(self, used: int) -> None:
        with SpooledTemporaryFile(_IN_MEMORY) as held:
            held.write(orjson.dumps({"bytes": used}))
            held.seek(0)
            self._write(f"{self._root}/used.json", held)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the system or the library says into SinkUnavailableError."""
        try:
            yield
        except OSError as err:
            raise SinkUnavailableError(f"{self.place}: {err.strerror or err}") from err
        except Exception as err:
            if type(err).__module__.partition(".")[0] not in ("botocore", "aiobotocore", "aiohttp", "s3fs"):
                raise
            raise SinkUnavailableError(f"{self.place}: {str(err)[:200]}") from err


def open_archive(place: Place) -> Archive:
    """Open an archive; nothing is asked yet. Raises ConfigError without fsspec, or s3fs for S3."""
    try:
        import fsspec

        if place.path is not None:
            return Archive(place, fsspec.filesystem("file"), str(place.path.absolute()))
        more = {"client_kwargs": {"endpoint_url": place.endpoint}} if place.endpoint else {}
        files, root = fsspec.core.url_to_fs(str(place.url), use_listings_cache=False, **more)
    except ImportError as err:
        raise ConfigError(
            "an archive needs fsspec, and s3fs for S3: pip install ci-results[archive]"
        ) from err
    return Archive(place, files, root)
