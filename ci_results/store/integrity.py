"""What can be wrong with a SQLite store, each checked and said in a sentence."""

from __future__ import annotations

import sqlite3

TRIGGERS = (
    "_result_no_update", "_result_no_delete", "_result_no_replace", "_run_no_update", "_run_no_delete",
    "_run_no_replace", "_testcase_keeps_name", "_item_no_update", "_pair_no_update", "_variant_no_update",
    "_outcome_no_update", "_group_keeps_uuid", "_waiver_event_no_update", "_waiver_event_no_delete",
    "_waiver_event_no_replace", "_signature_no_update", "_signature_no_delete",
    "_plan_no_update", "_plan_no_delete", "_plan_no_replace",
    "_event_no_update", "_event_no_delete", "_event_no_replace", "_expectation_no_update",
    "_expectation_no_delete", "_expectation_no_replace", "_decision_no_update", "_decision_no_delete",
    "_decision_no_replace", "_message_no_update", "_message_no_delete",
    "_change_no_update", "_change_no_delete", "_change_no_replace",
    "_prune_no_update", "_prune_no_delete", "_prune_no_replace",
    "_pruned_no_update", "_pruned_no_delete", "_pruned_no_replace",
)  # fmt: skip


NOT_ROLLED = (
    "the daily roll-up counts {rolled} current results, the store has {current},"
    " and {left} were current when they were pruned"
)

WAIVERS = """
select (select id from _waiver_head), (select coalesce(max(id), 0) from _waiver_event),
    (select count(*) from _waiver_event),
    (select count(*) from _outbox x where x.kind = 'waiver'
     and not exists (select 1 from _waiver_event e where e.seq = x.seq))
"""


PRUNED = """
select (select coalesce(sum(results), 0) from _prune), (select count(*) from _pruned),
    (select count(*) from _pruned where counted = 1),
    (select count(*) from _pruned p join _result r on r.id = p.result)
"""


def not_gone(told: int, named: int, still: int) -> list[str]:
    """Return what is wrong with what was pruned."""
    found = []
    if told != named:
        found.append(f"prunes tell of {told} results that left, {named} are known by name")
    if still:
        found.append(f"{still} results are known as pruned, and are there")
    return found


def cut_off(head: int, newest: int, events: int, silent: int) -> list[str]:
    """Return what is wrong with waiver events, as far as counting shows; `audit verify` shows all."""
    found = []
    if not head == newest == events:
        found.append(f"the chain of waivers ended with event {head}; there are {events}, up to {newest}")
    if silent:
        found.append(f"{silent} rows of the outbox stand for waiver events that are gone")
    return found


def problems(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong, a sentence each; empty = sound. Reads the whole file once."""
    found = [
        f"the file is damaged: {row[0]}"
        for row in connection.execute("pragma quick_check(5)")
        if row[0] != "ok"
    ]
    there = {row[0] for row in connection.execute("select name from sqlite_master where type = 'trigger'")}
    found += [
        f"trigger {name} is missing: what is stored is not safe" for name in TRIGGERS if name not in there
    ]
    counted = connection.execute("select coalesce(sum(results), 0) from _commit").fetchone()[0]
    kept = connection.execute("select count(*) from _result").fetchone()[0]
    if counted != kept:
        found.append(f"commits tell of {counted} results, the store has {kept}")
    rolled = connection.execute("select coalesce(sum(n), 0) from _daily").fetchone()[0]
    superseded = connection.execute("select count(*) from _superseded").fetchone()[0]
    told, named, counted, still = connection.execute(PRUNED).fetchone()
    if rolled != kept - superseded + counted:
        found.append(NOT_ROLLED.format(rolled=rolled, current=kept - superseded, left=counted))
    found += not_gone(told, named, still)
    silent = connection.execute(
        "select count(*) from _commit c where c.results > 0"
        " and not exists (select 1 from _outbox o where o.seq = c.seq and o.kind = 'results')"
    ).fetchone()[0]
    if silent:
        found.append(f"{silent} commits have no row in the outbox")
    found += cut_off(*connection.execute(WAIVERS).fetchone())
    return found
