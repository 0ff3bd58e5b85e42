"""The sink `jsonlines`: appends results, waivers and decisions to a file, a JSON object a line."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.happening import KINDS
from ..errors import SinkUnavailableError
from ..plugin.contract import Sink
from ..wire.feed import BEGINNING, to_event_line, to_line

if TYPE_CHECKING:
    from ..domain.batch import Batch
    from ..domain.happening import Happening
    from ..domain.receipt import Receipt

_BLOCK = 65_536


@dataclass(frozen=True, kw_only=True)
class Options:
    """`path` is the file; it is made where it is not there, its folder is not."""

    path: Path


class JsonLines(Sink[Options]):
    """Delivers each result once to a file that nobody else writes; readers may follow it.

    A batch is on the disk when it is delivered. What a crash left of one is found at the end of the
    file when the batch comes again: half a line is taken off, whole lines are not written twice.
    That needs the batch to be cut as before; where `batch` was changed in between, its results may
    be in the file twice, with equal seq and id.
    """

    name = "jsonlines"
    options = Options
    takes = frozenset(KINDS)

    def deliver(self, options: Options, batch: Batch) -> None:
        """Append a line for each result; see Sink. Refuses nothing: what goes wrong is the file's fault."""
        receipts: Iterable[Receipt | None] = batch.receipts or repeat(None)
        lines = [to_line(result, receipt) for result, receipt in zip(batch, receipts, strict=False)]
        _append(options.path, lines, once=bool(batch.receipts))

    def announce(self, options: Options, happenings: Sequence[Happening]) -> None:
        """Append a line for each; see Sink."""
        _append(options.path, [to_event_line(each) for each in happenings], once=True)

    def check(self, options: Options) -> Iterator[str]:
        """Look at the file and its folder; see Sink."""
        path = options.path
        with _told(path):
            if not path.parent.is_dir():
                raise SinkUnavailableError(f"{path}: no folder {path.parent}; make it first")
            there = path.exists()
            if not os.access(path if there else path.parent, os.W_OK):
                raise SinkUnavailableError(f"{path}: may not be written")
            if not there:
                yield f"{path} will be made"
                return
            with _Feed.opened(path) as feed:
                yield f"{path} has {feed.size} bytes"
                if feed.torn():
                    yield "its last line is torn, and will be taken off"


def _append(path: Path, lines: list[bytes], *, once: bool) -> None:
    """Append lines; `once`: those that the file ends with already are not written again."""
    with _told(path), _Feed.opened(path) as feed:
        feed.mend()
        if once:
            del lines[: feed.has_already(lines)]
        feed.append(b"".join(lines))


class _Feed:
    """The open file, held against other writers."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._file = path, descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[_Feed]:
        """Open the file, made where it is not there. Raises OSError, SinkUnavailableError."""
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SinkUnavailableError(f"{path}: is no file that could be appended to; change `path`")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                raise SinkUnavailableError(f"{path}: another process is writing to it") from err
            if new:
                _sync_folder(path.parent)
            feed = cls(path, descriptor)
            feed.hold_to_kind()
            yield feed
        finally:
            os.close(descriptor)

    @property
    def size(self) -> int:
        """How long the file is, in bytes."""
        return os.fstat(self._file).st_size

    def hold_to_kind(self) -> None:
        """Raise SinkUnavailableError where the file is somebody else's: nothing is added to it or cut off."""
        head = os.pread(self._file, len(BEGINNING), 0)
        if not (BEGINNING.startswith(head) or not head.strip(b"\0")):
            raise SinkUnavailableError(f"{self._path}: holds something else than results; change `path`")

    def torn(self) -> int:
        """Return how many bytes after the last whole line a crash has left."""
        end = size = self.size
        while end:
            start = max(0, end - _BLOCK)
            newline = os.pread(self._file, end - start, start).rfind(b"\n")
            if newline >= 0:
                return size - (start + newline + 1)
            end = start
        return size

    def mend(self) -> None:
        """Take a torn line off: it was never told as delivered, so it comes again."""
        torn = self.torn()
        if torn:
            os.ftruncate(self._file, self.size - torn)

    def has_already(self, lines: Sequence[bytes]) -> int:
        """Return how many of `lines`, from the first on, are the last lines of the file."""
        length = sum(map(len, lines))
        tail = os.pread(self._file, length, max(0, self.size - length))
        for count in range(len(lines), 0, -1):
            if tail.endswith(lines[count - 1]) and tail.endswith(b"".join(lines[:count])):
                return count
        return 0

    def append(self, said: bytes) -> None:
        """Write all of it to the disk, or nothing. Raises OSError."""
        before = self.size
        rest = memoryview(said)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, before)
            raise


def _sync_folder(folder: Path) -> None:
    """Let a new file's name be on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system says into SinkUnavailableError."""
    try:
        yield
    except FileNotFoundError as err:
        raise SinkUnavailableError(f"{path}: no folder {path.parent}; make it first") from err
    except OSError as err:
        raise SinkUnavailableError(f"{path}: {err.strerror or err}") from err
