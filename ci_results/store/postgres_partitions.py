"""Partitions of _result: a range of ids each, made ahead by whoever writes, under the lock on pages."""

from __future__ import annotations

from .postgres_connections import Connection

ROWS = 10_000_000
"""Ids of one partition. _meta has the id that the next one begins at."""

_ADD = """
create table _result_{first} (like _result including defaults);
alter table _result attach partition _result_{first} for values from ({first}) to ({end});
create trigger _result_identity after insert on _result_{first}
referencing new table as added for each statement execute function _enter_identity();
create trigger _result_no_truncate before truncate on _result_{first}
for each statement execute function _refuse('results are append-only');
insert into _meta (key, value) values ('result_until', '{end}')
on conflict (key) do update set value = excluded.value;
"""


def ensure_partitions(connection: Connection, until: int, needed: int) -> None:
    """Add partitions inside the open transaction, so that ids up to `needed` and half a partition more fit.

    `until` is the end of the last one. To attach an empty table keeps readers waiting for nothing.
    """
    while until <= needed + ROWS // 2:
        until = add_partition(connection, until)


def add_partition(connection: Connection, first: int) -> int:
    """Add the partition that begins at id `first`; return its end."""
    end = first + ROWS
    for statement in _ADD.format(first=int(first), end=end).split(";\n")[:-1]:
        connection.execute(statement.encode())
    return end
