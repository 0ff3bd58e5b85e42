"""The sink `jsonlines`: appends all that is stored to a file, a JSON object a line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.happening import ALL_KINDS
from ..errors import SinkUnavailableError
from ..plugin.contract import Sink
from ..wire.feed import BEGINNING, to_feed_line, to_stored_line
from .appending import Feed, append, told

if TYPE_CHECKING:
    from ..domain.batch import Batch
    from ..domain.happening import Happening
    from ..domain.receipt import Receipt


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
    takes = frozenset(ALL_KINDS)

    def deliver(self, options: Options, batch: Batch) -> None:
        """Append a line for each result; see Sink. Refuses nothing: what goes wrong is the file's fault."""
        receipts: Iterable[Receipt | None] = batch.receipts or repeat(None)
        lines = [to_feed_line(result, receipt) for result, receipt in zip(batch, receipts, strict=False)]
        append(options.path, BEGINNING, lines, once=bool(batch.receipts))

    def announce(self, options: Options, happenings: Sequence[Happening]) -> None:
        """Append a line for each; see Sink."""
        append(options.path, BEGINNING, [to_stored_line(each) for each in happenings], once=True)

    def check(self, options: Options) -> Iterator[str]:
        """Look at the file and its folder; see Sink."""
        path = options.path
        with told(path):
            if not path.parent.is_dir():
                raise SinkUnavailableError(f"{path}: no folder {path.parent}; make it first")
            there = path.exists()
            if not os.access(path if there else path.parent, os.W_OK):
                raise SinkUnavailableError(f"{path}: may not be written")
            if not there:
                yield f"{path} will be made"
                return
            with Feed.opened(path, BEGINNING) as feed:
                yield f"{path} has {feed.size} bytes"
                if feed.torn():
                    yield "its last line is torn, and will be taken off"
