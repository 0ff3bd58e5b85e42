"""The SQL text that both stores share, as psycopg wants it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_TYPES = {bool: "boolean", int: "bigint", float: "double precision", bytes: "bytea"}
_PLACES = re.compile(r"'[^']*'|::|:(\w+)|\?|%")


def to_postgres(sql: str, values: Mapping[str, object] | None = None) -> bytes:
    """Return `sql` with its places (`:name` or `?`) in psycopg's form, those of `values` with their type.

    PostgreSQL cannot guess the type of a parameter in ":source is null or name = :source"; text is
    what it is told for None.

    >>> to_postgres("select * from _item where id > :id and name like 'a%'", {"id": 7})
    b"select * from _item where id > %(id)s::bigint and name like 'a%%'"
    """
    types = tuple((name, _TYPES.get(type(value), "text")) for name, value in (values or {}).items())
    return _translated(sql, types)


@lru_cache(maxsize=1_000)
def _translated(sql: str, types: tuple[tuple[str, str], ...]) -> bytes:
    kinds = dict(types)

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name is not None:
            return f"%({name})s::{kinds[name]}" if name in kinds else f"%({name})s"
        return "%s" if found[0] == "?" else found[0].replace("%", "%%")

    return _PLACES.sub(place, sql).encode()


def array(numbers: Iterable[int]) -> str:
    """Return PostgreSQL's text of an array of integers, much faster than psycopg writes a list."""
    return f"{{{','.join(map(str, numbers))}}}"
