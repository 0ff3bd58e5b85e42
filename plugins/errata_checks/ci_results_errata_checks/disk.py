"""A tree of reports on disk. Links are not followed: they lead in circles, or out of the tree."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ci_results import SourceGarbledError, SourceRefusedError

from .place import GONE, Entry, Opened, Wanted, quoted

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Neither a link nor a pipe that somebody put in the place of a file holds us."""
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What became a link is as good as gone."""

_MOST_HELD = 1_000
"""A folder of so many things is read once for their names and for what they are; a larger one twice."""


class Disk:
    """A folder, which may itself be reached by a link, and all below."""

    def __init__(self, root: Path, link: str | None) -> None:
        self._root = root
        self._link = link if link is None or link.endswith("/") else f"{link}/"

    def __str__(self) -> str:
        return str(self._root)

    @contextmanager
    def listing(self, path: str) -> Iterator[DiskListing]:
        """Give the listing of a folder; see Place."""
        with self._open(path, _FOLDER | os.O_NOFOLLOW) as folder:
            yield DiskListing(folder, path, f"{self._root}/{path}" if path else str(self._root))

    @contextmanager
    def opened(self, path: str) -> Iterator[Opened]:
        """Open a file; see Place."""
        with self._open(path, _FILE) as fd:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise _gone(f"{self._root}/{path}: is no file any more")
            with os.fdopen(os.dup(fd), "rb") as stream:
                yield Opened(
                    stream=stream,
                    modified=datetime.fromtimestamp(int(found.st_mtime), UTC),
                    age_s=time.time() - found.st_mtime,
                    steady=lambda: _stamp(os.fstat(fd)) == _stamp(found),
                )

    def stamp(self, path: str) -> str:
        """Return the stamp of a file; see Place."""
        with self._open(path, _FILE) as fd:
            return _stamp(os.fstat(fd))

    def expect(self, path: str, *, folder: bool) -> None:
        """Do nothing: a disk is near; see Place."""

    def close(self) -> None:
        """Do nothing; see Place."""

    def link(self, path: str) -> str | None:
        """Return where a person sees the file, where the configuration says."""
        return None if self._link is None else self._link + quoted(path)

    @contextmanager
    def _open(self, path: str, flags: int) -> Iterator[int]:
        """Open step by step from the root, so that no folder on the way is a link."""
        steps = path.split("/") if path else []
        if not {"", ".", ".."}.isdisjoint(steps):
            raise SourceGarbledError(f"{self._root}: no path below it: {path!r}")
        held: list[int] = []
        try:
            try:
                held.append(os.open(self._root, _FOLDER))
                for number, step in enumerate(steps, 1):
                    how = flags if number == len(steps) else _FOLDER | os.O_NOFOLLOW
                    held.append(os.open(step, how, dir_fd=held[-1]))
            except OSError as err:
                raise _refused(f"{self._root}/{path}" if path else str(self._root), err) from err
            yield held[-1]
        finally:
            for fd in held:
                os.close(fd)


class DiskListing:
    """One open folder; see Listing."""

    digest = b""

    def __init__(self, fd: int, path: str, where: str) -> None:
        self._fd = fd
        self._prefix = f"{path}/" if path else ""
        self._where = where
        self.outside = 0
        self.odd: list[bytes] = []
        self._held: list[os.DirEntry[str]] | None = None

    def names(self) -> Iterator[str]:
        """Yield the paths of its files."""
        held: list[os.DirEntry[str]] = []
        for found in self._scan():
            if len(held) <= _MOST_HELD:
                held.append(found)
            if found.is_file(follow_symlinks=False):
                yield self._prefix + found.name
        self._held = held if len(held) <= _MOST_HELD else None

    def entries(self, wanted: Wanted) -> Iterator[Entry]:
        """Yield its folders and the wanted files, in the order of the disk."""
        for found in self._scan() if self._held is None else self._held:
            path = self._prefix + found.name
            folder = found.is_dir(follow_symlinks=False)
            if found.is_symlink():
                self.outside += 1
                continue
            if not folder and not (found.is_file(follow_symlinks=False) and wanted(path)):
                continue
            try:
                status = found.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as err:
                raise _refused(f"{self._where}/{found.name}", err) from err
            changed = datetime.fromtimestamp(int(status.st_mtime), UTC)
            yield Entry(path=path, folder=folder, stamp=_stamp(status), modified=changed)

    def _scan(self) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self._fd) as scan:
                for found in scan:
                    if not found.name.startswith("."):
                        yield found
        except OSError as err:
            raise _refused(self._where, err) from err


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns} {status.st_size}"


def _refused(where: str, err: OSError) -> SourceRefusedError:
    said = f"{where}: {err.strerror or type(err).__name__}"
    return _gone(said) if err.errno in _GONE else SourceRefusedError(said)


def _gone(said: str) -> SourceRefusedError:
    error = SourceRefusedError(said)
    error.status = GONE
    return error
