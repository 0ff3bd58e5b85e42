"""The store on SQLite keeps the contract of all stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import StoreContract


class TestSqlite(StoreContract):
    def open_store(self, folder: Path) -> SqliteStore:
        return SqliteStore.open(folder / "results.db")


class TestSqliteBesideAServer(StoreContract):
    """The same, in the small polite commits of a process beside a server."""

    def open_store(self, folder: Path) -> SqliteStore:
        return SqliteStore.open(folder / "results.db", polite=True)


@pytest.mark.demand("S-004")
def test_the_store_is_one_file(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["results.db"]
