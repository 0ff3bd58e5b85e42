"""Facts of the rarer kinds, as a feed tells them: rendered from rows that never change; both stores."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from ..domain.happening import CHANGE, EVENT, MESSAGE, PLAN, PRUNE, QUARANTINE
from .identity import to_text
from .outgoing import Ask

CHANGES = """
select c.id, c.kind, coalesce(g.uuid, t.name, cast(c.subject as text)), c.said
from _change c
left join _group g on c.kind = 'group' and g.id = c.subject
left join _testcase t on c.kind = 'testcase' and t.id = c.subject
where c.seq = :seq order by c.id
"""

PLANS = """
select id, name, version, item_type, item, actor, imported_at, cases from _plan where seq = :seq order by id
"""

EVENTS = """
select id, source, key, kind, time, received_at, subject_type, subject, product_versions, owner, actor, digest
from _event where seq = :seq order by id
"""

EXPECTED = """
select id, subject_type, subject, testcase, since, due, owner from _expectation
where event = :event order by id
"""

QUARANTINED = """
select q.id, s.name, q.kind, q.key, q.position, q.reason, q.told, q.raw
from _quarantine q join _source s on s.id = q.source where q.seq = :seq order by q.id
"""

MESSAGES = """
select m.id, m.seq, s.name, m.key, m.topic, m.mapping, m.received_at, m.digest, m.size, m.told, m.raw
from _message m join _source s on s.id = m.source
where m.seq = :seq or m.id in (
    select x.message from _result r join _result_message x on x.result = r.id where r.seq = :seq)
order by m.id
"""

BROUGHT = "select transport, received_at from _message_via where message = :id order by 2, 1"

LINKED = """
select x.result, x.mapping from _result r join _result_message x on x.result = r.id
where x.message = :id and (r.seq = :seq or (r.seq < :seq and :first = :seq)) order by x.result
"""
"""With the commit that brought the message goes what was stored before, and that it told of, too."""

PRUNES = """
select p.id, p.begun, p.time, p.username, p.comment, p.criteria, p.results, p.first, p.last, p.digest,
    c.last_result
from _prune p join _commit c on c.seq = p.seq where p.seq = :seq order by p.id
"""

LEFT = """
select g.result, g.identity, g.digest, g.key, s.name, t.name, o.word, g.day, g.duration, g.counted
from _pruned g
join _source s on s.id = g.source
join _testcase t on t.id = g.testcase
join _outcome o on o.id = g.outcome
where g.prune = :id order by g.result
"""

Body = dict[str, Any]


def told(ask: Ask, seq: int, kind: str) -> Iterator[Body]:
    """Yield what a commit stored of one kind, in order."""
    return _KINDS[kind](ask, seq)


def _changes(ask: Ask, seq: int) -> Iterator[Body]:
    for number, kind, name, said in ask(CHANGES, {"seq": seq}):
        yield {"id": number, "kind": kind, "name": name, "said": orjson.loads(said)}


def _plans(ask: Ask, seq: int) -> Iterator[Body]:
    for number, name, version, item_type, item, actor, imported_at, cases in ask(PLANS, {"seq": seq}):
        yield {
            "id": number, "name": name, "version": version, "type": item_type, "item": item, "actor": actor,
            "imported_at": to_text(imported_at), "cases": orjson.loads(cases),
        }  # fmt: skip


def _events(ask: Ask, seq: int) -> Iterator[Body]:
    names = (
        "id", "source", "key", "kind", "time", "received_at", "subject_type", "subject", "product_versions",
        "owner", "actor", "digest",
    )  # fmt: skip
    for row in ask(EVENTS, {"seq": seq}):
        said = dict(zip(names, row, strict=True))
        said["time"], said["received_at"] = to_text(said["time"]), to_text(said["received_at"])
        said["product_versions"] = orjson.loads(said["product_versions"])
        expected = ask(EXPECTED, {"event": said["id"]})
        yield {**said, "expected": [_expected(each) for each in expected]}


def _expected(row: Sequence[Any]) -> Body:
    number, subject_type, subject, testcase, since, due, owner = row
    return {
        "id": number, "subject_type": subject_type, "subject": subject, "testcase": testcase,
        "since": to_text(since), "due": None if due is None else to_text(due), "owner": owner,
    }  # fmt: skip


def _quarantined(ask: Ask, seq: int) -> Iterator[Body]:
    for number, source, kind, key, position, reason, said, raw in ask(QUARANTINED, {"seq": seq}):
        yield {
            "id": number, "source": source, "kind": kind, "key": key, "position": position, "reason": reason,
            "told": said, "raw": b64encode(raw).decode(),
        }  # fmt: skip


def _messages(ask: Ask, seq: int) -> Iterator[Body]:
    for row in ask(MESSAGES, {"seq": seq}):
        number, first, source, key, topic, mapping, received_at, digest, size, said, raw = row
        brought = ask(BROUGHT, {"id": number})
        linked = ask(LINKED, {"seq": seq, "id": number, "first": first})
        mapping = next((own for _result, own in linked if own), mapping)
        yield {
            "id": number, "first": first, "source": source, "key": key, "topic": topic, "mapping": mapping,
            "received_at": to_text(received_at), "digest": digest, "size": size, "told": said,
            "packed": None if raw is None else b64encode(raw).decode(),
            "via": [{"transport": name, "received_at": to_text(at)} for name, at in brought],
            "results": [result for result, _own in linked],
        }  # fmt: skip


def _prunes(ask: Ask, seq: int) -> Iterator[Body]:
    for row in ask(PRUNES, {"seq": seq}):
        number, begun, at, username, comment, criteria, results, first, last, digest, highest = row
        yield {
            "id": number, "begun": to_text(begun), "time": to_text(at), "username": username,
            "comment": comment, "criteria": orjson.loads(criteria), "results": results, "first": first,
            "last": last, "digest": digest, "highest": highest,
            "left": [_left(each) for each in ask(LEFT, {"id": number})],
        }  # fmt: skip


def _left(row: Sequence[Any]) -> Body:
    names = (
        "id", "identity", "digest", "key", "source", "testcase", "outcome", "day", "duration", "counted",
    )  # fmt: skip
    said = dict(zip(names, row, strict=True))
    said["key"], said["counted"] = bytes(said["key"]).hex(), bool(said["counted"])
    return said


_KINDS: Mapping[str, Callable[[Ask, int], Iterator[Body]]] = {
    CHANGE: _changes,
    PLAN: _plans,
    EVENT: _events,
    QUARANTINE: _quarantined,
    MESSAGE: _messages,
    PRUNE: _prunes,
}
