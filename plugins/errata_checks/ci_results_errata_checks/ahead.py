"""Bodies fetched ahead: a bounded number at once, each as a copy, in threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True, slots=True)
class Fetched:
    """A copy of a body, with its headers, its beginning and its end."""

    spool: IO[bytes]
    headers: Mapping[str, str]
    head: bytes
    tail: bytes


Fetch = Callable[[str, int], Fetched]
"""Fetches an address, so many bytes of it at most. Raises CollectError."""


class Ahead:
    """Fetches what is expected in `parallel` threads, at most two times as many bodies ahead.

    With `parallel` 1 nothing is fetched ahead.
    """

    def __init__(self, fetch: Fetch, parallel: int) -> None:
        self._fetch = fetch
        self._parallel = parallel
        self._pool: ThreadPoolExecutor | None = None
        self._begun: dict[str, Future[Fetched]] = {}

    def expect(self, url: str, max_bytes: int) -> None:
        """Begin to fetch `url`, unless so much is under way already."""
        if self._parallel < 2 or len(self._begun) >= 2 * self._parallel or url in self._begun:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._parallel, thread_name_prefix="errata")
        self._begun[url] = self._pool.submit(self._fetch, url, max_bytes)

    def take(self, url: str, max_bytes: int) -> Fetched:
        """Give the body of `url`, fetched by now or fetched here. Raises CollectError."""
        future = self._begun.pop(url, None)
        return self._fetch(url, max_bytes) if future is None else future.result()

    def close(self) -> None:
        """Drop what nobody took."""
        for future in self._begun.values():
            future.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        for future in self._begun.values():
            if not future.cancelled() and future.exception() is None:
                future.result().spool.close()
        self._begun.clear()
