"""What happened beside results, on its way to a sink: rendered from facts that never change; both stores."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..domain.happening import DECISION, WAIVER, Happening
from ..waive.chain import described
from ..wire.decision_event import decision_event
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


def _of_commit(ask: Ask, seq: int, kind: str) -> Iterator[Happening]:
    if kind == WAIVER:
        for n, row in enumerate(ask(f"{EVENTS} where e.seq = :seq order by e.id", {"seq": seq})):
            event = event_of(row)
            yield Happening(WAIVER, seq, n, {**described(event), "hash": event.hash})
    else:
        for n, row in enumerate(ask(f"{DECISIONS} where d.seq = :seq order by d.id", {"seq": seq})):
            one = recorded(row)
            before = ask(BEFORE, {"gate": one.point.key, "number": one.number - 1})
            body = decision_event(one, recorded(before[0]) if before else None)
            yield Happening(DECISION, seq, n, body)
