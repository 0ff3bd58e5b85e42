"""The outbox on SQLite keeps the contract of all outboxes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ci_results.store import outgoing
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.outbox_contract import OutboxContract


class TestSqlite(OutboxContract):
    def open_store(self, folder: Path) -> SqliteStore:
        return SqliteStore.open(folder / "results.db")


def test_what_is_next_is_found_by_an_index_however_much_is_stored(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    connection = sqlite3.connect(tmp_path / "results.db")
    asked = {"seq": 7, "result": 9, "limit": 100}
    plan = [row[3] for row in connection.execute(f"explain query plan {outgoing.AFTER}", asked)]
    connection.close()
    assert plan[0] == "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)"
    picked = plan.index("SEARCH x USING COVERING INDEX _result_seq (seq>?)")
    assert plan[picked + 1] == "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"  # a commit at a time
    assert not any(line.startswith("SCAN") for line in plan)
