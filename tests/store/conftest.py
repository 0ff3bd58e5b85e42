"""A store on PostgreSQL, at a place of its own, and somebody else who connects there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import psycopg

    from ci_results.store.postgres import PostgresStore


@pytest.fixture
def url(postgresql: Callable[[str], str]) -> str:
    return postgresql("one")


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    from ci_results.store.postgres import PostgresStore

    with PostgresStore.open(url) as opened:
        yield opened


@pytest.fixture
def stranger(url: str, store: PostgresStore) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else at the same place, after the store has made its tables."""
    import psycopg

    with psycopg.connect(url, autocommit=True, application_name="stranger") as connection:
        yield connection
