"""The canonical dump: every fact as a line of JSON, the same for the same facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

import orjson

from ..waive.chain import described
from .rows import attributes
from .waivers import EVENTS, event_of

DUMP = """
select r.seq, r.id, s.name, coalesce(u.key, ''), r.key, t.name, o.word, i.name, i.type, v.scenario, v.arch,
    coalesce(r.submit_time, r.rank), r.rank, c.received_at, r.duration, r.note, coalesce(r.ref_url, ''),
    coalesce(u.ref_url, ''), coalesce(r.data, '{}'), coalesce(u.data, '{}'), p.new
from _result r
left join _commit c on c.seq = r.seq
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _testcase t on t.id = r.testcase
left join _outcome o on o.id = r.outcome
left join _item i on i.id = r.item
left join _variant v on v.id = r.variant
left join _superseded p on p.old = r.id
"""

GROUPS = """
select g.uuid, g.description, g.ref_url, g.results from _group g
where g.results > 0 or exists (select 1 from _change c where c.kind = 'group' and c.subject = g.id)
order by 1
"""

TESTCASES = """
select t.name, t.ref_url, t.owner, t.contact from _testcase t
where exists (select 1 from _result r where r.testcase = t.id)
    or exists (select 1 from _change c where c.kind = 'testcase' and c.subject = t.id)
order by 1
"""
"""Names that a page brought which was refused in the end are no facts."""

QUARANTINED = """
select q.seq, q.id, s.name, q.door, q.kind, q.key, q.position, q.reason, q.raw, q.resolution, q.told
from _quarantine q left join _source s on s.id = q.source
"""

AWAITED = """
select e.seq, e.source, e.key, e.kind, e.time, e.received_at, e.subject_type, e.subject, e.product_versions,
    e.owner, e.actor, x.testcase, x.since, x.due, x.owner
from _event e left join _expectation x on x.event = e.id
"""

DECIDED = """
select d.seq, d.number, d.subject_type, d.subject, d.product_version, d.context, d.verdict, d.old_verdict,
    d.satisfied, d.summary, d.at, d.as_of, d.cause, d.digest, d.answer, d.proof
from _decision d
"""

LAST = "where not exists (select 1 from _decision n where n.gate = d.gate and n.number > d.number)"
"""Which decisions came in between, two stores need not agree on."""

PRUNED = """
select p.seq, p.id, p.begun, p.time, p.username, p.comment, p.criteria, p.results, p.first, p.last, p.digest
from _prune p
"""

PLANNED = "select seq, name, version, item_type, item, actor, cases from _plan"

_BAD_PORTABLE = "order by s.name, q.kind, coalesce(q.key, ''), q.raw, coalesce(q.told, '')"

Ask = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs SQL of both stores and gives its rows one by one."""


def dump(ask: Ask, portable: bool) -> Iterator[str]:
    """Yield all facts, those of a kind together; Store.dump says what `portable` leaves out."""
    if portable:
        for _identity, states in groupby(ask(f"{DUMP} order by 3, 4, 5"), key=lambda row: row[2:5]):
            yield from sorted(_line(_result(row)) for row in states)
    else:
        for row in ask(f"{DUMP} order by r.seq, r.id"):
            seq, number, rank, received, new = row[0], row[1], row[12], row[13], row[20]
            ours = {"seq": seq, "id": number, "rank": rank, "received_at": received, "superseded_by": new}
            yield _line(_result(row) | ours)
    for uuid, description, ref_url, results in ask(GROUPS):
        said = {"description": description, "ref_url": ref_url, "results": results}
        yield _line({"fact": "group", "uuid": uuid, **said})
    for name, ref_url, owner, contact in ask(TESTCASES):
        yield _line(
            {"fact": "testcase", "name": name, "ref_url": ref_url, "owner": owner, "contact": contact}
        )
    events = map(event_of, ask(f"{EVENTS} order by e.id"))
    if portable:
        yield from sorted(_line(_waiver_event(said)) for said in map(described, events))
    else:
        for event in events:
            yield _line({"fact": "waiver_event", **described(event), "hash": event.hash})
    for row in ask(QUARANTINED + (_BAD_PORTABLE if portable else "order by q.seq, q.id")):
        names = (
            "seq",
            "id",
            "source",
            "door",
            "kind",
            "key",
            "position",
            "reason",
            "raw",
            "resolution",
            "told",
        )
        fact = {"fact": "quarantine", **dict(zip(names, row, strict=True))}
        fact["raw"] = fact["raw"].hex().upper()
        if portable:
            del fact["seq"], fact["id"]
        yield _line(fact)
    for row in ask(PLANNED + (" order by name, version" if portable else " order by seq")):
        seq, name, version, item_type, item, actor, cases = row
        said = {"name": name, "version": version, "type": item_type, "item": item, "actor": actor}
        place = {} if portable else {"seq": seq}
        yield _line({"fact": "plan", **place, **said, "cases": orjson.loads(cases)})
    order = "e.source, e.key, x.testcase" if portable else "e.seq, e.id, x.id"
    for row in ask(f"{AWAITED} order by {order}"):
        yield _line(_awaited(row, portable))
    order = f"{LAST} order by d.gate" if portable else "order by d.seq, d.id"
    for row in ask(f"{DECIDED} {order}"):
        yield _line(_decided(row, portable))
    for row in ask(f"{PRUNED} order by {'p.username, p.comment, p.digest' if portable else 'p.id'}"):
        yield _line(_prune(row, portable))


