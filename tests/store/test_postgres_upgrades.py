"""A database that an older version filled says the same after its migration, and is like a new one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ci_results.store import dump
from ci_results.store.copying import TABLES
from ci_results.store.postgres import PostgresStore
from ci_results.store.postgres_migrations import MIGRATIONS, VERSION, _fill
from ci_results.store.sqlite import SqliteStore
from ci_results.store.waivers import EVENTS

pytestmark = pytest.mark.needs("postgresql")

OLDEST = 8
"""The first version that came with messages, decisions and waivers on PostgreSQL."""

MORE = """
insert into _group (id, uuid, description, ref_url, results) values (1, 'u1', 'nightly', 'https://g/1', 2);
insert into _group (id, uuid, description, ref_url, results) values (2, 'u2', null, null, 0);
insert into _result_group (grp, rank, result) select 1, rank, id from _result where id <= 2;
update _testcase set ref_url = 'https://t/1' where id = 1;
update _quarantine set resolved_at = 1772366400000001, resolution = 'dismissed: ž' where id = 1;
"""
"""What the released store lacks: groups, a described testcase, a record that was closed."""

FACTS = {
    "result": f"{dump.DUMP} order by r.seq, r.id",
    "group": "select g.uuid, g.description, g.ref_url, g.results from _group g order by 1",
    "testcase": "select t.name, t.ref_url, t.owner, t.contact from _testcase t order by 1",
    "waiver event": f"{EVENTS} order by e.id",
    "decision": f"{dump.DECIDED} order by d.seq, d.id",
    "expectation": f"{dump.AWAITED} order by e.seq, e.id, x.id",
    "plan": f"{dump.PLANNED} order by seq",
    "quarantine": f"{dump.QUARANTINED} order by q.seq, q.id",
    "signature": "select result, signature from _signature order by 1",
    "outbox": "select seq, kind from _outbox where kind in ('results', 'waiver', 'decision') order by 1",
}
"""Facts that both versions can be asked for by the same SQL."""

SCHEMA = {
    "columns": """
        select table_name, column_name, data_type, is_nullable, column_default, collation_name
        from information_schema.columns where table_schema = current_schema() order by 1, 2
    """,
    "indexes": "select tablename, indexdef from pg_indexes where schemaname = current_schema() order by 1, 2",
    "triggers": """
        select t.tgrelid::regclass::text, pg_get_triggerdef(t.oid), t.tgenabled
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal order by 1, 2
    """,
    "functions": """
        select proname, pg_get_functiondef(oid) from pg_proc
        where pronamespace = current_schema()::regnamespace order by 1
    """,
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = current_schema()::regnamespace order by 1, 2
    """,
}


@pytest.fixture(params=range(OLDEST, VERSION))
def released(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    """Give a version, and a file of that version with a little of everything."""
    version, path = int(request.param), tmp_path / "results.db"
    connection = sqlite3.connect(path)
    text = Path(__file__).parent / "released" / f"schema{version}.sql"
    connection.executescript(text.read_text(encoding="utf-8") + MORE)
    connection.close()
    return version, path


def make_old(connection: psycopg.Connection[Any], version: int, path: Path) -> None:
    """Make a database of a version, with the rows of a file of the same."""
    file = sqlite3.connect(path)
    for number, name in MIGRATIONS.items():
        if number <= version:
            connection.execute(files("ci_results.store").joinpath(name).read_text(encoding="utf-8").encode())
    _fill(connection)
    for table in ("_outcome", "_variant", "_waiver_head"):
        connection.execute(f"delete from {table}".encode())
    for table in TABLES:
        columns = [row[1] for row in file.execute(f"pragma table_info({table})")]
        places = ", ".join(["%s"] * len(columns))
        if columns:
            names = ", ".join(columns)
            rows = file.execute(f"select {names} from {table}").fetchall()
            connection.cursor().executemany(f"insert into {table} ({names}) values ({places})".encode(), rows)
    connection.execute("insert into _meta (key, value) values ('schema', %s)", (str(version),))
    file.close()


def rows(connection: psycopg.Connection[Any], asked: dict[str, str]) -> dict[str, list[Any]]:
    return {name: connection.execute(sql.encode()).fetchall() for name, sql in asked.items()}


def test_what_an_older_version_stored_is_there_as_it_was(
    url: str, postgresql: Callable[[str], str], released: tuple[int, Path]
) -> None:
    version, path = released
    with psycopg.connect(url) as connection:
        make_old(connection, version, path)
        before = rows(connection, FACTS)
    assert all(before.values())
    with PostgresStore.open(url) as store, SqliteStore.open(path) as file:
        assert store.check() == []
        assert list(store.dump()) == list(file.dump())
        with psycopg.connect(url) as connection:
            assert rows(connection, FACTS) == before
            found = rows(connection, SCHEMA)
    PostgresStore.open(postgresql("new")).close()
    with psycopg.connect(postgresql("new")) as connection:
        assert bare(rows(connection, SCHEMA)) == bare(found)


def bare(found: dict[str, list[Any]]) -> list[str]:
    """Return definitions without the name of the schema that they are in."""
    said = [f"{name} {row}" for name, its in found.items() for row in its]
    return [re.sub(r"ci_results_\d+_[0-9a-f]+_\d+", "ours", each) for each in said]
