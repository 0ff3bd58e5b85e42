"""SELECTs of rules on PostgreSQL: what decide.select_text allows, read-only and within a time limit."""

from __future__ import annotations

import psycopg

from ..decide.select_text import counting, ordered
from ..domain.asked import SelectOf
from ..domain.facts import Selected
from .postgres_connections import Connection
from .postgres_sql import to_postgres
from .selected import selected
from .selecting import BROAD

TIMEOUT_S = 2

_BOUNDS = f"""
set local statement_timeout = '{TIMEOUT_S}s'; set local enable_seqscan = on; set local enable_hashjoin = on;
set local enable_mergejoin = on; set local max_parallel_workers_per_gather = 0; set local lock_timeout = '1s';
set local transaction_read_only = on; set local join_collapse_limit = 8
"""


def select(connection: Connection, asked: SelectOf) -> Selected:
    """Run a SELECT as the store stands for this connection; see Store."""
    try:
        with connection.transaction(force_rollback=True):  # the settings go with it
            connection.execute(_BOUNDS.encode())
            return _run(connection, asked)
    except ValueError as err:
        return Selected(error=str(err))
    except psycopg.errors.QueryCanceled:
        return Selected(error=BROAD)
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError) as err:
        return Selected(error=str(err).strip().partition("\n")[0])


def _run(connection: Connection, asked: SelectOf) -> Selected:
    values = dict(asked.parameters)
    columns = connection.execute(to_postgres(counting(asked.select, "postgres"), values), values).description
    sql = ordered(asked.select, "postgres", len(columns or ()), asked.most)
    return selected(connection.execute(to_postgres(sql, values), values).fetchall())
