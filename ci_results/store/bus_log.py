"""Messages of buses in a store: each kept once, whichever bus brings it; both stores share it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from ..domain.bus_message import BusMessage, ListenerState, StoredMessage
from ..domain.page import Page
from ..query.dialect import Dialect
from .identity import from_us
from .outgoing import Ask
from .remapped import PACKED_MOST, ReadBefore, read_before

Many = Callable[[str, Sequence[Mapping[str, object]]], None]
"""Runs one statement with named parameters for each of several sets of values."""

NEXT = "select coalesce(max(id), 0) + 1 from _message"

MESSAGE = """
insert into _message (id, seq, source, key, topic, mapping, received_at, digest, size, raw, told)
values (:id, :seq, :source, :key, :topic, :mapping, :now, :digest, :size, :raw, :told)
"""

REMAP = "update _message set mapping = :mapping where id = :id"

VIA = """
insert into _message_via (message, transport, received_at) values (:id, :transport, :now)
on conflict do nothing
"""

OF_RESULT = """
insert into _result_message (result, message, mapping)
select cast(:result as bigint), cast(:id as bigint), :mapping
where not exists (select 1 from _pruned p where p.result = cast(:result as bigint))
on conflict do nothing
"""

STORED = """
select m.id, m.key, m.topic, m.mapping, m.received_at, m.digest, m.size, m.raw, m.told
from _message m join _source s on s.id = m.source
"""

NOTE = """
insert into _listener (name, told, told_at) values (:name, :told, :now)
on conflict (name) do update set told = excluded.told, told_at = excluded.told_at
"""

GONE = """
delete from _listener
where (name = :bus or substr(name, 1, length(:beginning)) = :beginning)
    and name <> :name and told_at < :before
