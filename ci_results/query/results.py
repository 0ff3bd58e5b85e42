"""ResultQuery: which results, how many, from where on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..errors import InvalidError

MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultQuery:
    """What to ask of the view `result`; an empty field asks nothing.

    testcase   exact name, or a prefix with a trailing `*`: "dist.*"
    item       an identifier as given, an NVR or a component name: "bash-5.2-1.fc40", "bash"
    outcomes   any of these words
    since      not older than this, aware
    latest     only the newest current result of each testcase, item, scenario and architecture
    limit      at most so many rows, newest first
    before     (time, id) of the last row of the page before, for the next one
    """

    testcase: str | None = None
    item: str | None = None
    outcomes: tuple[str, ...] = ()
    source: str | None = None
    run: str | None = None
    since: datetime | None = None
    latest: bool = False
    limit: int = 50
    before: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.limit <= MAX_LIMIT:
            raise InvalidError(f"limit must be 1 to {MAX_LIMIT}, got {self.limit}")
        if self.since is not None and self.since.tzinfo is None:
            raise InvalidError(f"since has no zone: {self.since.isoformat()}")
