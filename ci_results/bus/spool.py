"""The transport `spool:`: a folder of files, for a bus without a broker.

    new/     a file holds one message (*.json) or one a line (*.jsonl), each in any envelope that is known
    tmp/     where files are written before they are put into new/

A message that was published is on the disk. A file is taken away when all its messages were acknowledged;
after a crash all of them come again. Files come in the order of their names, which is that of publication.
Anybody may drop a file, renamed into new/ when it is whole; names that begin with "." are left alone.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

import orjson

from ..domain.carried import Arrival, Departure
from ..errors import CiResultsError, SinkUnavailableError, SourceUnavailableError
from ..plugin.transport import Inlet, Outlet, Transport

LOOK_EVERY_S = 0.2
_ENDINGS = (".json", ".jsonl")
_COUNT = itertools.count()


@dataclass(frozen=True, kw_only=True)
class SpoolOptions:
    """`fsync` = false gives up that a message survives a power cut, for tests."""

    fsync: bool = True


class Spool(Transport[SpoolOptions]):
    """A folder of files, where there is no broker. At least once, in order, for one listener at a time."""

    name: ClassVar[str] = "spool"
    schemes: ClassVar[tuple[str, ...]] = ("spool",)
    options: ClassVar[type[SpoolOptions]] = SpoolOptions

    def inlet(self, options: SpoolOptions, url: str) -> Inlet:
        """Open the folder to read; it is made where it is not there. See Transport."""
        return SpoolInlet(_folder(url))

    def outlet(self, options: SpoolOptions, url: str) -> Outlet:
        """Open the folder to write; it is made where it is not there. See Transport."""
        return SpoolOutlet(_folder(url), options.fsync)

    @contextmanager
    def aside(self, options: SpoolOptions, url: str, topic: str) -> Iterator[tuple[Inlet, Outlet]]:
        """Open a folder beside, in the same one. See Transport."""
        folder = _folder(url) / f".{topic}"
        try:
            with closing(SpoolInlet(folder)) as inlet, closing(SpoolOutlet(folder, options.fsync)) as outlet:
                yield inlet, outlet
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def placed(self, url: str, folder: Path) -> str:
        """Return the URL with its path counted from `folder`."""
        return f"spool:{folder / _folder(url).expanduser()}"


class SpoolInlet(Inlet):
    """Hands over what lies in the folder; holds a lock, so that nobody else takes the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _told(folder, SourceUnavailableError):
            _make(folder)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                os.close(self._lock)
                raise SourceUnavailableError(f"{folder}: another process is reading it") from err
        self._waiting: deque[str] = deque()
        self._again: deque[Arrival] = deque()
        self._open: _Open | None = None
        self._unsettled: dict[str, int] = {}
        """How many messages of a file are not settled; one more while it is not read to its end."""

    def receive(self, most: int, wait_s: float, linger_s: float) -> Sequence[Arrival]:
        """Return the next messages; see Inlet. Nothing is gained by lingering: what is there is there."""
        until = time.monotonic() + wait_s
        with _told(self._folder, SourceUnavailableError):
            while not (found := list(itertools.islice(self._next(), most))):
                left = until - time.monotonic()
                if left <= 0:
                    break
                time.sleep(min(LOOK_EVERY_S, left))
        return found

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Take away the files of which all is settled; see Inlet."""
        with _told(self._folder, SourceUnavailableError):
            for each in arrivals:
                self._settle(each.tag)

    def nack(self, arrivals: Sequence[Arrival]) -> None:
        """Hand these over once more; see Inlet."""
        self._again.extend(arrivals)

    def backlog(self) -> int | None:
        """Count the files that were not opened yet: how many messages are in them, nobody has looked."""
        with _told(self._folder, SourceUnavailableError):
            return len(set(_names(self._folder)) - self._unsettled.keys())

    def close(self) -> None:
        """Let go of the lock."""
        if self._open is not None:
            self._open.stream.close()
        os.close(self._lock)

    def _next(self) -> Iterator[Arrival]:
        while self._again:
            yield self._again.popleft()
        while self._open is not None or self._advance():
            line = self._open.next() if self._open is not None else None
            if line is None:
                self._end()
                continue
            self._unsettled[line[0]] += 1
            yield Arrival(raw=line[1], kind="saved", tag=line[0])

    def _advance(self) -> bool:
        """Open the next file, if there is one."""
        if not self._waiting:
            self._waiting.extend(sorted(set(_names(self._folder)) - self._unsettled.keys()))
        while self._waiting:
            name = self._waiting.popleft()
            try:
                stream = (self._folder / "new" / name).open("rb")
            except FileNotFoundError:
                continue
            self._open = _Open(name, stream, lines=name.endswith(".jsonl"))
            self._unsettled[name] = 1
            return True
        return False

    def _end(self) -> None:
        if self._open is not None:
            self._open.stream.close()
            name, self._open = self._open.name, None
            self._settle(name)

    def _settle(self, name: str) -> None:
        self._unsettled[name] -= 1
        if not self._unsettled[name]:
            (self._folder / "new" / name).unlink(missing_ok=True)
            del self._unsettled[name]


class _Open:
    """A file that is being read."""

    def __init__(self, name: str, stream: IO[bytes], *, lines: bool) -> None:
        self.name, self.stream, self._lines = name, stream, lines

    def next(self) -> tuple[str, bytes] | None:
        """Return the file's name and its next message, None at its end; empty lines say nothing."""
        while raw := self.stream.readline() if self._lines else self.stream.read():
            if said := raw.strip():
                return self.name, said
        return None


class SpoolOutlet(Outlet):
    """Writes a file for each call, whole or not at all."""

    def __init__(self, folder: Path, fsync: bool = True) -> None:
        self._folder, self._fsync = folder, fsync
        with _told(folder, SinkUnavailableError):
            _make(folder)

    def publish(self, messages: Sequence[Departure]) -> None:
        """Put messages into one file; see Outlet."""
        if not messages:
            return
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(_COUNT):06d}-{uuid.uuid4().hex[:8]}.jsonl"
        with _told(self._folder, SinkUnavailableError):
            draft = self._folder / "tmp" / name
            try:
                with draft.open("xb") as stream:
                    stream.writelines(map(saved, messages))
                    stream.flush()
                    if self._fsync:
                        os.fsync(stream.fileno())
                draft.rename(self._folder / "new" / name)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
            if self._fsync:
                _sync(self._folder / "new")

    def close(self) -> None:
        """Nothing is held."""


def saved(message: Departure) -> bytes:
    """Return a message as it is kept in a file: a line of JSON, as fedora-messaging is saved."""
    headers = {**message.headers, "sent-at": message.sent_at.isoformat()}
    body = message.body if b"\n" not in message.body else orjson.dumps(orjson.loads(message.body))
    said = {"topic": message.topic, "id": message.id, "headers": headers, "body": orjson.Fragment(body)}
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _folder(url: str) -> Path:
    return Path(url.partition(":")[2].removeprefix("//") or ".")


def _make(folder: Path) -> None:
    for name in ("new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _names(folder: Path) -> Iterator[str]:
    with os.scandir(folder / "new") as found:
        yield from (each.name for each in found if each.name[0] != "." and each.name.endswith(_ENDINGS))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(folder: Path, problem: type[CiResultsError]) -> Iterator[None]:
    """Turn what the system says into an error of ours."""
    try:
        yield
    except OSError as err:
        raise problem(f"{folder}: {err.strerror or err}") from err
