"""Places: how many large bodies are worked on, and how many may wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...errors import OverloadedError

AT_ONCE = 2
"""One is read while another is written; each may take 100 MB."""

WAITING = 64


class Places:
    """Lets `at_once` in; others wait outside, unread, so that memory does not grow under overload.

    what  waits there: "batches"
    """

    def __init__(self, what: str = "batches", at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._what, self._most, self._waiting = what, at_once + waiting, waiting
        self._free = asyncio.Semaphore(at_once)
        self._here = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a place. Raises OverloadedError where as many wait already as may."""
        if self._here >= self._most:
            raise OverloadedError(f"{self._waiting} {self._what} wait to be read: try again in a second")
        self._here += 1
        try:
            async with self._free:
                yield
        finally:
            self._here -= 1
