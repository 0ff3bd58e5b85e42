"""Asking ahead: many requests in a bounded number of threads, their answers in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from ..errors import CollectError

_NO_PARAMS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of many.

    url     what to get; None = nothing: it only keeps its place in the row, and answers None
    params  its query
    about   whatever the asker needs to make sense of the answer; handed back with it
    """

    url: str | None
    params: Mapping[str, Any] = field(default_factory=lambda: _NO_PARAMS)
    about: Any = None


def ask_ahead(
    asks: Iterable[Ask], get: Callable[[Ask], Any], pool: Executor, window: int
) -> Iterator[tuple[Ask, Any]]:
    """Yield each ask with its answer, or with the CollectError that `get` raised, in the order of `asks`.

    `asks` is read lazily, at most `window` ahead of the answer that was yielded last, in the
    caller's thread. Closing the iterator drops what has not begun.
    """
    begun: deque[tuple[Ask, Future[Any] | None]] = deque()
    source = iter(asks)
    try:
        more = True
        while True:
            while more and len(begun) < window:
                ask = next(source, None)
                if ask is None:
                    more = False
                else:
                    begun.append((ask, pool.submit(get, ask) if ask.url is not None else None))
            if not begun:
                return
            ask, future = begun.popleft()
            yield ask, _answer(future)
    finally:
        for _, future in begun:
            if future is not None:
                future.cancel()


def _answer(future: Future[Any] | None) -> Any:
    if future is None:
        return None
    try:
        return future.result()
    except CollectError as err:
        return err
