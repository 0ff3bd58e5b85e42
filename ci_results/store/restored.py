"""Facts of a feed put back as they were in the store that wrote it; both stores share it.

Each has the ids, the seq and the times that it had there: nothing is decided anew. What is there already
stays, so that a replay may be broken off at any moment and begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from ..domain.happening import CHANGE, DECISION, EVENT, MESSAGE, PLAN, QUARANTINE, WAIVER
from ..domain.recorded import Followed, GatingPoint, RecordedDecision
from ..domain.subject import Subject
from ..errors import InvalidError
from ..waive.chain import GENESIS, link, link_said, undescribed
from ..wire.decision_event import shape_of
from . import changes, decisions, expectations, waivers
from .identity import from_us, record_digest
from .outgoing import Ask

AGAIN = """
on conflict (seq) do update set results = _commit.results + excluded.results,
    last_result = case when excluded.last_result > _commit.last_result
        then excluded.last_result else _commit.last_result end
"""
"""More results of a commit of which there are some already."""

COMMIT = """
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
values (:seq, :received_at, cast(:source as bigint), :door, coalesce(
    (select c.last_result from _commit c where c.seq < :seq order by c.seq desc limit 1), 0), 0, 0)
on conflict (seq) do nothing
"""

PUBLISH = "insert into _outbox (seq, kind) values (:seq, :kind) on conflict do nothing"

SOURCE = "insert into _source (name) values (:name) on conflict do nothing"
SOURCE_ID = "select id from _source where name = :name"
HASH = "select hash from _waiver_event where id = :id"
SAID = f"{waivers.EVENTS} where e.id = :id"
MOVE_HEAD = "update _waiver_head set id = :id, hash = :hash where one = 1 and id < :id"

DECIDED = decisions.RECORD.replace("_decision (", "_decision (id, ").replace("values (", "values (:id, ")
KNOWN_DECISION = "select id from _decision where id = :id or (gate = :gate and number = :number)"
FOLLOWED = f"{decisions.FOLLOW} where excluded.number > _followed.number"

PLANNED = """
insert into _plan (id, name, version, seq, item_type, item, actor, imported_at, cases)
values (:id, :name, :version, :seq, :item_type, :item, :actor, :imported_at, :cases)
"""
KNOWN_PLAN = "select id from _plan where id = :id or (name = :name and version = :version)"

HAPPENED = """
insert into _event (id, seq, source, key, kind, time, received_at, subject_type, subject, product_versions,
    owner, actor, digest)
values (:id, :seq, :source, :key, :kind, :time, :received_at, :subject_type, :subject, :product_versions,
    :owner, :actor, :digest)
"""
EXPECT = expectations.EXPECT.replace("(event,", "(id, event,").replace("(:event,", "(:id, :event,")

NAMED = {
    changes.GROUP: (
        "insert into _group (uuid) values (:name) on conflict do nothing",
        "select id from _group where uuid = :name",
        "update _group set description = :description, ref_url = :ref_url where id = :id",
    ),
    changes.TESTCASE: (
        "insert into _testcase (name) values (:name) on conflict do nothing",
        "select id from _testcase where name = :name",
        "update _testcase set ref_url = :ref_url where id = :id",
    ),
}
RESOLVED = """
update _quarantine set resolution = :resolution, resolved_at = cast(:resolved_at as bigint),
    reason = coalesce(:reason, reason)
where id = :id
"""
LATER = "select 1 from _change where kind = :kind and subject = :subject and id > :id limit 1"

QUARANTINED = """
insert into _quarantine (id, seq, source, door, kind, key, position, reason, raw, digest, received_at, told)
values (:id, :seq, :source, :door, :kind, :key, :position, :reason, :raw, :digest, :received_at, :told)
on conflict do nothing returning id
"""
COUNT = "update _commit set quarantined = quarantined + 1 where seq = :seq"

MESSAGE_ROW = """
insert into _message (id, seq, source, key, topic, mapping, received_at, digest, size, raw, told)
values (:id, :seq, :source, :key, :topic, :mapping, :received_at, :digest, :size, {raw}, :told)
on conflict do nothing returning id
"""
MAPPED = """
update _message set mapping = :mapping
where id = :id and mapping <> :mapping and not exists (
    select 1 from _result_message x join _result r on r.id = x.result
    where x.message = :id and r.seq > :seq)