def dump_of(ids: str) -> str:
    """Return DUMP of some results, looked up by a table of their ids, whatever a planner thinks of both."""
    return DUMP.replace("from _result r", f"from {ids} j join _result r on r.id = j.value")


def content_line(row: tuple[Any, ...]) -> tuple[int, str]:
    """Return id and line of a row of DUMP: what it says in every store, whether it is current or not."""
    said = _result(row)
    del said["current"]
    return row[1], _line(said)


def _result(row: tuple[Any, ...]) -> dict[str, object]:
    """Return what a row of DUMP says in every store that holds it."""
    source, run, key, testcase, outcome, item, item_type, scenario, arch, time = row[2:12]
    received, duration, note, ref_url, run_url, own, shared, new = row[13:]
    return {
        "fact": "result", "source": source, "run": run, "key": key, "testcase": testcase,
        "outcome": outcome, "item": item, "type": item_type, "scenario": scenario, "arch": arch,
        "submit_time": None if time == received else time, "duration": duration, "note": note,
        "ref_url": ref_url, "run_url": run_url, "data": attributes(shared, own),
        "current": new is None,
    }  # fmt: skip


def _waiver_event(said: dict[str, object]) -> dict[str, object]:
    """Return what an event says in every store that holds it."""
    ours = ("id", "seq", "time", "waiver")
    return {"fact": "waiver_event", **{name: value for name, value in said.items() if name not in ours}}


def _awaited(row: tuple[Any, ...], portable: bool) -> dict[str, object]:
    names = (
        "seq", "source", "key", "kind", "time", "received_at", "subject_type", "subject", "product_versions",
        "owner", "actor", "testcase", "since", "due", "answers",
    )  # fmt: skip
    fact = {"fact": "expectation", **dict(zip(names, row, strict=True))}
    if portable:
        del fact["seq"], fact["received_at"]
    return fact


def _decided(row: tuple[Any, ...], portable: bool) -> dict[str, object]:
    names = (
        "seq", "number", "subject_type", "subject", "product_version", "context", "verdict", "old_verdict",
        "satisfied", "summary", "at", "as_of", "cause", "digest", "answer", "proof",
    )  # fmt: skip
    fact = {"fact": "decision", **dict(zip(names, row, strict=True))}
    if portable:
        for name in ("seq", "number", "old_verdict", "at", "as_of", "cause", "answer", "proof"):
            del fact[name]
    return fact


def _prune(row: tuple[Any, ...], portable: bool) -> dict[str, object]:
    names = (
        "seq", "id", "begun", "time", "username", "comment", "criteria", "results", "first", "last", "digest",
    )  # fmt: skip
    fact = {"fact": "prune", **dict(zip(names, row, strict=True))}
    fact["criteria"] = orjson.loads(row[6])
    if portable:
        for name in ("seq", "id", "begun", "time", "first", "last"):
            del fact[name]
    return fact


def _line(fact: dict[str, object]) -> str:
    return orjson.dumps(fact, option=orjson.OPT_SORT_KEYS).decode()
