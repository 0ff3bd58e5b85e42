"""How SQL that both stores share becomes PostgreSQL's; no server is needed."""

from __future__ import annotations

import doctest

import pytest

from ci_results.store import postgres_sql, sidenotes
from ci_results.store.postgres_sql import to_postgres


def test_the_examples_hold() -> None:
    assert doctest.testmod(postgres_sql).failed == 0
    assert doctest.testmod(sidenotes).failed == 0


@pytest.mark.parametrize(
    ("sql", "values", "wanted"),
    [
        ("a = ? and b = ?", None, "a = %s and b = %s"),
        (":a is null or x = :a", {"a": None}, "%(a)s::text is null or x = %(a)s::text"),
        (":a and :b", {"a": True, "b": 0.5}, "%(a)s::boolean and %(b)s::double precision"),
        ("x::text || ':no' || '?' || '100%'", {"no": 1}, "x::text || ':no' || '?' || '100%%'"),
        ("x % 2 = :n", {"n": 1}, "x %% 2 = %(n)s::bigint"),
    ],
    ids=["places", "null", "types", "quoted", "percent"],
)
def test_places_become_those_of_psycopg(sql: str, values: dict[str, object] | None, wanted: str) -> None:
    assert to_postgres(sql, values) == wanted.encode()
