"""Awaiting: a request that may take its time, until something new is in the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.requests import Request

from ..operations.gating.waiting import JUDGE_EVERY_S, LOOK_EVERY_S
from .surroundings import Surroundings

MOST = 100
"""Requests of one process that wait at once; each is answered anew after a commit."""

MOST_S = 60.0


class Awaiting:
    """Lets requests wait for the next commit; however many they are, the store is asked twice a second."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._waiting = 0
        self._seq, self._looked_at = 0, -LOOK_EVERY_S

    async def news(self, request: Request, after: int, until: float) -> bool:
        """Return whether it is worth while to look again: a commit later than `after`, or time, came.

        until  by time.monotonic(); False then, where too many wait, and at our end
        """
        if self._waiting >= MOST:
            return False
        self._waiting += 1
        try:
            again = time.monotonic() + JUDGE_EVERY_S
            while (left := until - time.monotonic()) > 0:
                await asyncio.sleep(min(LOOK_EVERY_S, left))
                if _ending(request) or await request.is_disconnected():
                    return False
                if await self._newest() > after or time.monotonic() >= again:
                    return True
            return False
        finally:
            self._waiting -= 1

    async def _newest(self) -> int:
        """Return the newest commit, or what it was a moment ago."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            self._seq = await self._around.read(self._around.store.waivers.seq)
        return self._seq


def _ending(request: Request) -> bool:
    """Say whether the server ends; our connections tell."""
    told: Callable[[], bool] | None = request.scope.get("ending")
    return told is not None and told()
