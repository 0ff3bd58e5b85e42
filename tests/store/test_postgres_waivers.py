"""Waivers on PostgreSQL keep the contract of all stores, and nobody changes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from waiver_processes import check_kill, check_writers

from ci_results.store.postgres import PostgresStore
from ci_results.testing.waiver_contract import WaiverContract, grant, request

pytestmark = pytest.mark.needs("postgresql")


class TestPostgres(WaiverContract):
    @pytest.fixture(autouse=True)
    def _places(self, postgresql: Callable[[str], str]) -> None:
        self.place = postgresql

    def open_store(self, folder: Path) -> PostgresStore:
        return PostgresStore.open(self.place(str(folder)))


@pytest.mark.demand("S-062")
@pytest.mark.parametrize(
    "statement",
    [
        "update _waiver_event set comment = 'fine'",
        "delete from _waiver_event where id = 2",
        "truncate _waiver_event",
        "insert into _waiver_event select * from _waiver_event",
        "insert into _waiver_event select * from _waiver_event on conflict (id) do update set via = ''",
        "insert into _waiver_event (id, seq, time, waiver, step, turn, username, via, comment, hash)"
        " values (9, 1, 1, 1, 'grant', 'opens', 'eve', 'cli', 'mine', '')",
    ],
)
def test_nobody_changes_a_waiver_event(
    store: PostgresStore, stranger: psycopg.Connection[Any], statement: str
) -> None:
    store.waivers.append([grant(), request()])
    before = list(store.dump())
    with pytest.raises(psycopg.IntegrityError, match=r"append-only|_pkey|_waiver_turn"):
        stranger.execute(statement.encode())
    assert list(store.dump()) == before
    assert store.check() == []


@pytest.mark.timeout(120)
@pytest.mark.demand("S-062")
def test_four_processes_append_to_one_chain(store: PostgresStore, url: str) -> None:
    check_writers(store, url, 4, 50)


@pytest.mark.timeout(60)
@pytest.mark.demand("S-062")
def test_what_was_acknowledged_survives_kill_9(store: PostgresStore, url: str) -> None:
    check_kill(store, url)


def test_the_end_of_the_chain_is_locked_while_somebody_appends(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    """Not even who writes without our lock on pages forks it."""
    store.waivers.append([grant()])
    stranger.execute("set lock_timeout = '100ms'")
    with store._connections.writing() as connection, connection.transaction():
        connection.execute("update _waiver_head set id = id + 1 where one = 1")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            stranger.execute("update _waiver_head set id = id + 1 where one = 1")
        connection.execute("update _waiver_head set id = id - 1 where one = 1")
