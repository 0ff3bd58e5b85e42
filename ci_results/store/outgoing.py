"""Facts on their way to a sink: SQL that both stores share, and rows of it as results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from ..domain.batch import Batch
from ..domain.delivery import Outgoing, Position
from ..domain.group import Group
from ..domain.receipt import Receipt
from ..domain.result import Result
from ..domain.run import Run
from ..query.dialect import Dialect
from .identity import from_us
from .rows import attributes

Ask = Callable[[str, Mapping[str, object]], list[Any]]
"""Runs one statement with named parameters and returns its rows."""

FACT = """
select r.seq, r.id, s.name, u.key, u.ref_url, u.data, r.key, t.name, t.ref_url, o.word, i.name, i.type,
    i.nvr, i.component, i.arch, v.scenario, v.arch, coalesce(r.submit_time, r.rank), r.duration, r.ref_url,
    r.note, r.data, r.groups, c.received_at, c.door, r.digest, g.signature
from _result r
left join _commit c on c.seq = r.seq
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _testcase t on t.id = r.testcase
left join _outcome o on o.id = r.outcome
left join _item i on i.id = r.item
left join _variant v on v.id = r.variant
left join _signature g on g.result = r.id
"""

DESCRIBED = """
select uuid, description, ref_url from _group where (description is not null or ref_url is not null)
"""

PAIRS = """
select p.old, p.new from {ids} j join _superseded p on p.new = j.value where p.old < p.new
union all
select p.old, p.new from {ids} j join _superseded p on p.old = j.value where p.new < p.old
order by 1, 2
"""

AFTER = f"""{FACT}
where r.id in (
    select x.id from _result x where x.seq >= :seq and (x.seq, x.id) > (:seq, :result)
    order by x.seq, x.id limit :limit)
order by r.seq, r.id
"""
"""Ids are picked along the index of commits alone: of a commit of many results not all are joined a page."""


def facts_after(ask: Ask, dialect: Dialect, position: Position, limit: int) -> Outgoing:
    """Return at most `limit` results after `position`, in the order of (seq, id)."""
    asked = {"seq": position.seq, "result": position.result, "limit": limit}
    return _outgoing(ask, dialect, ask(AFTER, asked))


def these_facts(ask: Ask, dialect: Dialect, results: Sequence[int]) -> Outgoing:
    """Return the results with these ids, in the order of (seq, id)."""
    these = f"r.id in (select j.value from {dialect.numbers('ids')} j)"
    sql = f"{FACT} where {these} order by r.seq, r.id"
    return _outgoing(ask, dialect, ask(sql, {"ids": json.dumps(list(results))}))


def _outgoing(ask: Ask, dialect: Dialect, rows: Sequence[Any]) -> Outgoing:
    results = [_result(row) for row in rows]
    uuids = sorted({uuid for result in results for uuid in result.groups})
    return Outgoing(
        positions=tuple(Position(row[0], row[1]) for row in rows),
        batch=Batch(
            results,
            ref_urls={row[7]: row[8] for row in rows if row[8] is not None},
            groups=_described(ask, dialect, uuids) if uuids else {},
            receipts=_receipts(ask, dialect, rows),
        ),
    )


def _receipts(ask: Ask, dialect: Dialect, rows: Sequence[Any]) -> tuple[Receipt, ...]:
    """Return what the store noted; who superseded whom is told by the one of the two that came later."""
    receipts = {row[1]: _receipt(row) for row in rows}
    pairs = ask(PAIRS.format(ids=dialect.numbers("ids")), {"ids": json.dumps(list(receipts))}) if rows else ()
    for old, new in pairs:
        last = receipts[max(old, new)]
        if old < new:
            receipts[new] = last._replace(supersedes=(*last.supersedes, old))
        else:
            receipts[old] = last._replace(superseded_by=new)
    return tuple(receipts.values())


def _receipt(row: Sequence[Any]) -> Receipt:
    own, _groups, received, door, digest, signature = row[-6:]
    names = tuple(orjson.loads(own)) if own else ()
    of_run = orjson.loads(row[5]) if row[5] and names else {}
    hidden = {name: of_run[name] for name in names if name in of_run}
    return Receipt(row[0], row[1], from_us(received), door, digest, signature, names, hidden)


def _described(ask: Ask, dialect: Dialect, uuids: Sequence[str]) -> dict[str, Group]:
    """Return those of the groups that have a description or an address."""
    these = f"uuid in (select j.value from {dialect.texts('uuids')} j)"
    sql = f"{DESCRIBED} and {these}"
    return {
        uuid: Group(uuid=uuid, description=description, ref_url=ref_url)
        for uuid, description, ref_url in ask(sql, {"uuids": orjson.dumps(uuids).decode()})
    }


def _result(row: Sequence[Any]) -> Result:
    """Return one row of FACT as the result that it is served as."""
    (
 _seq, _id, source, run, run_url, shared, key, testcase, _url, outcome, item, item_type, nvr, component,
     item_arch, scenario, arch, submitted, duration, ref_url, note, own, groups, *_receipt) = row  # fmt: skip
    parts = {"nvr": nvr, "component": component, "arch": item_arch}
    return Result(
        source=source, key=key, testcase=testcase, outcome=outcome, item=item, item_type=item_type,
        submit_time=from_us(submitted), duration_s=duration, ref_url=ref_url, note=note,
        scenario=scenario or None, arch=arch or None,
        data={name: tuple(values) for name, values in attributes(shared, own).items()},
        run=None if run is None else Run(key=run, ref_url=run_url),
        item_parts={name: part for name, part in parts.items() if part},
        groups=tuple(orjson.loads(groups)) if groups else (),
        verbatim=True,
    )  # fmt: skip
