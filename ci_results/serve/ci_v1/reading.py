"""Read a batch in slices of a millisecond, so that other requests are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter
from typing import TypeVar

from ...config import Serving
from ...wire.batch import Lines, elements
from .intake import Intake

T = TypeVar("T")
SLICE_S = 0.001
JSON = "application/json"
KINDS = ("application/x-ndjson", "application/jsonl", JSON)
"""Media types of a batch."""


class TooLongError(Exception):
    """The body has more bytes than it may have."""


class Reading:
    """Reads bodies; at any time one of them has its turn, however many are on their way."""

    def __init__(self, settings: Serving) -> None:
        self._most = settings.max_batch
        self._longest = settings.max_body_bytes
        self._turn = asyncio.Lock()

    async def read(self, pieces: AsyncIterator[bytes], kind: str, intake: Intake) -> None:
        """Give `intake` what comes: lines as soon as they are whole, a list once it is.

        Raises TooLongError, TooManyError, Unparsable where the body is a broken list.
        """
        if kind == JSON:
            body = b"".join([piece async for piece in self._bounded(pieces)])
            await self._in_slices(elements(body, self._most), intake.value)
            return
        lines = Lines(self._most)
        async for piece in self._bounded(pieces):
            await self._in_slices(lines.feed(piece), intake.line)
        await self._in_slices(lines.end(), intake.line)

    async def _bounded(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > self._longest:
                raise TooLongError
            yield piece

    async def _in_slices(self, numbered: Iterator[tuple[int, T]], take: Callable[[int, T], None]) -> None:
        more = True
        while more:
            async with self._turn:
                more = _one_slice(numbered, take)
                await asyncio.sleep(0)


def _one_slice(numbered: Iterator[tuple[int, T]], take: Callable[[int, T], None]) -> bool:
    """Take for a millisecond; say whether there may be more."""
    ends = perf_counter() + SLICE_S
    for number, thing in numbered:
        take(number, thing)
        if perf_counter() > ends:
            return True
    return False
