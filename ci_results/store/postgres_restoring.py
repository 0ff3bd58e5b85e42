"""Restoring on PostgreSQL: sequences go on behind the ids of the feed, and days are counted in the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..domain.page import Committed, Page
from ..query.dialect import POSTGRES
from .outgoing import Ask
from .postgres_connections import Connection, lock_key
from .postgres_copying import CONTINUE
from .postgres_daily import count_days
from .pruned import COUNT_DAYS
from .restoring import Restoring

CONTINUED = ("_plan", "_event", "_expectation", "_decision")
"""Tables whose ids a feed brings, and PostgreSQL counts on."""

RIGHT = """
select (select coalesce(sum(n), 0) from _daily)
    = (select count(*) from _result) - (select count(*) from _superseded)
    + (select count(*) from _pruned where counted = 1)
"""


class PostgresRestoring(Restoring):
    """See Restoring; `writing` gives a connection in autocommit."""

    def __init__(
        self,
        ask: Ask,
        change: Callable[[Callable[[Ask], Any]], Any],
        commit: Callable[[Page], Committed],
        writing: Callable[[], AbstractContextManager[Connection]],
        schema: str,
    ) -> None:
        super().__init__(ask, change, commit, POSTGRES, count=False)
        self._writing, self._schema = writing, schema

    def finish(self) -> None:
        """Let ids go on behind those of the feed; count days anew where results came out of order."""
        with self._writing() as connection:
            for table in CONTINUED:
                connection.execute(CONTINUE.format(table=table).encode())
            count_days(connection, self._schema, wait=True)
            if self._took_out or not (connection.execute(RIGHT).fetchone() or (True,))[0]:
                self._count_anew(connection)

    def _count_anew(self, connection: Connection) -> None:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (lock_key(self._schema, "daily"),))
            connection.execute("delete from _daily")
            connection.execute("delete from _daily_source")
            connection.execute("delete from _meta where key = 'daily_until'")
            for statement in COUNT_DAYS:
                connection.execute(statement.format(of="").encode())
        count_days(connection, self._schema, wait=True)
