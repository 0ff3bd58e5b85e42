"""What can be wrong with a SQLite store, each checked and said in a sentence."""

from __future__ import annotations

import sqlite3

TRIGGERS = (
    "_result_no_update", "_result_no_delete", "_result_no_replace", "_run_no_update", "_run_no_delete",
    "_run_no_replace", "_testcase_keeps_name", "_item_no_update", "_pair_no_update", "_variant_no_update",
    "_outcome_no_update",
)  # fmt: skip


def problems(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong, a sentence each; empty = sound. Reads the whole file once."""
    found = [
        f"the file is damaged: {row[0]}"
        for row in connection.execute("pragma quick_check(5)")
        if row[0] != "ok"
    ]
    there = {row[0] for row in connection.execute("select name from sqlite_master where type = 'trigger'")}
    found += [
        f"trigger {name} is missing: results are not safe from change"
        for name in TRIGGERS
        if name not in there
    ]
    counted = connection.execute("select coalesce(sum(results), 0) from _commit").fetchone()[0]
    kept = connection.execute("select count(*) from _result").fetchone()[0]
    if counted != kept:
        found.append(f"commits tell of {counted} results, the store has {kept}")
    rolled = connection.execute("select coalesce(sum(n), 0) from _daily").fetchone()[0]
    superseded = connection.execute("select count(*) from _superseded").fetchone()[0]
    if rolled != kept - superseded:
        found.append(f"the daily roll-up counts {rolled} current results, the store has {kept - superseded}")
    silent = connection.execute(
        "select count(*) from _commit c where c.results > 0"
        " and not exists (select 1 from _outbox o where o.seq = c.seq and o.kind = 'results')"
    ).fetchone()[0]
    if silent:
        found.append(f"{silent} commits have no row in the outbox")
    return found
