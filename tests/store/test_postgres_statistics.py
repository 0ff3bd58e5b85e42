"""A young store on PostgreSQL is analysed as it grows, so that its plans are those of its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ci_results.domain.page import Page
from ci_results.testing.store_contract import result

if TYPE_CHECKING:
    import psycopg

    from ci_results.store.postgres import PostgresStore

pytestmark = pytest.mark.needs("postgresql")


def test_it_is_analysed_once_it_is_worth_it_and_again_when_it_has_grown(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    from ci_results.store.postgres_statistics import FIRST, GROWN, keep_statistics

    schema = stranger.execute("select current_schema()").fetchone()[0]  # type: ignore[index]
    store.commit_page(Page(source="ci", results=[result(f"few{n}") for n in range(10)]))
    assert not keep_statistics(stranger, schema)
    store.commit_page(Page(source="ci", results=[result(f"many{n}") for n in range(FIRST)]))
    store._follower.close()
    known = stranger.execute("select value::bigint from _meta where key = 'analysed_until'").fetchone()
    assert known == (FIRST + 10,)
    rows = stranger.execute("select reltuples from pg_class where oid = '_run'::regclass").fetchone()
    assert rows is not None
    assert rows[0] > 0
    assert not keep_statistics(stranger, schema)
    stranger.execute(f"update _meta set value = '{FIRST // GROWN}' where key = 'analysed_until'")
    assert keep_statistics(stranger, schema)
