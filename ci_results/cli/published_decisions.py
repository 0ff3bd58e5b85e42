"""Schemas of what commands about events and recorded decisions take and print, and of what they announce."""

from __future__ import annotations

from ..operations.follow import Followed
from ..serve.ci_v1.described_events import TAKEN
from ..wire.dataclass_schema import of_dataclass
from ..wire.schemas import Schema, list_of


def decisions() -> dict[str, Schema]:
    """Return them by name: "follow"."""
    return {
        "event": list_of(TAKEN, "What became of each event."),
        "follow": of_dataclass(Followed),
    }
