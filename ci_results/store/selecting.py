"""SELECTs of rules on SQLite: they read the public views and nothing else, within bounds.

The text was looked at already (decide.select_text); here SQLite itself asks about each thing that the
statement it has compiled would read.
"""

from __future__ import annotations

import sqlite3

from ..decide.select_text import VIEWS, counting, ordered
from ..domain.asked import SelectOf
from ..domain.facts import Selected
from .readers import Readers
from .selected import selected

TIMEOUT_S = 10
BROAD = "it reads too much of the store: ask for an item, a testcase or a shorter time"

_FUNCTIONS = frozenset(
    (
        *("count", "sum", "min", "max", "avg", "coalesce", "nullif", "lower", "upper", "length", "abs"),
        *("round", "substr", "substring", "trim", "ltrim", "rtrim", "iif", "like", "->>", "json_extract"),
    )
)
_OF_VIEWS = frozenset({"coalesce", "nullif", "strftime", "printf", "date", "max", "count"})
"""Functions that the views themselves call, none with the time of the clock."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 16 << 20,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
}


def select(readers: Readers, asked: SelectOf) -> Selected:
    """Run a SELECT as the store stands for this thread; see Store."""
    try:
        with readers.guarded(authorise, _LIMITS, TIMEOUT_S) as connection:
            try:
                return _run(connection, asked)
            except sqlite3.OperationalError as err:
                return Selected(error=BROAD if "interrupted" in str(err) else str(err))
            except (sqlite3.DatabaseError, OverflowError) as err:
                return Selected(error=str(err))
    except ValueError as err:
        return Selected(error=str(err))


def _run(connection: sqlite3.Connection, asked: SelectOf) -> Selected:
    values = dict(asked.parameters)
    columns = connection.execute(counting(asked.select, "sqlite"), values).description
    sql = ordered(asked.select, "sqlite", len(columns), asked.most)
    return selected(connection.execute(sql, values).fetchall())


def authorise(action: int, first: str | None, second: str | None, _base: str | None, view: str | None) -> int:
    """Answer SQLite: a view may be read, and by it what it is made of; few functions may be called.

    A table of which no column is read comes without a view: SQLite counts its rows for a view.
    """
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ:
        allowed = first in VIEWS or view in VIEWS or not second
    elif action == sqlite3.SQLITE_FUNCTION:
        name = str(second).lower()
        allowed = name in _FUNCTIONS or (view in VIEWS and name in _OF_VIEWS)
    else:
        allowed = False
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
