"""Wait for a decision: ask again when something was stored or time has gone by, up to a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...domain.asked import Request
from ...domain.decision import Decision, Verdict
from ..gate import Gate, decide

LOOK_EVERY_S = 0.5
"""How often the store is asked whether something new is there: one read of one row."""

JUDGE_EVERY_S = 30.0
"""How often it is decided anew though nothing new is there: waivers end, results fall due."""


def decide_within(
    gate: Gate,
    request: Request,
    limit_s: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Decision:
    """Return the first decision that is not "wait", or the last one that was made within the limit.

    Raises as `decide` does.
    """
    until = monotonic() + limit_s
    while True:
        made, judged_at = decide(gate, request), monotonic()
        while made.verdict is Verdict.WAIT:
            left = until - monotonic()
            if left <= 0:
                return made
            sleep(min(LOOK_EVERY_S, left))
            if gate.store.waivers.seq() != made.as_of or monotonic() - judged_at >= JUDGE_EVERY_S:
                break
        else:
            return made
