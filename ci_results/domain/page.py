"""Page: what one transaction of a harvest stores; Committed: what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .garbled import Garbled
from .job import Job
from .result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Results and quarantine of one source, with the cursor that they reach.

    door          how they came: "harvest", "report", "message"
    read_from     the cursor that the harvest began at (compare and set); None = from the start
    cursor        the cursor to set, or None to leave it: rows before a Checkpoint
    lease         token of the lease under which this is written, or None for doors without one
    jobs          what the source has at all, where the collector said
    """

    source: str
    results: Sequence[Result] = ()
    quarantine: Sequence[Garbled] = ()
    door: str = "harvest"
    read_from: str | None = None
    cursor: str | None = None
    lease: str | None = None
    jobs: Sequence[Job] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """Counts of one page (or, added up, of a harvest): `seq` is 0 where nothing was written."""

    seq: int = 0
    stored: int = 0
    same: int = 0
    superseding: int = 0
    quarantined: int = 0

    def __add__(self, other: Committed) -> Committed:
        return Committed(
            seq=max(self.seq, other.seq),
            stored=self.stored + other.stored,
            same=self.same + other.same,
            superseding=self.superseding + other.superseding,
            quarantined=self.quarantined + other.quarantined,
        )
