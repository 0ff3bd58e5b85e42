"""Feeds: files of lines as the sink `jsonlines` and `export feed` write them, several read as one."""

from __future__ import annotations

import bz2
import gzip
import heapq
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..errors import InvalidError, NotFoundError
from ..wire.feed_reading import Line, read_line

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_LINE = 256 * 1024 * 1024
"""Bytes of a line that are read; the longest that we write hold a quarantined report."""

_PACKED: Sequence[tuple[bytes, Callable[[IO[bytes]], Any]]] = (
    (b"\x1f\x8b\x08", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", zstd.ZstdFile),
)
_BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zstd.ZstdError)

_NAMES = (".jsonl", ".ndjson")
"""What a name has in it that is a feed's, in a folder where other files may be."""


class Feed(NamedTuple):
    """One file. `open` gives its bytes as they are, packed or not; `size` is theirs, 0 where unknown."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


class FeedLine(NamedTuple):
    """A line of a feed, and where it is: "feed.jsonl:17". `line` is None for a damaged one: `reason`."""

    seq: int
    position: str
    line: Line | None
    reason: str = ""
    raw: bytes = b""


def feeds_at(places: Sequence[str], stdin: Callable[[], IO[bytes]]) -> list[Feed]:
    """Return the feeds at these places: files, folders of them, or "-". Raises NotFoundError."""
    found: list[Feed] = []
    for place in places:
        path = Path(place)
        if place == "-":
            found.append(Feed("-", 0, stdin))
        elif path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.is_file() and _is_feed(each.name))
            if not inside:
                raise NotFoundError(f"no feed in {path}: their names end in .jsonl or .jsonl.gz")
            found += map(_file, inside)
        elif path.exists():
            found.append(_file(path))
        else:
            raise NotFoundError(f"no feed {path}; write one with: ci-results export feed {path}")
    return found


def read_feeds(feeds: Sequence[Feed], tell: Callable[[int], None]) -> Iterator[FeedLine]:
    """Yield the lines of all feeds in the order of commits; each feed is in that order itself.

    tell  gets how many bytes of all feeds are read, now and then
    """
    done = [0] * len(feeds)

    def read(number: int) -> Iterator[FeedLine]:
        for line, at in _lines(feeds[number]):
            if at - done[number] > 1_000_000:
                done[number] = at
                tell(sum(done))
            yield line

    yield from heapq.merge(*map(read, range(len(feeds))), key=lambda line: line.seq)


def _is_feed(name: str) -> bool:
    return not name.startswith(".") and any(each in name for each in _NAMES)


def _file(path: Path) -> Feed:
    return Feed(str(path), path.stat().st_size, lambda: path.open("rb"))


def _lines(feed: Feed) -> Iterator[tuple[FeedLine, int]]:
    """Yield the lines of one feed, with how many bytes of it are read; a damaged one stands where it is."""
    seq = 0
    with feed.open() as stream:
        lines, number = _unpacked(stream), 0
        while True:
            number += 1
            position = f"{feed.name}:{number}"
            try:
                raw = lines.readline(MAX_LINE + 1)
            except _BROKEN as err:
                yield FeedLine(seq, position, None, f"cannot be unpacked from here on: {err}"), feed.size
                return
            if not raw:
                return
            if raw.isspace():
                continue
            read = _read(raw, seq, position)
            if len(raw) > MAX_LINE:
                _skip(lines)
            seq = read.seq
            yield read, stream.tell() if feed.size else 0


def _read(raw: bytes, seq: int, position: str) -> FeedLine:
    if len(raw) > MAX_LINE:
        return FeedLine(seq, position, None, f"is longer than {MAX_LINE:,} bytes", raw)
    try:
        line = read_line(raw)
    except InvalidError as err:
        return FeedLine(seq, position, None, str(err), raw)
    return FeedLine(line.seq, position, line, raw=raw)


def _skip(lines: IO[bytes]) -> None:
    """Read on to the end of a line."""
    while (part := lines.readline(MAX_LINE)) and not part.endswith(b"\n"):
        pass


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    """Return what a stream unpacks to: itself where it begins with none of our packings."""
    peek: Callable[[int], bytes] = getattr(stream, "peek", lambda size: b"")
    head = peek(8)[:8]
    unpack = next((unpack for magic, unpack in _PACKED if head.startswith(magic)), None)
    return stream if unpack is None else io.BufferedReader(unpack(stream))
