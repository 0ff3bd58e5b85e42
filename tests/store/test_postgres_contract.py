"""The store on PostgreSQL keeps the contract of all stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ci_results.store.postgres import PostgresStore
from ci_results.testing.store_contract import StoreContract


@pytest.mark.needs("postgresql")
class TestPostgres(StoreContract):
    file_backups = False

    @pytest.fixture(autouse=True)
    def _places(self, postgresql: Callable[[str], str]) -> None:
        self.place = postgresql

    def open_store(self, folder: Path) -> PostgresStore:
        return PostgresStore.open(self.place(str(folder)))
