"""A store made by any released version opens, whole and safe, with this one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ci_results.errors import StoreError
from ci_results.store import migrations
from ci_results.store.sqlite import SqliteStore

RELEASED = sorted(
    (Path(__file__).parent / "released").glob("*.sql"), key=lambda path: int(path.stem.removeprefix("schema"))
)


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_store_of_a_released_version_opens_whole(released: Path, tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "results.db")
    old.executescript(released.read_text())
    before = old.execute("select count(*), min(note) from _result").fetchone()
    old.close()
    store = SqliteStore.open(tmp_path / "results.db")
    assert store.check() == []
    assert (store.counts()["results"], store.result(1).note) == before
    store.close()


def test_there_is_a_store_of_every_version() -> None:
    assert [path.stem for path in RELEASED] == [f"schema{n}" for n in range(1, migrations.VERSION + 1)]


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "results.db", isolation_level=None)
    assert migrations.migrate(connection)
    assert not migrations.migrate(connection)
    connection.close()


def test_an_interrupted_migration_leaves_nothing_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(tmp_path / "results.db", isolation_level=None)
    with monkeypatch.context() as broken:
        broken.setattr(migrations, "_renew_views", lambda connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migrations.migrate(connection)
    assert connection.execute("select count(*) from sqlite_master").fetchone() == (0,)
    assert migrations.migrate(connection)
    connection.close()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    connection = sqlite3.connect(tmp_path / "results.db")
    connection.execute("update _meta set value = '999' where key = 'schema'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="upgrade ci-results"):
        SqliteStore.open(tmp_path / "results.db")


def test_a_view_that_people_made_stays(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    connection = sqlite3.connect(tmp_path / "results.db", isolation_level=None)
    connection.execute("create view mine as select 1")
    connection.execute("update _meta set value = 'create view result as' where key = 'views'")
    migrations.migrate(connection)
    assert connection.execute("select * from mine").fetchone() == (1,)
    connection.close()
