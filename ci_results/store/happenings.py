"""What happened beside results, on its way to a sink: rendered from facts that never change; both stores."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ..domain.happening import DECISION, WAIVER, Happening
from ..domain.waiver import Turn, Waiver, WaiverEvent
from ..waive.chain import described
from ..wire.decision_event import decision_event
from ..wire.waiverdb_json import waiver
from .decisions import BEFORE, DECISIONS, recorded
from .outgoing import Ask
from .waivers import EVENTS, event_of

COMMITS = """
select seq, kind from _outbox where seq > :after and seq <= :until and kind in ('waiver', 'decision')
order by seq limit :limit
"""


def happened(
    ask: Ask, after: int, until: int, kinds: Collection[str], limit: int
) -> dict[int, list[Happening]]:
    """Return what happened in the next commits after `after`, up to `until`: a list for each of them.

    At most `limit` commits are looked at. What is not of `kinds` is an empty list.
    """
    commits = ask(COMMITS, {"after": after, "until": until, "limit": limit})
    return {seq: list(_of_commit(ask, seq, kind)) if kind in kinds else [] for seq, kind in commits}


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
    else:
        for n, row in enumerate(ask(f"{DECISIONS} where d.seq = :seq order by d.id", {"seq": seq})):
            one = recorded(row)
            before = ask(BEFORE, {"gate": one.point.key, "number": one.number - 1})
            body = decision_event(one, recorded(before[0]) if before else None)
            yield Happening(DECISION, seq, n, body)
