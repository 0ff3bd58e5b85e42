"""A database gets the schema of this version whole or not at all, from however many processes at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ci_results.errors import NotFoundError, StoreError
from ci_results.store import postgres_migrations as module
from ci_results.store.postgres import PostgresStore
from ci_results.store.postgres_migrations import migrate

pytestmark = pytest.mark.needs("postgresql")

SERVER = "postgresql://postgres@127.0.0.1:5432"


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened


def objects(connection: psycopg.Connection[Any]) -> int:
    count = "select count(*) from pg_class where relnamespace = current_schema()::regnamespace"
    return int(connection.execute(count).fetchall()[0][0])


def test_opening_twice_changes_nothing(connection: psycopg.Connection[Any]) -> None:
    assert migrate(connection)
    assert not migrate(connection)


def test_two_processes_that_start_at_once_make_one_store(url: str) -> None:
    code = "import sys; from ci_results.store.opening import create_store; print(create_store(sys.argv[1]))"
    both = [
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=20)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "True" in said
    with PostgresStore.open(url) as store:
        assert store.check() == []


def test_an_interrupted_migration_leaves_nothing_and_resumes(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "_renew_views", lambda connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migrate(connection)
    assert objects(connection) == 0
    assert migrate(connection)


def test_a_store_of_a_newer_version_is_left_alone(url: str, connection: psycopg.Connection[Any]) -> None:
    PostgresStore.open(url).close()
    connection.execute("update _meta set value = '999' where key = 'schema'")
    with pytest.raises(StoreError, match="upgrade ci-results"):
        PostgresStore.open(url)


def test_tables_of_something_else_are_left_alone(url: str, connection: psycopg.Connection[Any]) -> None:
    connection.execute("create table result (id integer)")
    with pytest.raises(StoreError, match="tables of something else"):
        PostgresStore.open(url)
    assert objects(connection) == 1


def test_a_view_that_people_made_stays_and_one_of_ours_that_is_no_more_goes(
    url: str, connection: psycopg.Connection[Any]
) -> None:
    PostgresStore.open(url).close()
    connection.execute("create view mine as select id from result")
    connection.execute("create view former as select 1")
    text = "create or replace view result as\ncreate or replace view former as"
    connection.execute("update _meta set value = %s where key = 'views'", (text,))
    assert migrate(connection)
    assert connection.execute("select * from mine").fetchall() == []
    assert connection.execute("select to_regclass('former')").fetchone() == (None,)


def test_where_there_is_no_store_none_is_made_unasked(url: str, connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(NotFoundError, match="ci-results db create"):
        PostgresStore.open(url, create=False)
    assert objects(connection) == 0
    PostgresStore.open(url).close()
    PostgresStore.open(url, create=False).close()


def test_a_url_that_names_no_schema_or_no_database_is_told(url: str) -> None:
    for wrong, said in (
        (f"{SERVER}/postgres?options=-csearch_path%3Dnobody", "search_path"),
        (f"{SERVER}/nobody_has_this", "does not exist"),
        ("postgresql://127.0.0.1:notaport/x", "invalid"),
    ):
        with pytest.raises(StoreError, match=said):
            PostgresStore.open(wrong)


@pytest.mark.timeout(120)  # to drop a database waits for a checkpoint
def test_a_database_of_another_encoding_is_refused(url: str) -> None:
    name = url.rpartition("=")[2]
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as admin:
        made = f"create database {name} encoding 'SQL_ASCII' template template0 locale 'C'"
        admin.execute(made.encode())
        try:
            with pytest.raises(StoreError, match="UTF8"):
                PostgresStore.open(f"{SERVER}/{name}")
        finally:
            admin.execute(f"drop database {name}".encode())