"""
GONE_AFTER_US = 3_600_000_000
_BETWEEN = "\x1f"
"""Stands between the names of a bus and of one of those who listen to it."""


def known_messages(ask: Ask, dialect: Dialect, source: int, keys: Sequence[str]) -> dict[str, int]:
    """Return the numbers of those messages of a source that are stored, by their keys."""
    found = ask(
        # `cross join` holds SQLite to that order; it would walk all messages of the source, page by page.
        f"select m.key, m.id from {dialect.texts('keys')} k cross join _message m"
        " where m.source = :source and m.key = k.value",
        {"keys": orjson.dumps(list(keys)).decode(), "source": source},
    )
    return dict(found)


def only_new(page: Page, known: Collection[str]) -> Page:
    """Return a page without the messages that are known, or come twice in it, and without what they say."""
    if not page.messages:
        return page
    results, quarantine = iter(page.results), iter(page.quarantine)
    kept: list[BusMessage] = []
    kept_results: list[Any] = []
    kept_bad: list[Any] = []
    seen = set(known)
    for each in page.messages:
        its, bad = list(islice(results, each.results)), list(islice(quarantine, each.garbled))
        if each.key not in seen or each.again:
            seen.add(each.key)
            kept.append(each)
            kept_results += its
            kept_bad += bad
    return replace(page, messages=kept, results=kept_results, quarantine=kept_bad)


def brings_new(page: Page, known: Collection[str]) -> bool:
    """Say whether a page has a message that is not known: a commit is its own, whatever it says."""
    return any(each.key not in known for each in page.messages)


def enter_messages(
    ask: Ask, many: Many, messages: Sequence[BusMessage], new: Page, known: Mapping[str, int], *,
    source: int, seq: int, now: int, results: Sequence[int],
) -> None:  # fmt: skip
    """Write the messages of a page inside its transaction, and which bus brought each of `messages`.

    new      what `only_new` left of the page; known: messages that were there before
    results  ids of the results of `new`, in order
    """
    numbers, first, at = dict(known), int(ask(NEXT, {})[0][0]), 0
    rows: list[Mapping[str, object]] = []
    remapped: list[Mapping[str, object]] = []
    links: list[Mapping[str, object]] = []
    for number, each in enumerate(new.messages, start=first):
        number = numbers.setdefault(each.key, number)  # that of one that is read again
        (remapped if each.key in known else rows).append({
            "id": number, "seq": seq, "source": source, "key": each.key, "topic": each.topic,
            "mapping": each.mapping, "now": now, "digest": each.digest, "size": each.size, "raw": each.raw,
            "told": each.told,
        })  # fmt: skip
        its = results[at : at + each.results]
        links += [{"result": result, "id": number, "mapping": each.mapping} for result in its]
        at += each.results
    brought = [{"id": numbers[each.key], "transport": each.transport, "now": now} for each in messages]
    for statement, values in ((MESSAGE, rows), (REMAP, remapped), (VIA, brought), (OF_RESULT, links)):
        if values:
            many(statement, values)


class BusLog:
    """What a store knows of messages, and of those who listen.

    ask     reads with one statement
    change  runs an operation in a transaction
    """

    def __init__(self, ask: Ask, change: Callable[[Callable[[Ask], Any]], Any], dialect: Dialect) -> None:
        self._ask, self._change, self._dialect = ask, change, dialect

    def of_result(self, result: int) -> list[StoredMessage]:
        """Return the messages that a result came by, the first one first; without their bytes."""
        where = "where m.id in (select message from _result_message where result = :result) order by m.id"
        return [self._message(row) for row in self._ask(f"{STORED} {where}", {"result": result})]

    def message(self, source: str, key: str) -> StoredMessage | None:
        """Return a message with its bytes, None where it is not stored."""
        found = self._ask(f"{STORED} where s.name = :source and m.key = :key", {"source": source, "key": key})
        return self._message(found[0], raw=True) if found else None

    def read_before(self, name: str, version: int, since: datetime) -> Iterator[ReadBefore]:
        """Yield messages that an older version of a mapping has read, in the order in which they came."""
        return read_before(self._ask, name, version, since)

    def note(self, state: ListenerState) -> None:
        """Remember how it fares who listens to a bus; forget others of that bus that are long gone."""
        said = {name: value for name, value in asdict(state).items() if name not in ("name", "told_at")}
        name = state.name + (_BETWEEN + state.listener if state.listener else "")
        values = {"name": name, "told": orjson.dumps(said).decode(), "now": time.time_ns() // 1000}
        others = {
            "bus": state.name, "beginning": state.name + _BETWEEN, "name": name,
            "before": time.time_ns() // 1000 - GONE_AFTER_US,
        }  # fmt: skip

        def note(ask: Ask) -> None:
            ask(NOTE, values)
            ask(GONE, others)

        self._change(note)

    def listeners(self) -> list[ListenerState]:
        """Return how each fares that listened of late, and who did last, by name of the bus."""
        sql = "select name, told, told_at from _listener order by name"
        return [_listener(*row) for row in self._ask(sql, {})]

    def _message(self, row: Sequence[Any], raw: bool = False) -> StoredMessage:
        number, key, topic, mapping, received_at, digest, size, packed, told = row
        via = self._ask(
            "select transport from _message_via where message = :id order by transport", {"id": number}
        )
        return StoredMessage(
            id=number, key=key, topic=topic, mapping=mapping, transports=tuple(name for (name,) in via),
            received_at=from_us(received_at), digest=digest, size=size,
            raw=zlib.decompressobj().decompress(packed, PACKED_MOST) if raw and packed else None,
            told=orjson.loads(told),
        )  # fmt: skip


def _listener(name: str, told: str, told_at: int) -> ListenerState:
    said = orjson.loads(told)
    last = said.pop("last_message", None)
    return ListenerState(
        name=name.partition(_BETWEEN)[0],
        last_message=datetime.fromisoformat(last) if last else None,
        told_at=from_us(told_at),
        **said,
    )
