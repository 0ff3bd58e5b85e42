"""Happening: what sinks may be told beside results: a step of a waiver's life, a decision that changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

WAIVER, DECISION = "waiver", "decision"
KINDS = (WAIVER, DECISION)
"""What may happen beside results."""


class Happening(NamedTuple):
    """One of them, as it is told.

    event   "waiver" or "decision"
    seq, n  the commit that stored it, and its place there from 0: the same for ever, so it names it
    body    what it says, as JSON has it: docs/decisions.md, docs/waivers.md
    peer    the waiver as WaiverDB tells it, where it begins to count with this; else None
    """

    event: str
    seq: int
    n: int
    body: Mapping[str, Any]
    peer: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """What names it among all messages: "117-0"."""
        return f"{self.seq}-{self.n}"
