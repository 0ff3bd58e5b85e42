"""Garbled: a record that could not be read, kept whole until somebody can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InvalidError


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled:
    """A record of the source that could not be understood; it goes to the quarantine.

    raw       its bytes, untouched
    reason    one sentence for the person who mends the mapping
    key       its key at the source where known ("rpm/tier1#42")
    position  where in the source's document ("byte 1042", "line 3"), or None
    kind      what `raw` is, so that a retry can read it again: "record" (the collector's own),
              "observation" (JSON of an Observation), "report" (a file for the format readers),
              "message" (of a bus, as it came),
              "resultsdb" (JSON of a result as ResultsDB serves it)
    told      what the core knows of it besides, instead of what its page is told; readers leave it alone
    """

    raw: bytes
    reason: str
    key: str | None = None
    position: str | None = None
    kind: str = "record"
    told: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.reason:
            raise InvalidError("a garbled record needs a reason")
