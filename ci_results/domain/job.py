"""Job: a thing at a source that could publish results, whether it does or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as its source lists it.

    name         full name at the source: "rpm/tier1/openssl-functional"
    state        "active", "disabled", "never built" or "gone"
    last_build   end of its newest finished build, where the source was asked
    last_report  end of its newest build that published test results, where one was seen
    """

    name: str
    state: str = "active"
    last_build: datetime | None = None
    last_report: datetime | None = None
