"""Messages that an older version of a mapping has read, and what it made of them; both stores share it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import orjson

from .identity import from_us, to_us
from .outgoing import Ask

READ_BY = """
select m.id, s.name, m.key, m.mapping, m.received_at, m.raw, m.told,
    (select min(v.transport) from _message_via v where v.message = m.id)
from _message m join _source s on s.id = m.source
where m.received_at >= :since and m.id > :after and m.mapping like :name
    and (m.raw is not null or exists (select 1 from _result_message x where x.message = m.id))
order by m.id limit :limit
"""

MADE = """
select r.id, coalesce(u.key, ''), r.key, p.new
from _result_message x
join _result r on r.id = x.result
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
where x.message = :id
order by r.id
"""

STEP = 200
PACKED_MOST = 64 * 1024 * 1024
"""Bytes that a message unpacks to, at most."""

Identity = tuple[str, str]
"""Key of the run, "" for none, and key of a result within its source."""


class ReadBefore(NamedTuple):
    """A message, and its bytes as it came: None = more than is kept.

    via       a bus that brought it
    made      ids of the current results that it brought, by identity
    outdated  identities of which something newer told by now
    """

    id: int
    source: str
    key: str
    received_at: datetime
    raw: bytes | None
    told: dict[str, str]
    via: str
    made: dict[Identity, int]
    outdated: frozenset[Identity]


def read_before(ask: Ask, name: str, version: int, since: datetime) -> Iterator[ReadBefore]:
    """Yield messages that came since a time and were read by an older version of a mapping, in order."""
    after = 0
    asked = {"since": to_us(since), "name": f"{name}@%", "limit": STEP}
    while rows := ask(READ_BY, {**asked, "after": after}):
        for number, source, key, mapping, received_at, packed, told, via in rows:
            after = number
            its, _at, read = mapping.rpartition("@")
            if its != name or not read.isdigit() or int(read) >= version:
                continue
            made, outdated = _made(ask, number)
            raw = zlib.decompressobj().decompress(packed, PACKED_MOST) if packed else None
            yield ReadBefore(
                number,
                source,
                key,
                from_us(received_at),
                raw,
                orjson.loads(told),
                via or "bus",
                made,
                outdated,
            )


def _made(ask: Ask, message: int) -> tuple[dict[Identity, int], frozenset[Identity]]:
    current: dict[Identity, int] = {}
    seen = set()
    for number, run, key, new in ask(MADE, {"id": message}):
        seen.add((run, key))
        if new is None:
            current[run, key] = number
    return current, frozenset(seen - current.keys())
