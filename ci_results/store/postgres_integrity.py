"""What can be wrong with a store on PostgreSQL, each checked and said in a sentence."""

from __future__ import annotations

from typing import Any

from .integrity import NOT_ROLLED, PRUNED, WAIVERS, cut_off, not_gone
from .integrity import TRIGGERS as SQLITE_TRIGGERS
from .postgres_connections import Connection

PARTITIONED = (
    "_result_identity", "_result_leaves", "_result_no_update", "_result_no_delete", "_result_no_truncate",
)  # fmt: skip
"""Triggers that _result and each of its partitions has."""

TRIGGERS = (
    *(name for name in SQLITE_TRIGGERS if not name.endswith("_no_replace")),
    "_run_no_truncate", "_identity_no_update", "_identity_no_delete", "_identity_no_truncate",
    "_waiver_event_no_truncate", "_signature_no_truncate",
    "_plan_no_truncate", "_event_no_truncate", "_expectation_no_truncate", "_decision_no_truncate",
    "_message_no_truncate", "_change_no_truncate", "_prune_no_truncate", "_pruned_no_truncate",
)  # fmt: skip

_MISSING = """
select r.oid::regclass::text, wanted.name
from (
    select '_result'::regclass as oid
    union all select inhrelid from pg_inherits where inhparent = '_result'::regclass
) r
cross join unnest(%(partitioned)s::text[]) wanted (name)
where not exists (
    select 1 from pg_trigger t where t.tgrelid = r.oid and t.tgname = wanted.name and t.tgenabled <> 'D')
union all
select null, wanted.name from unnest(%(triggers)s::text[]) wanted (name)
where not exists (
    select 1 from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where t.tgname = wanted.name and t.tgenabled <> 'D' and c.relnamespace = current_schema()::regnamespace)
order by 1, 2
"""

_COUNTS = """
select (select coalesce(sum(results), 0) from _commit),
    (select count(*) from _result),
    (select count(*) from _identity),
    (select coalesce(sum(n), 0) from _daily),
    (select count(*) from _superseded),
    (select count(*) from _commit c where c.results > 0
     and not exists (select 1 from _outbox o where o.seq = c.seq and o.kind = 'results'))
"""


def problems(connection: Connection) -> list[str]:
    """Return what is wrong, a sentence each; empty = sound. The roll-ups have been brought up to date."""
    wanted = {"partitioned": list(PARTITIONED), "triggers": list(TRIGGERS)}
    found = [
        f"trigger {trigger} is missing{f' on {table}' if table else ''}: what is stored is not safe"
        for table, trigger in connection.execute(_MISSING.encode(), wanted)
    ]
    row: Any = connection.execute(_COUNTS).fetchone()
    counted, kept, identities, rolled, superseded, silent = map(int, row)
    if counted != kept:
        found.append(f"commits tell of {counted} results, the store has {kept}")
    if identities != kept:
        found.append(f"{identities} identities are known of {kept} results")
    pruned: Any = connection.execute(PRUNED).fetchone()
    told, named, left, still = map(int, pruned)
    if rolled != kept - superseded + left:
        found.append(NOT_ROLLED.format(rolled=rolled, current=kept - superseded, left=left))
    found += not_gone(told, named, still)
    if silent:
        found.append(f"{silent} commits have no row in the outbox")
    chain: Any = connection.execute(WAIVERS).fetchone()
    found += cut_off(*map(int, chain))
    return found
