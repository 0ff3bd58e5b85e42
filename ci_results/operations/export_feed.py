"""Export a store whole as a feed: the lines that a sink `jsonlines` would have written from the start."""

from __future__ import annotations

import gzip
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ..domain.delivery import START, Position
from ..domain.happening import ALL_KINDS
from ..errors import ConflictError
from ..sinks.delivering import READ_COMMITS, READ_ROWS
from ..store.protocol import Store
from ..wire.feed import to_feed_line, to_stored_line
from ..wire.feed_reading import RESULT


@dataclass(slots=True)
class FeedWritten:
    """How many lines a feed has of each kind, and the commit that it ends with."""

    seq: int = 0
    lines: dict[str, int] = field(default_factory=dict)


def export_feed(
    store: Store, target: Path, tell: Callable[[str, int, int], None] = lambda what, done, total: None
) -> FeedWritten:
    """Write a new file, whole or not at all; a name that ends in .gz is packed.

    Raises ConflictError where the file is there already, StoreError.
    """
    if target.exists():
        raise ConflictError(f"{target} exists: name a new file")
    half = target.with_name(f".{target.name}.part")
    written = FeedWritten()
    total = store.counts()["results"]
    try:
        with half.open("wb") as plain:
            with _packed(plain, target) as stream:
                for seq, event, line in lines_of(store):
                    stream.write(line)
                    written.seq = max(seq, written.seq)
                    written.lines[event] = count = written.lines.get(event, 0) + 1
                    if event == RESULT and not count % READ_ROWS:
                        tell("results", count, total)
            plain.flush()
            os.fsync(plain.fileno())
        half.rename(target)
    finally:
        half.unlink(missing_ok=True)
    return written


def lines_of(store: Store) -> Iterator[tuple[int, str, bytes]]:
    """Yield (seq, kind, line) of all that is stored by now, in the order in which sinks get it."""
    outbox, end = store.outbox, store.outbox.end()
    at, moved = START, True
    while moved:
        out = outbox.after(at, READ_ROWS)
        until = out.positions[-1] if out.positions else end
        told = outbox.happened(at, until, ALL_KINDS, READ_COMMITS)
        rest = deque(zip(out.positions, out.batch, out.batch.receipts, strict=True))
        moved = bool(told or rest)
        for seq, happenings in (*told.items(), *([] if len(told) == READ_COMMITS else [(None, [])])):
            while rest and (seq is None or rest[0][0].seq < seq):
                at, result, receipt = rest.popleft()
                if at.seq > end.seq:
                    return
                yield at.seq, RESULT, to_feed_line(result, receipt)
            if seq is not None:
                if seq > end.seq:
                    return
                for each in happenings:
                    yield seq, each.event, to_stored_line(each)
                at = Position(seq, at.result)


@contextmanager
def _packed(plain: IO[bytes], target: Path) -> Iterator[IO[bytes]]:
    """Give what packs into `plain` where the name of the target says so."""
    if target.suffix != ".gz":
        yield plain
        return
    with gzip.GzipFile(filename="", fileobj=plain, mode="wb", mtime=0) as packing:
        yield packing  # type: ignore[misc]
