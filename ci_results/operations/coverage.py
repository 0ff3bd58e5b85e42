"""Coverage: which jobs publish results, which are silent, and who owns them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.stored import JobState
from ..store.protocol import Store

KINDS = ("publishes", "silent", "disabled", "never built", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """One source: how many of its jobs are of which kind, and when results last came."""

    source: str
    owner: str | None
    contact: str | None
    jobs: dict[str, int]
    last_ok: datetime | None

    @property
    def percent(self) -> float | None:
        """Publishing jobs of those that could (neither disabled, never built nor gone); None = of none."""
        could = self.jobs["publishes"] + self.jobs["silent"]
        return round(100 * self.jobs["publishes"] / could, 1) if could else None


def coverage(store: Store, jobs: Sequence[JobState]) -> list[SourceCoverage]:
    """Sum up `jobs` by source, sources without any job included."""
    counted = Counter((job.source, job.coverage) for job in jobs)
    return [
        SourceCoverage(
            source=state.name,
            owner=state.owner,
            contact=state.contact,
            jobs={kind: counted[state.name, kind] for kind in KINDS},
            last_ok=state.last_ok,
        )
        for state in store.sources()
    ]
