"""Reached: how far an import of a ResultsDB has got, as a value and as the cursor of its source. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What is here already.

    since        all results up to this time; None = none
    known        the group that was the newest when all groups were here; None = they never were
    page         the page at which the walk of groups goes on that is under way
    newest       the group that was the newest when that walk began
    groups_done  the walk of this import has ended; not kept
    """

    since: datetime | None = None
    known: str | None = None
    page: int = 0
    newest: str | None = None
    groups_done: bool = False

    @classmethod
    def from_text(cls, cursor: str | None) -> Reached:
        """Read what `to_text` wrote; None = nothing is here."""
        if cursor is None:
            return cls()
        kept = json.loads(cursor)
        since = kept.pop("since", None)
        return cls(since=None if since is None else datetime.fromisoformat(since), **kept)

    def to_text(self) -> str:
        """Write it as the cursor of a source, e.g. {"since": "2026-01-02T03:04:05+00:00"}."""
        since = None if self.since is None else self.since.astimezone(UTC).isoformat()
        kept = {"since": since, "known": self.known, "page": self.page, "newest": self.newest}
        return json.dumps({name: value for name, value in kept.items() if value})

    def after_groups(self, uuids: Sequence[str], *, more: bool) -> Reached:
        """Return what is reached after a page with these groups, the newest first."""
        newest = self.newest or (uuids[0] if uuids else None)
        if not more or self.known in uuids:
            return replace(self, known=newest or self.known, page=0, newest=None, groups_done=True)
        return replace(self, page=self.page + 1, newest=newest)

    def after_results(self, latest: datetime | None) -> Reached:
        """Return what is reached after a page whose latest result is of that time, None = of no time."""
        if latest is None or (self.since is not None and latest < self.since):
            return self
        return replace(self, since=latest)
