"""Restoring: how a store takes back what a feed says; both stores share it.

A store that is made anew of a feed is marked, with the seq up to which it may have been: where somebody
else has stored something beyond, no ids and seqs of a feed fit in any more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..domain.happening import PRUNE
from ..domain.page import Committed, Page
from ..errors import InvalidError, StoreError
from ..query.dialect import Dialect
from .identity import record_digest
from .outgoing import Ask
from .restored import SOURCE, SOURCE_ID, put_back
from .restored_prune import take_out_again
from .sidenotes import storable

SOURCE_NAME = DOOR = "replay"
KIND = "feed"
"""Of the records that are lines of a feed which could not be read."""

MARK = "replayed"
STATE = """
select (select value from _meta where key = :mark), (select coalesce(max(seq), 0) from _commit),
    exists (select 1 from _source) or exists (select 1 from _commit) or exists (select 1 from _message)
"""

SET_MARK = """
insert into _meta (key, value) values (:mark, :value)
on conflict (key) do update set value = excluded.value
"""

THERE = """
select r.id from {ids} j join _result r on r.id = j.value
union all select p.result from {ids} j join _pruned p on p.result = j.value
"""

DAMAGED = """
insert into _quarantine (id, seq, source, door, kind, key, position, reason, raw, digest, received_at, told)
values ((select coalesce(max(id), 0) + 1 from _quarantine), 0, :source, :door, :kind, null, :position,
    :reason, :raw, :digest, :now, null)
on conflict (source, digest) do update set seen = _quarantine.seen + 1, reason = excluded.reason
"""


class Fact(NamedTuple):
    """One fact beside results; see wire.feed_reading.Line."""

    event: str
    said: Mapping[str, Any]
    told: Mapping[str, Any]


class Damaged(NamedTuple):
    """A line of a feed that could not be read; `position` is "feed.jsonl:17"."""

    position: str
    reason: str
    raw: bytes


class Restoring:
    """What a store does to be made anew of a feed.

    ask     reads with one statement
    change  runs an operation in a transaction in which no other commit takes a seq
    commit  stores a page
    count   the roll-ups are kept as facts come; False = they are counted in the end

    Raises StoreError where the store cannot take or give data now.
    """

    def __init__(
        self,
        ask: Ask,
        change: Callable[[Callable[[Ask], Any]], Any],
        commit: Callable[[Page], Committed],
        dialect: Dialect,
        *,
        count: bool = True,
    ) -> None:
        self._ask, self._change, self._commit = ask, change, commit
        self._dialect, self._count, self._took_out = dialect, count, False
        self._there = THERE.format(ids=dialect.numbers("ids"))

    def begin(self) -> bool:
        """Say whether this store is empty, or has been made of feeds alone so far: then ids are kept."""

        def look(ask: Ask) -> bool:
            mark, newest, used = _state(ask)
            if mark is None and not used:
                ask(SET_MARK, {"mark": MARK, "value": "0"})
                return True
            return mark is not None and newest <= mark

        fits: bool = self._change(look)
        return fits

    def reserve(self, seq: int) -> None:
        """Let nothing but the feed have commits up to `seq`. Raises StoreError where somebody had some."""

        def mark(ask: Ask) -> None:
            marked, newest, _used = _state(ask)
            if marked is None or newest > marked:
                raise StoreError("somebody stores results here: stop them until the replay is through")
            if seq > marked:
                ask(SET_MARK, {"mark": MARK, "value": str(seq)})

        self._change(mark)

    def known(self, ids: Sequence[int]) -> frozenset[int]:
        """Return those of these ids that results have, or had that were pruned."""
        return frozenset(number for (number,) in self._ask(self._there, {"ids": json.dumps(list(ids))}))

    def results(self, page: Page) -> Committed:
        """Store results as another store noted them. Raises InvalidError."""
        return self._commit(page)

    def facts(self, facts: Sequence[Fact]) -> list[bool | str]:
        """Put facts back in one transaction; say of each whether it is new, or why it cannot be true."""

        def enter(ask: Ask) -> list[bool | str]:
            answers: list[bool | str] = []
            for fact in facts:
                try:
                    answers.append(self._put_back(ask, fact))
                except InvalidError as err:
                    answers.append(str(err))
            return answers

        entered: list[bool | str] = self._change(enter)
        return entered

    def _put_back(self, ask: Ask, fact: Fact) -> bool:
        if fact.event != PRUNE:
            return put_back(ask, *fact)
        self._took_out = True
        return take_out_again(ask, self._dialect, fact.said, count=self._count)

    def damaged(self, lines: Sequence[Damaged]) -> None:
        """Put lines into the quarantine, beside the order of commits."""

        def enter(ask: Ask) -> None:
            ask(SOURCE, {"name": SOURCE_NAME})
            source = ask(SOURCE_ID, {"name": SOURCE_NAME})[0][0]
            for line in lines:
                position = storable(line.position)
                values = {
                    "source": source, "door": DOOR, "kind": KIND, "position": position,
                    "reason": storable(line.reason), "raw": line.raw, "now": time.time_ns() // 1000,
                    "digest": record_digest(KIND, position, line.raw),
                }  # fmt: skip
                ask(DAMAGED, values)

        if lines:
            self._change(enter)

    def finish(self) -> None:
        """Bring in order what a store counts beside its facts."""


def _state(ask: Ask) -> tuple[int | None, int, bool]:
    """Return the mark, None where there is none; the newest seq; whether anything was ever stored."""
    mark, newest, used = ask(STATE, {"mark": MARK})[0]
    return None if mark is None else int(mark), int(newest), bool(used)
