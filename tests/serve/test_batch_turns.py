"""How a batch leaves room for others: slices of the event loop, and places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ci_results.config import Serving
from ci_results.domain.user import ANONYMOUS
from ci_results.errors import OverloadedError
from ci_results.serve.ci_v1.intake import Intake
from ci_results.serve.ci_v1.places import AT_ONCE, WAITING, Places
from ci_results.serve.ci_v1.reading import Reading
from ci_results.serve.surroundings import vocabulary
from ci_results.wire.resultsdb_post import result_table

LINE = b'{"testcase": "team.case", "outcome": "PASSED", "data": {"item": "pkg-1-1.el10"}}'
BODIES = {
    "application/x-ndjson": b"\n".join([LINE] * 10_000),
    "application/json": b"[" + b",".join([LINE] * 10_000) + b"]",
}


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


def intake() -> Intake:
    return Intake(result_table(vocabulary()), "", ANONYMOUS)


async def counting(work: Coroutine[Any, Any, Any]) -> int:
    """Do `work`; return how often somebody else had a turn meanwhile."""
    task = asyncio.ensure_future(work)
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    task.result()
    return turns


@pytest.mark.parametrize("kind", BODIES)
def test_others_have_their_turn_while_a_batch_is_read(kind: str) -> None:
    async def read() -> tuple[int, int]:
        taken = intake()
        turns = await counting(Reading(Serving()).read(pieces(BODIES[kind]), kind, taken))
        return turns, taken.good

    turns, good = asyncio.run(read())
    assert good == 10_000
    assert turns > 10


def waiting(places: Places, free: asyncio.Event) -> Callable[[], Coroutine[Any, Any, None]]:
    async def work() -> None:
        async with places.one():
            await free.wait()

    return work


def test_some_batches_are_worked_on_others_wait_and_one_too_many_is_refused() -> None:
    async def crowd() -> int:
        places, free = Places(), asyncio.Event()
        tasks = [asyncio.create_task(waiting(places, free)()) for _ in range(AT_ONCE + WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await waiting(places, free)()
        free.set()
        await asyncio.gather(*tasks)
        async with AsyncExitStack() as held:
            for _ in range(AT_ONCE):
                await held.enter_async_context(places.one())
            return AT_ONCE

    assert asyncio.run(crowd()) == AT_ONCE


def test_who_leaves_while_waiting_gives_the_place_back() -> None:
    async def leave() -> None:
        places, free = Places(), asyncio.Event()
        tasks = [asyncio.create_task(waiting(places, free)()) for _ in range(AT_ONCE + WAITING)]
        await asyncio.sleep(0)
        tasks[-1].cancel()
        await asyncio.wait([tasks[-1]])
        late = asyncio.create_task(waiting(places, free)())
        free.set()
        await asyncio.gather(*tasks[:-1], late)

    asyncio.run(leave())
