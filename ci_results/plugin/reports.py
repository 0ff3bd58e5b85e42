"""Read a report file of whatever format it is, for collectors that find such files at their source."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import IO

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from ..errors import InvalidError, shown
from .builtin import register_formats
from .contract import Format
from .http_answer import CHUNK
from .http_stream import BoundedStream

HEAD_BYTES = 65_536
KEPT_BYTES = 1 << 20
"""So much at most of a file that nothing recognises goes to the quarantine."""

_BUILT_IN = {each.name: each for each in register_formats()}


def read_report(
    stream: IO[bytes], about: Report, formats: Sequence[str | Format] | None = None
) -> Iterator[Observation | Garbled]:
    """Yield the observations of one report file, recognised by its content, read as a stream.

    formats  which may read it, in the order in which they are asked: names of built-in formats
             ("rpmgrill") or a plugin's own; None = all built-in ones

    A file that none of them recognises, an empty one too, is yielded as one Garbled of kind
    "report". The words of the observations are in `report_outcomes(formats)`. Raises InvalidError
    for a name that no built-in format has, CollectError where reading the stream does.
    """
    return _read(stream, about, _readers(formats))


def report_outcomes(formats: Sequence[str | Format] | None = None) -> dict[str, str]:
    """Return the words of these formats, lower case, to ours: {"gripes": "NEEDS_INSPECTION"}.

    A collector that reads by `read_report` has them in its `outcomes`. No word means two things.
    Raises InvalidError for a name that no built-in format has.
    """
    return {word: str(ours) for reader in _readers(formats) for word, ours in reader.outcomes.items()}


def _readers(formats: Sequence[str | Format] | None) -> list[Format]:
    if formats is None:
        return list(_BUILT_IN.values())
    unknown = [each for each in formats if isinstance(each, str) and each not in _BUILT_IN]
    if unknown:
        raise InvalidError(f"no built-in format {shown(unknown[0])}; there are {', '.join(_BUILT_IN)}")
    return [_BUILT_IN[each] if isinstance(each, str) else each for each in formats]


def _read(stream: IO[bytes], about: Report, readers: Sequence[Format]) -> Iterator[Observation | Garbled]:
    head = _first(stream, HEAD_BYTES)
    for reader in readers:
        if reader.recognises(head):
            rest = iter(lambda: stream.read(CHUNK), b"")
            yield from reader.read(io.BufferedReader(BoundedStream(chain([head], rest)), CHUNK), about)
            return
    raw = head + _first(stream, KEPT_BYTES - len(head))
    asked = ", ".join(reader.name for reader in readers)
    yield Garbled(
        raw=raw,
        reason=f"no format recognises it; asked were {asked}" if raw else "empty file",
        position=f"first {KEPT_BYTES} bytes" if len(raw) == KEPT_BYTES else None,
        kind="report",
    )


def _first(stream: IO[bytes], size: int) -> bytes:
    """Read `size` bytes, fewer only at the end: a raw stream may give less at a time."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
