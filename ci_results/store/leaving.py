"""Choose which results may leave a store: those that are old enough, and that nothing needs any more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from ..domain.pruning import Criteria, Kept
from ..query.dialect import Dialect
from ..query.facts import names_condition
from ..query.moment import SEQ
from .identity import to_text, to_us
from .outgoing import Ask

STEP = 1_000
"""Results that are looked at together."""

NEWEST = """
case when p.old is null and not exists (
    select 1 from _result n
    where n.item = r.item and n.testcase = r.testcase and n.variant = r.variant
      and (n.rank, n.id) > (r.rank, r.id) and not exists (select 1 from _superseded q where q.old = n.id)
) then 1 else 0 end
"""
"""Whether the view latest_result has it."""

LOOKED_AT = f"""
select r.id, r.seq, r.time, r.run, s.name, i.name, i.nvr, r.data, p.new, g.signature, {NEWEST}
from {{from_}}
left join _source s on s.id = r.source
left join _item i on i.id = r.item
left join _superseded p on p.old = r.id
left join _signature g on g.result = r.id
"""  # noqa: S608 (a text of ours)

OLD = """
where r.time < :before and r.time >= :time and (r.time, r.id) > (:time, :id) {more}
order by r.time, r.id limit :limit
"""

RUNS = "select u.id, u.data from {ids} j join _run u on u.id = j.value"
CORRECTED = "select p.old, p.new from {ids} j join _superseded p on p.new = j.value"

# `cross join` holds SQLite to that order: it looks up each value.
SUBJECTS = """
select 'shipped', v.value from {values} v cross join _decision d
where d.subject = v.value and d.verdict = 'go'
union select 'waived', v.value from {values} v cross join _waiver_event e
where e.subject = v.value and e.waiver = e.id
union select 'expected', v.value from {values} v cross join _expectation x where x.subject = v.value
"""

PROOFS = "select d.id, d.proof from _decision d where d.id > :after order by d.id limit :limit"
SIGNATURES = "select e.signatures from _waiver_event e where e.signatures is not null"
POSITIONS = """
select d.sink, d.seq, d.result from _delivery d union all select null, f.seq, f.result from _follower f
"""
PARKED = "select result from _parked"
REMEMBERED = 200_000
"""Values of attributes of which it is remembered whether a decision, a waiver or an event names them."""


class Old(NamedTuple):
    """A result that is old enough. `time` is its text in the store; `newest`: latest_result has it."""

    id: int
    seq: int
    time: str
    run: int | None
    source: str
    item: str
    nvr: str | None
    data: str | None
    superseded_by: int | None
    signature: str | None
    newest: int


class Chosen(NamedTuple):
    """What became of results that were looked at; `later` took the place of some that are still there."""

    leaving: list[Old]
    kept: Counter[Kept]
    later: list[Old]


class Choice:
    """Looks at results, as the store stood at commit `seen` or later; `refresh` brings that up to now.

    gone  ids of superseded results that have left, or would
    """

    def __init__(self, ask: Ask, dialect: Dialect, criteria: Criteria) -> None:
        self._ask, self._dialect, self._criteria = ask, dialect, criteria
        self.gone: set[int] = set()
        self._evidence: set[int] = set()
        self._decided = 0
        self._more, self._values = self._condition()
        self.refresh()

    def refresh(self) -> None:
        """Learn which decisions, waivers and events there are now, and where sinks stand."""
        self.seen = int(self._ask(SEQ, {})[0][0])
        self._named: dict[str, frozenset[str]] = {}
        self._signatures = {each for (text,) in self._ask(SIGNATURES, {}) for each in orjson.loads(text)}
        self._parked = {number for (number,) in self._ask(PARKED, {})}
        sinks = self._criteria.sinks
        self._sent = [
            (seq, result)
            for sink, seq, result in self._ask(POSITIONS, {})
            if sink is None or sinks is None or sink in sinks
        ]
        while rows := self._ask(PROOFS, {"after": self._decided, "limit": STEP}):
            self._decided = rows[-1][0]
            for _id, proof in rows:
                self._evidence.update(weighed(orjson.loads(proof)))

    def old(self) -> Iterator[list[Old]]:
        """Yield results that are old enough, by time, some at once."""
        before = to_text(to_us(self._criteria.before))
        sql = LOOKED_AT.format(from_="_result r") + OLD.format(more=self._more)
        time, number = "", 0
        while True:
            values = {"before": before, "time": time, "id": number, "limit": STEP, **self._values}
            found = [Old(*row) for row in self._ask(sql, values)]
            if not found:
                return
            time, number = found[-1].time, found[-1].id
            yield found

    def these(self, ids: Iterable[int]) -> list[Old]:
        """Return those of these results that are still there, by time."""
        sql = LOOKED_AT.format(from_=f"{self._dialect.numbers('ids')} j join _result r on r.id = j.value")
        found = self._ask(f"{sql} order by r.time, r.id", {"ids": json.dumps(list(ids))})
        return [Old(*row) for row in found]

    def look(self, results: Sequence[Old]) -> Chosen:
        """Say which of these may leave."""
        kept: Counter[Kept] = Counter()
        free: dict[int, Old] = {}
        for one, names in zip(results, self._names(results), strict=True):
            reason = self._reason(one, names)
            if reason is None:
                free[one.id] = one
            else:
                kept[reason] += 1
        later = self._corrections(free)
        return Chosen(list(free.values()), kept, later)

    def _condition(self) -> tuple[str, dict[str, object]]:
        """Return what else the criteria ask of a result, as SQL and its parameters.

        The plus holds both databases to the walk by time: by testcase they would sort all for each step.
        """
        asked, values, more = self._criteria, dict[str, object](), ""
        if asked.source is not None:
            more += " and r.source in (select id from _source where name = :source)"
            values["source"] = asked.source
        if asked.testcase is not None:
            where = names_condition("name", (), (asked.testcase,), self._dialect, values)
            found = self._ask(f"select id from _testcase{where}", values)  # noqa: S608 (of ours)
            values = {name: value for name, value in values.items() if name == "source"}
            values["testcases"] = json.dumps([number for (number,) in found])
            more += f" and {self._dialect.among('+r.testcase', 'testcases')}"
        return more, values

    def _reason(self, one: Old, names: Iterable[str]) -> Kept | None:
        """Return why a result stays, None where nothing but a correction may hold it."""
        if one.id in self._evidence:
            return Kept.EVIDENCE
        said = {each for name in names for each in self._named.get(name, ())}
        if Kept.SHIPPED in said:
            return Kept.SHIPPED
        if Kept.WAIVED in said or one.signature in self._signatures:
            return Kept.WAIVED
        if one.id in self._parked or any((one.seq, one.id) > sent for sent in self._sent):
            return Kept.WAITING
        if one.newest and Kept.EXPECTED in said:
            return Kept.EXPECTED
        return Kept.NEWEST if one.newest and not self._criteria.all_states else None

    def _names(self, results: Sequence[Old]) -> list[set[str]]:
        """Return what each result could be asked for by: its item, its NVR, the values of its attributes."""
        runs = self._ask(
            RUNS.format(ids=self._dialect.numbers("ids")),
            {"ids": json.dumps(sorted({one.run for one in results if one.run is not None}))},
        )
        shared = {number: set(values_of(data)) for number, data in runs}
        found = [
            {one.item, *((one.nvr and [one.nvr]) or ()), *values_of(one.data), *shared.get(one.run or 0, ())}
            for one in results
        ]
        if len(self._named) > REMEMBERED:
            self._named.clear()
        unknown = {name for names in found for name in names} - self._named.keys()
        if unknown:
            told: dict[str, set[str]] = {name: set() for name in unknown}
            sql = SUBJECTS.format(values=self._dialect.texts("values"))
            for what, name in self._ask(sql, {"values": orjson.dumps(sorted(unknown)).decode()}):
                told[name].add(what)
            self._named |= {name: frozenset(said) for name, said in told.items()}
        return found

    def _corrections(self, free: dict[int, Old]) -> list[Old]:
        """Take out of `free`, and return, what took the place of a result that does not leave with it."""
        ids = json.dumps(list(free))
        pairs = self._ask(CORRECTED.format(ids=self._dialect.numbers("ids")), {"ids": ids}) if free else []
        later = []
        moved = True
        while moved:
            moved = False
            for old, new in pairs:
                if new in free and old not in free and old not in self.gone:
                    later.append(free.pop(new))
                    moved = True
        return later


def weighed(proof: Any) -> Iterator[int]:
    """Yield the ids of the results that a proof names, wherever in it."""
    if isinstance(proof, Mapping):
        for name, value in proof.items():
            if name == "result" and isinstance(value, Mapping) and isinstance(value.get("id"), int):
                yield value["id"]
            else:
                yield from weighed(value)
    elif isinstance(proof, list):
        for value in proof:
            yield from weighed(value)


def values_of(data: str | None) -> Iterator[str]:
    """Yield the values of attributes as a store keeps them."""
    if data:
        for values in orjson.loads(data).values():
            yield from values
