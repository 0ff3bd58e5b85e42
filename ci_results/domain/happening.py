"""Happening: what sinks may be told beside results: a step of a waiver's life, a changed decision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

WAIVER, DECISION = "waiver", "decision"
KINDS = (WAIVER, DECISION)
"""What everybody may want to know of."""

CHANGE, PLAN, EVENT, QUARANTINE, MESSAGE, PRUNE = "change", "plan", "event", "quarantine", "message", "prune"
Kind = Literal["waiver", "decision", "change", "plan", "event", "quarantine", "message", "prune"]
ALL_KINDS: tuple[Kind, ...] = get_args(Kind)
"""All that a store holds beside results: a feed with these and the results is the whole of it."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Happening(NamedTuple):
    """One of them, as it is told.

    event   one of ALL_KINDS
    seq, n  the commit that stored it, and its place there from 0: with `event` they name it for ever
    body    what it says, as JSON has it: docs/decisions.md, docs/waivers.md, docs/restore.md
    peer    the waiver as WaiverDB tells it, where it begins to count with this; else None
    stored  what else the store keeps of it: only who restores a store needs that
    """

    event: str
    seq: int
    n: int
    body: Mapping[str, Any]
    peer: Mapping[str, Any] | None = None
    stored: Mapping[str, Any] = _NOTHING

    @property
    def id(self) -> str:
        """What names it among all messages: "117-0"."""
        return f"{self.seq}-{self.n}"
