"""Store one submission, and answer with the result as it is stored."""

from __future__ import annotations

import os
from asyncio import wrap_future

from ..domain.stored import Fact
from ..domain.submission import Submission
from ..domain.user import User
from ..normalise.submitted import check_strictly, submitted
from .surroundings import Surroundings


async def store_submission(around: Surroundings, said: Submission, user: User, key: str) -> Fact:
    """Store what `user` submits; durable when this returns.

    `key` is the client's Idempotency-Key, "" where there is none: a retry with the same key gets
    what is stored already. Keys of two users never meet. Raises InvalidError for what breaks the
    rules that a strict user is held to.
    """
    if user.strict:
        check_strictly(said)
    page = submitted(said, f"key:{key}" if key else os.urandom(12).hex(), user.source)
    (number,) = await wrap_future(around.store.submit(page))
    return await around.read(around.store.fact, number)
