"""How many requests one client may ask: a bucket of tokens for each address."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from .faults import told

CLIENTS = 10_000
"""Addresses remembered; beyond, the one that asked least lately is forgotten."""


class RateLimited:
    """Answer 429 to a client that asks more than `rate` requests a second, `burst` at once."""

    def __init__(
        self, app: ASGIApp, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            wait_s = self._take(scope["client"][0] if scope.get("client") else "")
            if wait_s > 0:
                refusal = told(
                    429,
                    f"One client may ask {self._rate:g} requests a second here",
                    Retry_After=str(math.ceil(wait_s)),
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _take(self, address: str) -> float:
        """Take a token of this client; return the seconds until there is one, 0 = taken."""
        client = _client(address)
        now = self._clock()
        left, then = self._buckets.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        wait_s = (1 - left) / self._rate if left < 1 else 0.0
        self._buckets[client] = (left if wait_s else left - 1, now)
        if len(self._buckets) > CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        return wait_s


@lru_cache(CLIENTS)
def _client(address: str) -> str:
    """Return whom an address belongs to: of IPv6 the network, for a client has 2**64 of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else address
