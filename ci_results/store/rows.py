"""Rows of a store as values of the domain, and the SQL that gives them on both stores."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from ..domain.stored import JobState, Quarantined, SourceState, StoredResult
from .identity import from_us

RESULTS = """
select r.id, r.rank, o.word, t.name, i.name, i.type, v.scenario, coalesce(nullif(v.arch, ''), i.arch, ''),
    r.duration, r.note, coalesce(r.ref_url, u.ref_url), s.name, u.key, r.key, r.data, u.data, r.seq, p.new,
    g.signature
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
left join _signature g on g.result = r.id
"""

SOURCES = """
select s.name, s.collector, s.url, s.owner, s.contact, s.cursor, s.last_try, s.last_ok, s.last_error,
    (select coalesce(sum(d.results), 0) from _commit d where d.source = s.id),
    (select count(*) from _quarantine q where q.source = s.id and q.resolved_at is null)
from _source s order by s.name
"""

COLLECTED = "select name from _source where collector = :collector"

WAITING = """
select s.name, q.door, count(*)
from _quarantine q join _source s on s.id = q.source
where q.resolved_at is null
group by s.name, q.door order by s.name, q.door
"""

JOBS = """
select v.source, v.job, v.coverage, v.owner, v.contact, j.last_build, j.last_report
from job v join _source s on s.name = v.source join _job j on j.source = s.id and j.name = v.job
where :source is null or v.source = :source
order by 1, 2
"""

QUARANTINE = """
select q.id, s.name, q.door, q.kind, q.key, q.position, q.reason, q.raw, q.seen,
    q.received_at, q.resolved_at, q.resolution, q.told
from _quarantine q join _source s on s.id = q.source
"""

COUNTS = {
    "results": "select coalesce(sum(results), 0) from _commit",
    "testcases": "select count(*) from _testcase",
    "items": "select count(*) from _item",
    "runs": "select count(*) from _run",
    "sources": "select count(*) from _source",
    "quarantined": "select count(*) from _quarantine where resolved_at is null",
    "outbox": "select count(*) from _outbox",
}
"""Figures for people, by name."""


def stored_result(row: tuple[Any, ...]) -> StoredResult:
    """Return one row of RESULTS as a value."""
    number, rank, outcome, testcase, item, item_type, scenario, arch = row[:8]
    duration, note, ref_url, source, run, key, own, shared, seq, new, signature = row[8:]
    data = attributes(shared, own)
    return StoredResult(
        id=number, time=from_us(rank), outcome=outcome, testcase=testcase, item=item, item_type=item_type,
        scenario=scenario, arch=arch, duration_s=duration, note=note, ref_url=ref_url, source=source, run=run,
        key=key, data=data, seq=seq, superseded_by=new, signature=signature,
    )  # fmt: skip


def in_order(found: Iterable[tuple[Any, ...]], ids: Iterable[int]) -> list[StoredResult]:
    """Return rows of RESULTS as values, in the order of `ids`, those that are there."""
    by_id = {row[0]: row for row in found}
    return [stored_result(by_id[number]) for number in ids if number in by_id]


def attributes(shared: str | None, own: str | None) -> dict[str, list[str]]:
    """Return a result's attributes: its run's, then its own; an empty own one takes the run's away."""
    data = (orjson.loads(shared) if shared else {}) | (orjson.loads(own) if own else {})
    return {name: values for name, values in data.items() if values}


def source_state(row: tuple[Any, ...]) -> SourceState:
    """Return one row of SOURCES as a value."""
    name, collector, url, owner, contact, cursor, last_try, last_ok, last_error, results, quarantined = row
    return SourceState(
        name=name, collector=collector, url=url, owner=owner, contact=contact, cursor=cursor,
        last_try=_time(last_try), last_ok=_time(last_ok), last_error=last_error,
        results=results, quarantined=quarantined,
    )  # fmt: skip


def job_state(row: tuple[Any, ...]) -> JobState:
    """Return one row of JOBS as a value."""
    source, job, coverage, owner, contact, last_build, last_report = row
    return JobState(
        source=source, job=job, coverage=coverage, owner=owner, contact=contact,
        last_build=_time(last_build), last_report=_time(last_report),
    )  # fmt: skip


def quarantined(row: tuple[Any, ...]) -> Quarantined:
    """Return one row of QUARANTINE as a value."""
    number, source, door, kind, key, position, reason, raw, seen, received, resolved, resolution, told = row
    return Quarantined(
        id=number, source=source, door=door, kind=kind, key=key, position=position, reason=reason, raw=raw,
        seen=seen, received_at=from_us(received), resolved_at=_time(resolved), resolution=resolution,
        told=None if told is None else json.loads(told),
    )  # fmt: skip


def _time(number: int | None) -> datetime | None:
    return None if number is None else from_us(number)
