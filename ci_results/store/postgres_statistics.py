"""Let PostgreSQL count what it plans by, while a store is young and grows manyfold within a minute.

Until its own autovacuum has been there the planner takes a table of 10,000 results for an empty one:
questions took seconds that afterwards took milliseconds (measured). Of a grown store autovacuum takes care.
"""

from __future__ import annotations

from .postgres_connections import Connection, lock_key

FIRST = 2_000
"""Results from which it is worth to count."""

GROWN = 4
"""Count again once there are so many times the results."""

TABLES = (
    "_result", "_result_pair", "_run_pair", "_pair", "_run", "_testcase", "_item", "_group", "_result_group",
    "_waiver_event", "_signature",
)  # fmt: skip

_SIZES = """
select coalesce((select last_result from _commit order by seq desc limit 1), 0),
    coalesce((select value::bigint from _meta where key = 'analysed_until'), 0)
"""
_NOTED = """
insert into _meta (key, value) values ('analysed_until', %s::bigint::text)
on conflict (key) do update set value = excluded.value
"""


def keep_statistics(connection: Connection, schema: str) -> bool:
    """Analyse the tables where they have grown manyfold since; say whether this was done.

    `connection` is in autocommit. Nothing is done while another process is at it.
    """
    size, known = connection.execute(_SIZES.encode()).fetchone() or (0, 0)
    if size < max(FIRST, GROWN * known):
        return False
    key = lock_key(schema, "statistics")
    (ours,) = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone() or (False,)
    if not ours:
        return False
    try:
        connection.execute(f"analyze {', '.join(TABLES)}".encode())
        connection.execute(_NOTED.encode(), (size,))
    finally:
        connection.execute("select pg_advisory_unlock(%s)", (key,))
    return True
