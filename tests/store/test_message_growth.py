"""Messages of a bus cost the same in a greater store: none is looked for among all that came before."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci_results.query.dialect import SQLITE
from ci_results.store.bus_log import known_messages
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.bus_rules import message, page

STEPS = 10


def steps(path: Path, stored: int) -> int:
    """Return how many steps SQLite takes to look for a page of messages among so many."""
    with SqliteStore.open(path) as store:
        store.commit_page(page(*(message(f"m{number}") for number in range(stored))))
    connection = sqlite3.connect(path)
    taken = 0

    def count() -> bool:
        nonlocal taken
        taken += STEPS
        return False

    def ask(sql: str, values: Mapping[str, object]) -> list[Any]:
        connection.set_progress_handler(count, STEPS)
        return connection.execute(sql, values).fetchall()

    keys = [f"m{number}" for number in range(0, 40, 2)] + [f"new{number}" for number in range(20)]
    assert known_messages(ask, SQLITE, 1, keys).keys() == set(keys[:20])
    connection.close()
    return taken


@pytest.mark.demand("S-057")
def test_a_page_of_messages_costs_the_same_in_a_store_of_many(tmp_path: Path) -> None:
    few, many = steps(tmp_path / "few.db", 40), steps(tmp_path / "many.db", 800)
    assert many < 1.5 * few, (few, many)
