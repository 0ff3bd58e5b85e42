"""Insert many rows with few statements.

A table with triggers costs a statement journal for each statement: 100 rows in one statement take
half the time of 100 statements (measured), and the triggers look at every row all the same. 500 rows
in one gain nothing more, and after a change of the schema, as each large page brings (see unguarded),
SQLite prepares each statement anew: those of 500 rows took 3 ms a page.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

_SIZES = (100, 20, 1)
_NULL = float("nan")


def insert_rows(
    connection: sqlite3.Connection, head: str, rows: Sequence[Sequence[Any]], tail: str = ""
) -> None:
    """Insert `rows` by `head`, which ends before VALUES ("insert into _run (id)"); `tail` comes after."""
    if rows:
        _insert(connection, head, list(chain.from_iterable(rows)), len(rows[0]), tail)


def insert_across(
    connection: sqlite3.Connection, head: str, columns: Sequence[Sequence[Any]], tail: str = ""
) -> None:
    """Insert rows told by column, as many as `head` names, which ends before VALUES; `tail` comes after."""
    _insert(connection, head, _interleaved(columns), len(columns), tail)


def insert_columns(connection: sqlite3.Connection, head: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows told by column; `head` ends before the names of the columns ("insert into _result").

    A column that is None in all rows is left to its default, and in one that is None in some a NaN
    stands for it, which SQLite takes for null: to bind None costs Python's sqlite3 ten times what a
    number costs. At least one column, the id, differs from row to row.
    """
    same = {name: column[0] for name, column in columns.items() if _is_same(column)}
    told = {name: value for name, value in same.items() if value is not None}
    differing = {name: column for name, column in columns.items() if name not in same}
    values = _interleaved(
        [
            [_NULL if value is None else value for value in column] if None in column else column
            for column in differing.values()
        ]
    )
    head = f"{head} ({', '.join((*told, *differing))})"
    _insert(connection, head, values, len(differing), same=tuple(told.values()))


def _insert(
    connection: sqlite3.Connection,
    head: str,
    values: Sequence[Any],
    width: int,
    tail: str = "",
    same: Sequence[Any] = (),
) -> None:
    """Insert rows whose `values` follow each other, `width` of them a row.

    `same` are the values that begin each row and that all rows have: they are bound once a statement.
    """
    one = f"({', '.join([*(f'?{n + 1}' for n in range(len(same))), *'?' * width])})"
    start = 0
    for size in _SIZES:
        statement = f"{head} values {', '.join([one] * size)} {tail}"
        while len(values) - start >= size * width:
            connection.execute(statement, (*same, *values[start : start + size * width]))
            start += size * width


def _interleaved(columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the values of rows told by column, row after row."""
    width = len(columns)
    values: list[Any] = [None] * (width * len(columns[0]))
    for place, column in enumerate(columns):
        values[place::width] = column
    return values


def _is_same(column: Sequence[Any]) -> bool:
    if len(column) == 1:
        return column[0] is None
    return column[0] == column[-1] and column.count(column[0]) == len(column)
