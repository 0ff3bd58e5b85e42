"""What a store gives back: rows as people and machines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """One row of the view `result`; `data` joins the run's attributes with the result's own.

    `time` is what "latest" goes by: least(submit_time, received_at), aware UTC.
    """

    id: int
    time: datetime
    outcome: str
    testcase: str
    item: str
    item_type: str
    scenario: str
    arch: str
    duration_s: float | None
    note: str | None
    ref_url: str | None
    source: str
    run: str | None
    key: str
    data: Mapping[str, list[str]]
    seq: int
    superseded_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How a source fares. Times are aware UTC; `results` is counted from the daily roll-up."""

    name: str
    collector: str = ""
    url: str | None = None
    owner: str | None = None
    contact: str | None = None
    cursor: str | None = None
    last_try: datetime | None = None
    last_ok: datetime | None = None
    last_error: str | None = None
    results: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One job of a source; `coverage` is "publishes", "silent", "disabled", "never built" or "gone"."""

    source: str
    job: str
    coverage: str
    owner: str | None
    contact: str | None
    last_build: datetime | None
    last_report: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One record of the quarantine, with its raw bytes; `seen` counts how often it came."""

    id: int
    source: str
    door: str
    kind: str
    key: str | None
    position: str | None
    reason: str
    raw: bytes
    seen: int
    received_at: datetime
    resolved_at: datetime | None
    resolution: str | None
