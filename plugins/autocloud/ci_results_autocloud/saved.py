"""Files of saved messages, and how far each of them has been read.

    *.json            one message, a list of them, or an answer of datagrepper ({"raw_messages": [...]})
    *.jsonl *.ndjson  a message a line; such a file may grow

A file that is just being written ends in the middle of something: that is left for the next time. One
that has ended there for a while is told as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from ci_results import Garbled

LINES = frozenset({".jsonl", ".ndjson"})
SUFFIXES = LINES | {".json"}
MOST_BYTES = 64 * 1024 * 1024
"""A file of one message or a list; one of lines may be of any size."""
MOST_LINE = 16 * 1024 * 1024
KEPT_BYTES = 64 * 1024
_MARK_BYTES = 256
_UNFINISHED = (-1, 0, 0)


class Stand(NamedTuple):
    """How far a file has been read.

    offset   bytes that are read; `mark` is a digest of the last of them, so that another file of that
             name is not taken for a longer one
    size, mtime_ns, inode  the file when it was read to its end; as long as they are the same, nothing is new
    """

    offset: int
    mark: str
    size: int
    mtime_ns: int
    inode: int


class Record(NamedTuple):
    """One message as saved: its bytes, and where they lie."""

    raw: bytes
    position: str


def find(folder: Path) -> list[str]:
    """Return the files of messages below `folder`, relative to it, by name. Raises OSError."""
    found: list[str] = []

    def stop(err: OSError) -> None:
        raise err

    for place, folders, names in os.walk(folder, onerror=stop):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                found.append(os.path.relpath(os.path.join(place, name), folder))
    return sorted(found)


class Reading:
    """One file being read from where it stood.

    now, settle_s  a file that has not changed for so long is not being written any more
    """

    def __init__(self, path: Path, name: str, before: Stand | None, now: float, settle_s: float) -> None:
        self.name = name
        self._path, self._before, self._now, self._settle_s = path, before, now, settle_s
        self._offset, self._last = 0, b""
        self._seen: tuple[int, int, int] | None = None
        self._begun = False

    @property
    def stand(self) -> Stand | None:
        """How far it has been read by now; None = not at all."""
        if not self._begun:
            return self._before
        return Stand(self._offset, _digest(self._last), *(self._seen or _UNFINISHED))

    def records(self) -> Iterator[Record | Garbled]:
        """Yield what is new in it. Raises OSError."""
        with self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            seen = (status.st_size, status.st_mtime_ns, status.st_ino)
            if self._before is not None and seen == self._before[2:]:
                return
            settled = self._now - status.st_mtime_ns / 1e9 >= self._settle_s
            if self._path.suffix.lower() in LINES:
                yield from self._lines(file, seen, settled)
            else:
                yield from self._whole(file, seen, settled)

    def _lines(
        self, file: IO[bytes], seen: tuple[int, int, int], settled: bool
    ) -> Iterator[Record | Garbled]:
        self._resume(file)
        while line := file.readline(MOST_LINE):
            position = f"{self.name}: byte {self._offset}"
            ended = line.endswith(b"\n")
            if not ended and len(line) == MOST_LINE:
                self._pass_rest(file, line)
                yield _too_long(line, position, f"a line of {MOST_LINE} bytes or more")
            elif not ended and not settled:
                return  # being written: look again
            elif not ended and _parsed(line) is None:
                reason = "the file ends in the middle of this message"
                yield Garbled(raw=line, reason=reason, key=position, position=position)
                break  # it is read again as soon as the file has changed
            else:
                self._through(line)
                if line.strip():
                    yield Record(line.strip(), position)
        self._seen = seen

    def _pass_rest(self, file: IO[bytes], line: bytes) -> None:
        """Pass what is left of a long line."""
        self._through(line)
        while not line.endswith(b"\n") and (line := file.readline(MOST_LINE)):
            self._through(line)

    def _resume(self, file: IO[bytes]) -> None:
        """Go on where it stood, or at the start of what is another file by now."""
        self._begun = True
        if self._before is not None:
            start = max(0, self._before.offset - _MARK_BYTES)
            file.seek(start)
            last = file.read(self._before.offset - start)
            if self._before.mark == _digest(last):
                self._offset, self._last = self._before.offset, last
        file.seek(self._offset)

    def _through(self, line: bytes) -> None:
        self._offset += len(line)
        self._last = line[-_MARK_BYTES:] if len(line) >= _MARK_BYTES else (self._last + line)[-_MARK_BYTES:]

    def _whole(
        self, file: IO[bytes], seen: tuple[int, int, int], settled: bool
    ) -> Iterator[Record | Garbled]:
        raw = file.read(MOST_BYTES + 1)
        value = _parsed(raw) if len(raw) <= MOST_BYTES else None
        if len(raw) > MOST_BYTES:
            yield _too_long(raw, self.name, f"a file of {seen[0]} bytes; save a message a line (.jsonl)")
        elif value is not None:
            yield from _each(value[0], raw, self.name)
        elif settled:
            reason = "no JSON; a message a line goes into a file .jsonl"
            yield Garbled(raw=raw, reason=reason, key=self.name, position=self.name)
        else:
            return  # being written: look again
        self._begun, self._offset, self._seen = True, len(raw), seen


def _each(value: Any, raw: bytes, name: str) -> Iterator[Record]:
    """Yield the messages of a parsed file; one that is a message itself keeps its bytes."""
    listed = value.get("raw_messages") if isinstance(value, dict) and "raw_messages" in value else value
    if not isinstance(listed, list):
        yield Record(raw.strip(), name)
        return
    for number, each in enumerate(listed):
        yield Record(orjson.dumps(each), f"{name}: message {number}")


def _parsed(raw: bytes) -> tuple[Any] | None:
    """Return the one JSON value of `raw`, None where it is none or unfinished."""
    try:
        return (orjson.loads(raw),)
    except orjson.JSONDecodeError:
        return None


def _digest(last: bytes) -> str:
    return blake2b(last, digest_size=8).hexdigest()


def _too_long(raw: bytes, position: str, what: str) -> Garbled:
    reason = f"{what}: only the first {KEPT_BYTES} are kept here"
    return Garbled(raw=raw[:KEPT_BYTES], reason=reason, key=position, position=position)
