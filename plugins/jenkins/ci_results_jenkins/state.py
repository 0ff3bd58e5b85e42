"""The cursor: for each job the next number to read, and the builds seen running."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ci_results import SourceGarbledError


@dataclass(slots=True)
class Progress:
    """How far one job is read: all builds below `next`, but those in `open`."""

    next: int = 1
    open: set[int] = field(default_factory=set)

    @property
    def oldest(self) -> int:
        """Return the lowest number still to read."""
        return min(self.open, default=self.next)


class State:
    """Progress of all jobs of one harvest, by full name."""

    def __init__(self, cursor: str | None) -> None:
        self._jobs: dict[str, Progress] = {}
        if cursor is not None:
            try:
                for name, (following, *running) in json.loads(cursor).items():
                    self._jobs[name] = Progress(following, set(running))
            except (ValueError, TypeError, AttributeError) as err:
                raise SourceGarbledError(f"the cursor is not of this collector: {cursor[:80]!r}") from err

    def of(self, job: str) -> Progress | None:
        """Return how far `job` is read, None where it never was."""
        return self._jobs.get(job)

    def begin(self, job: str) -> Progress:
        """Return the progress of `job`, to be moved on."""
        return self._jobs.setdefault(job, Progress())

    def restart(self, job: str) -> None:
        """Forget `job`: it was deleted and made anew, its numbers begin again."""
        self._jobs.pop(job, None)

    def cursor(self) -> str:
        """Return the cursor: {"job": [next, open...]}, the same text for the same progress."""
        jobs = {name: [one.next, *sorted(one.open)] for name, one in sorted(self._jobs.items())}
        return json.dumps(jobs, ensure_ascii=False, separators=(",", ":"))
