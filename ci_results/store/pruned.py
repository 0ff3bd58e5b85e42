"""Take results out of the tables, and keep what must be known of each for good; both stores share it.

The guards of append-only stay where they are: they let go what a row of _pruned names (schema10.sql).
Names (testcases, items, pairs of attributes) stay: other processes remember their ids.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..errors import NotFoundError
from ..query.dialect import Dialect
from .identity import from_us
from .outgoing import Ask

KIND = "prune"
"""Of its rows in the outbox, and the door of its commits."""

GONE = """
select p.time, p.username, p.comment from _pruned x join _prune p on p.id = x.prune where x.result = :result
"""

NEXT = "select coalesce(max(id), 0) + 1 from _prune"

PRUNE = """
insert into _prune (id, seq, begun, time, username, comment, criteria, results, first, last, digest)
values (:id, :seq, :begun, :time, :username, :comment, :criteria, :results, :first, :last, :digest)
"""

TOMBSTONES = """
insert into _pruned (result, prune, source, identity, digest, key, testcase, outcome, day, duration, counted)
select r.id, :prune, r.source, r.identity, r.digest, substr(_digest(r.key), 1, 16), r.testcase, r.outcome,
    r.rank / 86400000000, r.duration, case when p.old is null then 1 else 0 end
from {ids} j join _result r on r.id = j.value left join _superseded p on p.old = r.id
"""

GOING = """
select r.id, r.rank, r.run, r.data, r.groups from {ids} j join _result r on r.id = j.value order by r.id
"""
RUNS = "select u.id, u.rank, u.data from {ids} j join _run u on u.id = j.value"
GROUPS = "select g.uuid, g.id from {uuids} v cross join _group g where g.uuid = v.value"

LEAVE = (
    """
    update _commit set results = results - g.n
    from (select r.seq, count(*) as n from {ids} j join _result r on r.id = j.value group by r.seq) g
    where _commit.seq = g.seq
    """,
    "delete from _superseded where old in (select j.value from {ids} j)",
    "delete from _signature where result in (select j.value from {ids} j)",
    """
    update _message set raw = null
    where id in (
        select x.message from {ids} j join _result_message x on x.result = j.value
        where not exists (
            select 1 from _result_message y
            where y.message = x.message and y.result not in (select k.value from {ids} k)))
    """,
    "delete from _result_message where result in (select j.value from {ids} j)",
    "delete from _result where id in (select j.value from {ids} j)",
)
"""In this order. The bytes of a message go with the last of its results."""

OUT_OF_GROUPS = (
    """
    update _group set results = results - m.n
    from (select a, count(*) as n from {rows} t group by a) m where _group.id = m.a
    """,
    "delete from _result_group where (grp, rank, result) in (select a, b, c from {rows} t)",
)
OUT_OF_PAIRS = "delete from _result_pair where (pair, rank, result) in (select a, b, c from {rows} t)"
OUT_OF_RUN_PAIRS = "delete from _run_pair where (pair, rank, run) in (select a, b, c from {rows} t)"

EMPTY_RUNS = """
select u.id from {ids} j join _run u on u.id = j.value
where not exists (select 1 from _result r where r.seq = u.seq and r.run = u.id)
"""
DELETE_RUNS = "delete from _run where id in (select j.value from {ids} j)"

COUNT_DAYS = (
    """
    insert into _daily (day, testcase, outcome, n, duration)
    select day, testcase, outcome, count(*), coalesce(sum(duration), 0) from _pruned
    where counted = 1 {of} group by 1, 2, 3
    on conflict (day, testcase, outcome) do update
    set n = _daily.n + excluded.n, duration = _daily.duration + excluded.duration
    """,
    """
    insert into _daily_source (day, source, outcome, n)
    select day, source, outcome, count(*) from _pruned where counted = 1 {of} group by 1, 2, 3
    on conflict (day, source, outcome) do update set n = _daily_source.n + excluded.n
    """,
)
"""Add what left to the roll-ups, where they are counted anew; `of` may say what of it."""

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Going:
    """What the tables have of results that leave.

    ids     theirs; runs: ids of their runs
    groups  rows of _result_group; pairs: of _result_pair
    of_runs rows of _run_pair, by run
    """

    ids: Sequence[int]
    runs: Sequence[int]
    groups: Sequence[Triple]
    pairs: Sequence[Triple]
    of_runs: Mapping[int, Sequence[Triple]]


def absent(ask: Ask, result: int) -> NotFoundError:
    """Return what to raise for a result that is not there: who let it go, where somebody did."""
    for at, username, comment in ask(GONE, {"result": result}):
        when = f"{from_us(at):%Y-%m-%d}"
        return NotFoundError(f"no result {result}: {username} let it go on {when}: {comment}")
    return NotFoundError(f"no result {result}")


def read_going(ask: Ask, dialect: Dialect, ids: Iterable[int]) -> Going:
    """Read what the tables have of results: nothing of it ever changes."""
    results = ask(_with(dialect, GOING), _listed(ids))
    runs = ask(_with(dialect, RUNS), _listed(sorted({row[2] for row in results if row[2] is not None})))
    said = {number: orjson.loads(data) if data else {} for number, _rank, _run, data, _groups in results}
    of_runs = {number: orjson.loads(data) for number, _rank, data in runs}
    numbers = _pairs(ask, dialect, [*said.values(), *of_runs.values()])
    uuids = {number: orjson.loads(groups) if groups else [] for number, *_row, groups in results}
    groups = dict(
        ask(
            GROUPS.format(uuids=dialect.texts("uuids")),
            {"uuids": orjson.dumps(sorted({uuid for its in uuids.values() for uuid in its})).decode()},
        )
    )
    ranks = {row[0]: row[1] for row in results}
    return Going(
        ids=list(ranks),
        runs=list(of_runs),
        groups=sorted({(groups[uuid], ranks[n], n) for n, its in uuids.items() for uuid in its}),
        pairs=sorted({(pair, ranks[n], n) for n, data in said.items() for pair in numbers(data)}),
        of_runs={n: sorted({(pair, rank, n) for pair in numbers(of_runs[n])}) for n, rank, _data in runs},
    )


def take_out(ask: Ask, dialect: Dialect, going: Going) -> None:
    """Take results out inside the open transaction; _pruned has a row of each already."""
    rows = dialect.triples("rows")
    if going.groups:
        for statement in OUT_OF_GROUPS:
            ask(statement.format(rows=rows), {"rows": json.dumps(going.groups)})
    if going.pairs:
        ask(OUT_OF_PAIRS.format(rows=rows), {"rows": json.dumps(going.pairs)})
    for statement in LEAVE:
        ask(_with(dialect, statement), _listed(going.ids))
    empty = [number for (number,) in ask(_with(dialect, EMPTY_RUNS), _listed(going.runs))]
    if empty:
        pairs = [row for number in empty for row in going.of_runs[number]]
        ask(OUT_OF_RUN_PAIRS.format(rows=rows), {"rows": json.dumps(pairs)})
        ask(_with(dialect, DELETE_RUNS), _listed(empty))


def _pairs(
    ask: Ask, dialect: Dialect, said: Iterable[Mapping[str, Sequence[str]]]
) -> Callable[[Mapping[str, Sequence[str]]], set[int]]:
    """Look pairs up, one statement a key; return what gives the ids of those that attributes have."""
    values: dict[str, set[str]] = defaultdict(set)
    for data in said:
        for key, its in data.items():
            values[key].update(its)
    found: dict[tuple[str, str], int] = {}
    for key, wanted in values.items():
        asked: dict[str, Any] = {"key": key, "values": orjson.dumps(sorted(wanted)).decode()}
        found |= {(key, value): number for value, number in ask(dialect.pairs, asked)}
    return lambda data: {found[key, value] for key, its in data.items() for value in its}


def _with(dialect: Dialect, statement: str) -> str:
    return statement.format(ids=dialect.numbers("ids"))


def _listed(ids: Iterable[int]) -> dict[str, object]:
    return {"ids": json.dumps(list(ids))}
