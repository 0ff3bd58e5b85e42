"""Where a decision is read: here, or in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..domain.asked import Request
from ..operations.gate import Gate
from .surroundings import Surroundings

FEW = 4
"""Subjects that are decided about here, where a store answers at once; more keep others waiting."""

P = ParamSpec("P")
T = TypeVar("T")


async def read_decision(
    around: Surroundings, work: Callable[[Gate, Request, str], T], gate: Gate, request: Request, base: str
) -> T:
    """Do `work`, which decides a request, so that nobody else waits for it."""
    if len(request.subjects) > FEW or request.verbose:
        return await around.apart(work, gate, request, base)
    return await around.read(work, gate, request, base)
