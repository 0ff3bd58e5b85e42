"""What happened beside results, on its way to a sink: rendered from facts that never change; both stores."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import orjson

from ..domain.happening import DECISION, KINDS, WAIVER, Happening
from ..domain.recorded import RecordedDecision
from ..domain.waiver import Turn, Waiver, WaiverEvent
from ..query.dialect import Dialect
from ..waive.chain import described
from ..wire.decision_event import decision_event
from ..wire.waiverdb_json import waiver
from .decisions import BEFORE, DECISIONS, recorded
from .facts_told import told
from .identity import to_text
from .outgoing import Ask
from .waivers import EVENTS, event_of

COMMITS = """
select x.seq, x.kind, c.door, c.received_at
from (
    select distinct o.seq from _outbox o
    where o.seq > :after and o.seq <= :until and o.kind in (select j.value from {kinds} j)
    order by o.seq limit :limit) w
join _outbox x on x.seq = w.seq
join _commit c on c.seq = w.seq
order by x.seq, x.kind
"""


def happened(
    ask: Ask, dialect: Dialect, after: int, until: int, kinds: Collection[str], limit: int
) -> dict[int, list[Happening]]:
    """Return what happened in the next commits after `after`, up to `until`: a list for each of them.

    At most `limit` commits are looked at. What is not of `kinds` is left out: the list of a commit with
    a waiver or a decision may be empty.
    """
    looked_at = orjson.dumps(sorted({*kinds, *KINDS})).decode()
    values = {"after": after, "until": until, "limit": limit, "kinds": looked_at}
    found: dict[int, list[Happening]] = {}
    for seq, kind, door, received_at in ask(COMMITS.format(kinds=dialect.texts("kinds")), values):
        its = found.setdefault(seq, [])
        if kind in kinds:
            commit = {"door": door, "received_at": to_text(received_at)}
            its += [each._replace(stored={**commit, **each.stored}) for each in _of_commit(ask, seq, kind)]
    return found


def _waiver(ask: Ask, event: WaiverEvent) -> dict[str, Any] | None:
    """Return the waiver that begins to count with `event`, as WaiverDB tells it."""
    number = event.id if event.act.waiver is None else event.act.waiver
    (row,) = ask(f"{EVENTS} where e.id = :id", {"id": number})
    first = event_of(row)
    if first.act.terms is None:
        return None
    return waiver(Waiver(id=first.id, terms=first.act.terms, first=first, last=event.id))


def _of_commit(ask: Ask, seq: int, kind: str) -> Iterator[Happening]:
    if kind == WAIVER:
        for n, row in enumerate(ask(f"{EVENTS} where e.seq = :seq order by e.id", {"seq": seq})):
            event = event_of(row)
            peer = _waiver(ask, event) if event.act.turn is Turn.OPENS else None
            yield Happening(WAIVER, seq, n, {**described(event), "hash": event.hash}, peer)
    elif kind == DECISION:
        for n, row in enumerate(ask(f"{DECISIONS} where d.seq = :seq order by d.id", {"seq": seq})):
            one = recorded(row)
            before = ask(BEFORE, {"gate": one.point.key, "number": one.number - 1})
            body = decision_event(one, recorded(before[0]) if before else None)
            yield Happening(DECISION, seq, n, body, stored=_of_decision(one))
    else:
        for n, said in enumerate(told(ask, seq, kind)):
            yield Happening(kind, seq, n, said)


def _of_decision(one: RecordedDecision) -> dict[str, Any]:
    """Return what a decision's event does not tell as it is kept."""
    return {
        "satisfied": one.satisfied,
        "summary": one.summary,
        "answer": dict(one.answer),
        "proof": dict(one.proof),
    }
