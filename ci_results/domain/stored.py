"""What a store gives back: rows as people and machines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """One row of the view `result`; `data` joins the run's attributes with the result's own.

    `time` is what "latest" goes by: least(submit_time, received_at), aware UTC. `signature` is that of
    the failure, None where it did not fail or has no text.
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
    signature: str | None = None


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
    """One record of the quarantine, with its raw bytes; `seen` counts how often it came.

    `told` is what the door was told of it, see Page; None where nothing was.
    """

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
    told: Mapping[str, str] | None = None


class Fact(NamedTuple):
    """One result as machines are served it: texts of JSON go into an answer unparsed.

    rank       least(claimed time, time of receipt) in microseconds since 1970: "latest" goes by (rank, id)
    time       rank as text: "2026-01-02T03:04:05.000000"
    claim      the claimed time in microseconds, where it is not the rank
    groups     JSON list of uuids, None = none
    own        JSON object of its attributes, key -> [texts], None = {}
    shared     JSON object of its run's attributes, which its own ones override; None = no run
    """

    id: int
    rank: int
    time: str
    claim: int | None
    outcome: str
    testcase: str
    testcase_ref_url: str | None
    note: str | None
    ref_url: str | None
    groups: str | None
    own: str | None
    shared: str | None
