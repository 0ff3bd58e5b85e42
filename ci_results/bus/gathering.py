"""How messages that a connection hands over ahead are gathered into one group."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from ..domain.carried import Arrival


def gather(
    ready: deque[Arrival], pass_time: Callable[[float], None], most: int, wait_s: float, linger_s: float
) -> list[Arrival]:
    """Take at most `most` of what is `ready`; see Inlet.receive.

    `pass_time` reads what has come, and waits as long as it is told, less where something comes.
    """
    until = time.monotonic() + wait_s
    pass_time(0)
    while not ready and (left := until - time.monotonic()) > 0:
        pass_time(left)
    until = time.monotonic() + linger_s
    while ready and len(ready) < most and (left := until - time.monotonic()) > 0:
        pass_time(left)
    return [ready.popleft() for _ in range(min(most, len(ready)))]
