"""Both stores keep the contract of decisions, and look at no more than they must."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_results.store import decisions, news
from ci_results.store.postgres import PostgresStore
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.decision_rules import DecisionContract


class TestSqlite(DecisionContract):
    def open_store(self, folder: Path) -> SqliteStore:
        return SqliteStore.open(folder / "results.db")


@pytest.mark.needs("postgresql")
class TestPostgres(DecisionContract):
    @pytest.fixture(autouse=True)
    def _places(self, postgresql: Callable[[str], str]) -> None:
        self.place = postgresql

    def open_store(self, folder: Path) -> PostgresStore:
        return PostgresStore.open(self.place(str(folder)))


@pytest.mark.parametrize(
    "sql",
    [
        *(news.RESULTS, news.WAIVERS, news.EVENTS),
        *(decisions.WAKING, decisions.NEXT_WAKE, f"{decisions.DECISIONS} where d.seq = :seq"),
    ],
)
def test_a_question_of_the_follower_walks_an_index(tmp_path: Path, sql: str) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    connection = sqlite3.connect(tmp_path / "results.db")
    names = ("seq", "result", "end", "limit", "after", "now")
    plan = connection.execute(f"explain query plan {sql}", dict.fromkeys(names, 1)).fetchall()
    connection.close()
    assert not [row[3] for row in plan if row[3].startswith("SCAN") and "INDEX" not in row[3]], plan
