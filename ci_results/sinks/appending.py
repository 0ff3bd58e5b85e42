"""Append to a file that readers may follow: whole records, on the disk when told, once each."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import SinkUnavailableError

_BLOCK = 65_536


def append(path: Path, beginning: bytes, records: list[bytes], *, once: bool, pairs: bool = False) -> None:
    """Append records, each one or (`pairs`) two whole lines, to a file whose records begin like this.

    once  those that the file ends with already are not written again

    Raises SinkUnavailableError.
    """
    with told(path), Feed.opened(path, beginning, pairs=pairs) as feed:
        feed.mend()
        if once:
            del records[: feed.has_already(records)]
        feed.append(b"".join(records))


class Feed:
    """The open file, held against other writers."""

    def __init__(self, path: Path, descriptor: int, beginning: bytes, *, pairs: bool) -> None:
        self._path, self._file = path, descriptor
        self._beginning, self._pairs = beginning, pairs

    @classmethod
    @contextmanager
    def opened(cls, path: Path, beginning: bytes, *, pairs: bool = False) -> Iterator[Feed]:
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
            feed = cls(path, descriptor, beginning, pairs=pairs)
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
        head = os.pread(self._file, len(self._beginning), 0)
        if not (self._beginning.startswith(head) or not head.strip(b"\0")):
            raise SinkUnavailableError(f"{self._path}: holds something else than results; change `path`")

    def torn(self) -> int:
        """Return how many bytes after the last whole record a crash has left."""
        end = self._line_end(self.size)
        if self._pairs and end:
            last = self._line_end(end - 1)
            if os.pread(self._file, len(self._beginning), last) == self._beginning:
                end = last  # the first line of a pair, and nothing behind it
        return self.size - end

    def _line_end(self, end: int) -> int:
        """Return where the last whole line before `end` ends."""
        while end:
            start = max(0, end - _BLOCK)
            newline = os.pread(self._file, end - start, start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
        return 0

    def mend(self) -> None:
        """Take a torn record off: it was never told as delivered, so it comes again."""
        torn = self.torn()
        if torn:
            os.ftruncate(self._file, self.size - torn)

    def has_already(self, records: Sequence[bytes]) -> int:
        """Return how many of `records`, from the first on, are the last ones of the file."""
        length = sum(map(len, records))
        tail = os.pread(self._file, length, max(0, self.size - length))
        for count in range(len(records), 0, -1):
            if tail.endswith(records[count - 1]) and tail.endswith(b"".join(records[:count])):
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
def told(path: Path) -> Iterator[None]:
    """Turn what the system says into SinkUnavailableError."""
    try:
        yield
    except FileNotFoundError as err:
        raise SinkUnavailableError(f"{path}: no folder {path.parent}; make it first") from err
    except OSError as err:
        raise SinkUnavailableError(f"{path}: {err.strerror or err}") from err