returning id
"""
"""Not where a later commit has read it anew already."""

VIA = (
    "insert into _message_via (message, transport, received_at) values (:id, :transport, :at)"
    " on conflict do nothing returning message"
)
LINK = (
    "insert into _result_message (result, message, mapping) select :result, :id, :mapping"
    " where not exists (select 1 from _pruned p where p.result = :result)"
    " on conflict do nothing returning result"
)


def put_back(ask: Ask, event: str, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Put one fact back; say whether it was not there. `said`, `told`: see wire.feed_reading.Line.

    Raises InvalidError for what cannot be true beside what is stored.
    """
    return _KINDS[event](ask, said, told)


def commit(ask: Ask, kind: str, said: Mapping[str, Any], source: int | None = None) -> None:
    """Write down the commit of a fact, and that it is told."""
    seq = said["seq"]
    at, door = said["stored_received_at"], said["stored_door"]
    ask(COMMIT, {"seq": seq, "received_at": at, "source": source, "door": door})
    ask(PUBLISH, {"seq": seq, "kind": kind})


def _source(ask: Ask, name: str) -> int:
    ask(SOURCE, {"name": name})
    return int(ask(SOURCE_ID, {"name": name})[0][0])


def _waiver(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    number, hashed = said["id"], said["hash"]
    known = ask(HASH, {"id": number})
    if known:
        if known[0][0] != hashed:
            raise InvalidError(f"another waiver event {number} is stored")
        return False
    words = {name: value for name, value in told.items() if name not in ("event", "n", "hash", "stored")}
    try:
        event = undescribed(words, hashed)
    except (KeyError, TypeError, ValueError) as err:
        raise InvalidError(f"is no step of a waiver: {err}") from err
    before = GENESIS if number == 1 else _first(ask(HASH, {"id": number - 1}))
    if before is not None and not hashed == link(before, event) == link_said(before, words):
        raise InvalidError(f"waiver event {number} was altered: its hash is not that of what it says")
    for row in ask(SAID, {"id": number + 1}):
        after = waivers.event_of(row)
        if link(hashed, after) != after.hash:
            raise InvalidError(f"waiver event {number} is not the one before event {number + 1}")
    commit(ask, waivers.KIND, said)
    ask(waivers.INSERT, waivers.row_of(event))
    ask(MOVE_HEAD, {"id": number, "hash": hashed})
    return True


def _decision(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    subject = Subject(said["subject_type"], said["subject_identifier"])
    point = GatingPoint(subject, said["product_version"], said["decision_context"])
    one = RecordedDecision(
        point=point, number=said["number"], verdict=said["verdict"], old_verdict=said["old_verdict"],
        satisfied=bool(said["stored_satisfied"]), summary=said["stored_summary"], at=from_us(said["time"]),
        as_of=said["as_of"], cause=said["cause"], digest=said["policies_digest"],
        answer=said["stored_answer"], proof=said["stored_proof"],
    )  # fmt: skip
    if ask(KNOWN_DECISION, {"id": said["id"], "gate": point.key, "number": one.number}):
        return False
    try:
        shape = shape_of(one.verdict, one.answer)
    except (KeyError, TypeError, AttributeError) as err:
        raise InvalidError(f"is no decision as peers are told it: {err}") from err
    commit(ask, decisions.KIND, said)
    ask(DECIDED, {**decisions.row_of(one, said["seq"]), "id": said["id"]})
    ask(FOLLOWED, decisions.followed_row(Followed(point, one.number, one.verdict, shape, one.digest)))
    return True


def _plan(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    values = {name: said[name] for name in ("id", "name", "version", "seq", "item", "actor", "imported_at")}
    if ask(KNOWN_PLAN, {name: said[name] for name in ("id", "name", "version")}):
        return False
    commit(ask, PLAN, said)
    ask(PLANNED, {**values, "item_type": said["type"], "cases": orjson.dumps(said["cases"]).decode()})
    return True


def _event(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    if ask(expectations.KNOWN, {"source": said["source"], "key": said["key"]}):
        return False
    names = (
        "id", "seq", "source", "key", "kind", "time", "received_at", "subject_type", "subject", "owner",
        "actor", "digest",
    )  # fmt: skip
    versions = orjson.dumps(said["product_versions"]).decode()
    commit(ask, EVENT, said)
    ask(HAPPENED, {**{name: said[name] for name in names}, "product_versions": versions})
    for each in said["expected"]:
        ask(EXPECT, {**each, "event": said["id"]})
    return True


def _change(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    kind, number, now = said["kind"], said["id"], said["said"]
    if ask("select 1 from _change where id = :id", {"id": number}):
        return False
    if kind in NAMED:
        create, find, update = NAMED[kind]
        ask(create, {"name": said["name"]})
        subject = int(ask(find, {"name": said["name"]})[0][0])
    elif kind == changes.QUARANTINE and said["name"].isascii() and said["name"].isdigit():
        subject, update = int(said["name"]), RESOLVED
    else:
        raise InvalidError(
            f"changes something that this ci-results does not know: {kind} {said['name'][:80]}"
        )
    names = (*changes.UNDESCRIBED[kind], *(("reason",) if kind == changes.QUARANTINE else ()))
    commit(ask, changes.KIND, said)
    text = orjson.dumps(now).decode()
    ask(changes.INSERT, {"id": number, "seq": said["seq"], "kind": kind, "subject": subject, "said": text})
    if not ask(LATER, {"kind": kind, "subject": subject, "id": number}):
        ask(update, {**{name: now.get(name) for name in names}, "id": subject})
    return True


def _quarantined(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    source = _source(ask, said["source"])
    names = ("id", "seq", "kind", "key", "position", "reason", "raw", "told")
    digest = record_digest(said["kind"], said["key"], said["raw"], said["told"])
    commit(ask, QUARANTINE, said, source)
    values = {
        **{name: said[name] for name in names}, "source": source, "digest": digest,
        "door": said["stored_door"], "received_at": said["stored_received_at"],
    }  # fmt: skip
    new = bool(ask(QUARANTINED, values))
    if new:
        ask(COUNT, {"seq": said["seq"]})
    return new


def _message(ask: Ask, said: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    number, source = said["id"], _source(ask, said["source"])
    names = ("id", "key", "topic", "mapping", "received_at", "digest", "size", "told")
    values = {**{name: said[name] for name in names}, "seq": said["first"], "source": source}
    packed = said["packed"]
    commit(ask, MESSAGE, said, source)
    row = MESSAGE_ROW.format(raw="null" if packed is None else ":raw")
    new = ask(row, values if packed is None else {**values, "raw": packed})
    new += ask(MAPPED, {"id": number, "mapping": said["mapping"], "seq": said["seq"]})
    for each in said["via"]:
        new += ask(VIA, {"id": number, "transport": each["transport"], "at": each["received_at"]})
    for result in said["results"]:
        new += ask(LINK, {"id": number, "result": result, "mapping": said["mapping"]})
    return bool(new)


def _first(rows: list[Any]) -> Any:
    return rows[0][0] if rows else None


_KINDS: Mapping[str, Callable[[Ask, Mapping[str, Any], Mapping[str, Any]], bool]] = {
    WAIVER: _waiver,
    DECISION: _decision,
    PLAN: _plan,
    EVENT: _event,
    CHANGE: _change,
    QUARANTINE: _quarantined,
    MESSAGE: _message,
}
