"""Pruning: the one way in which results leave a store, a page a transaction; both stores share it.

A page that is committed has left whole, with its row in _prune and in the outbox; one that is not never
began. A prune that was broken off is begun again: it finds what is left.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

import orjson

from ..domain.pruning import Criteria, Kept, Leaving, Order, PrunePage
from ..domain.result import Result
from ..query.dialect import Dialect
from .dump import content_line, dump_of
from .identity import from_us, hash_of_key, identities, identity_base, to_us
from .leaving import NEWEST, STEP, Choice, Old
from .outgoing import Ask
from .pruned import KIND, NEXT, PRUNE, TOMBSTONES, read_going, take_out
from .sidenotes import storable
from .waivers import COMMIT, PUBLISH

OVERTAKEN = """
select 1 from _outbox where seq > :seen and kind in ('waiver', 'decision', 'event') limit 1
"""

STAND = f"""
select r.id, p.new, {NEWEST} from {{ids}} j
join _result r on r.id = j.value left join _superseded p on p.old = r.id
"""  # noqa: S608 (a text of ours)
REPLACED = "select p.old, p.new from {ids} j join _superseded p on p.new = j.value"

RESULTS = "select count(*) from _result"

PRUNES = """
select p.id, p.seq, p.time, p.begun, p.username, p.comment, p.criteria, p.results, p.first, p.last, p.digest
from _prune p
"""
LEFT = "select 1 from _pruned where identity = :identity and key = :key limit 1"
OF_RESULT = f"{PRUNES} where p.id = (select x.prune from _pruned x where x.result = :result)"  # noqa: S608

EMPTY_BYTES = 1_500_000
"""Of a store without results: pages of its tables and indexes."""

Take = Callable[[Choice, Sequence[Old]], "set[int] | None"]
"""Lets results go; returns which of them did, None where others have to be looked at anew first."""


class Pruning:
    """What a store does to let results go.

    ask     reads with one statement
    change  runs an operation in a transaction in which no other commit takes a seq
    most    results that leave in one transaction
    size    SQL: how many bytes the store uses
    count   brings the roll-ups up to now, where they are counted after the commits

    Raises StoreError where the store cannot take or give data now: what left by then has left whole.
    """

    def __init__(
        self,
        ask: Ask,
        change: Callable[[Callable[[Ask], Any]], Any],
        dialect: Dialect,
        *,
        most: int,
        size: str,
        count: Callable[[], None] = lambda: None,
    ) -> None:
        self._ask, self._change, self._dialect = ask, change, dialect
        self._most, self._size, self._count = most, size, count

    def foresee(self, criteria: Criteria) -> Iterator[Leaving]:
        """Yield what `prune` would do, step by step, and do nothing."""
        return self._each(criteria, lambda choice, leaving: {one.id for one in leaving})

    def prune(self, criteria: Criteria, order: Order) -> Iterator[Leaving]:
        """Let results go; yields after each step what came of it. Whoever stops asking ends it."""

        def take(choice: Choice, leaving: Sequence[Old]) -> set[int] | None:
            return self._take(criteria, order, choice, leaving)

        return self._each(criteria, take)

    def bytes_each(self) -> float:
        """Return about how many bytes the store uses for a result, all in all."""
        used, results = self._ask(self._size, {})[0][0], self._ask(RESULTS, {})[0][0]
        return max(0.0, float(used) - EMPTY_BYTES) / max(1, int(results))

    def pages(self, *, limit: int = 100) -> list[PrunePage]:
        """Return pages of prunes, the newest first."""
        return list(map(_page, self._ask(f"{PRUNES} order by p.id desc limit :limit", {"limit": limit})))

    def page_of(self, result: int) -> PrunePage | None:
        """Return the page in which a result left, None where it did not."""
        found = self._ask(OF_RESULT, {"result": result})
        return _page(found[0]) if found else None

    def left(self, result: Result) -> bool:
        """Say whether a result of the same source, run and key left, whatever it said."""
        base = identity_base(result.source, result.key if result.run is None else result.run.key)
        asked: dict[str, object] = {
            "identity": identities([base], [result.key])[0],
            "key": hash_of_key(result.key),
        }
        return bool(self._ask(LEFT, asked))

    # -- step by step ------------------------------------------------------------------------------

    def _each(self, criteria: Criteria, take: Take) -> Iterator[Leaving]:
        choice = Choice(self._ask, self._dialect, criteria)
        later: list[Old] = []
        for rows in choice.old():
            yield self._step(choice, rows, take, later)
        while later:  # what they took the place of may have left by now
            again, later = later, []
            for start in range(0, len(again), STEP):
                rows = choice.these(one.id for one in again[start : start + STEP])
                yield self._step(choice, rows, take, later)
            if len(later) >= len(again):
                yield Leaving(kept=Counter({Kept.CORRECTION: len(later)}))
                return

    def _step(self, choice: Choice, rows: Sequence[Old], take: Take, later: list[Old]) -> Leaving:
        """Let those of these results go that may."""
        done = Leaving()
        chosen = choice.look(rows)
        later += chosen.later
        done.kept += chosen.kept
        waiting = iter(chosen.leaving)
        while part := list(islice(waiting, self._most)):
            while (gone := take(choice, part)) is None:
                choice.refresh()
                anew = choice.look(choice.these(one.id for one in part))
                later += anew.later
                done.kept += anew.kept
                part = anew.leaving
            done.pages += bool(gone)
            later += [one for one in part if one.id not in gone]
            left = [one for one in part if one.id in gone]
            choice.gone.update(one.id for one in left if one.superseded_by is not None)
            done.leaving += Counter((one.source, one.time[:7]) for one in left)
        return done

    def _take(
        self, criteria: Criteria, order: Order, choice: Choice, leaving: Sequence[Old]
    ) -> set[int] | None:
        """Let results go in one transaction, which looks once more at what may have changed meanwhile."""
        by_id = {one.id: one for one in leaving}
        if not by_id:
            return set()
        ids = self._dialect.numbers("ids")
        lines = dict(map(content_line, self._ask(dump_of(ids), _listed(by_id))))
        going = read_going(self._ask, self._dialect, by_id)
        self._count()

        def enter(ask: Ask) -> set[int] | None:
            if ask(OVERTAKEN, {"seen": choice.seen}):
                return None
            gone = self._still(ask, by_id)
            if gone:
                left = going if len(gone) == len(by_id) else read_going(ask, self._dialect, sorted(gone))
                self._enter(ask, criteria, order, sorted(gone), [lines[number] for number in gone])
                take_out(ask, self._dialect, left)
            return gone

        entered: set[int] | None = self._change(enter)
        return entered

    def _still(self, ask: Ask, by_id: dict[int, Old]) -> set[int]:
        """Return those results that stand as they did, and took no place of one that is there."""
        ids = self._dialect.numbers("ids")
        gone = {
            number
            for number, new, newest in ask(STAND.format(ids=ids), _listed(by_id))
            if new == by_id[number].superseded_by and newest <= by_id[number].newest
        }
        pairs = ask(REPLACED.format(ids=ids), _listed(gone))
        while held := {new for old, new in pairs if new in gone and old not in gone}:
            gone -= held
        return gone

    def _enter(
        self, ask: Ask, criteria: Criteria, order: Order, gone: Sequence[int], lines: Iterable[str]
    ) -> None:
        """Write down that results leave, inside the open transaction."""
        now = time.time_ns() // 1000
        seq = ask(COMMIT, {"now": now, "door": KIND})[0][0]
        number = ask(NEXT, {})[0][0]
        row = {
            "id": number, "seq": seq, "begun": to_us(order.begun), "time": now,
            "username": storable(order.username), "comment": storable(order.comment),
            "criteria": orjson.dumps(criteria.told()).decode(), "results": len(gone),
            "first": gone[0], "last": gone[-1], "digest": digest_of(lines),
        }  # fmt: skip
        ask(PRUNE, row)
        tombstones = TOMBSTONES.format(ids=self._dialect.numbers("ids"))
        ask(tombstones, {**_listed(gone), "prune": number})
        ask(PUBLISH, {"seq": seq, "kind": KIND})


def digest_of(lines: Iterable[str]) -> str:
    """Return the digest of what left: of its lines of the portable dump without `current`, sorted."""
    return sha256("".join(f"{line}\n" for line in sorted(lines)).encode()).hexdigest()


def _page(row: Sequence[Any]) -> PrunePage:
    number, seq, at, begun, username, comment, criteria, results, first, last, digest = row
    return PrunePage(
        id=number, seq=seq, time=from_us(at), begun=from_us(begun), username=username, comment=comment,
        criteria=orjson.loads(criteria), results=results, first=first, last=last, digest=digest,
    )  # fmt: skip


def _listed(ids: Iterable[int]) -> dict[str, object]:
    return {"ids": json.dumps(list(ids))}
