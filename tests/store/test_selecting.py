"""SELECTs of rules on SQLite: SQLite itself refuses what the reader of rules would have let through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from ci_results.domain.asked import SelectOf
from ci_results.domain.page import Page
from ci_results.domain.search import Search
from ci_results.errors import StoreError
from ci_results.store import selecting
from ci_results.store.selecting import authorise
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "r.db") as opened:
        opened.commit_page(Page(source="ci", results=[result("1"), result("2")]))
        yield opened


@pytest.mark.parametrize(
    "sql",
    [
        "select * from _result",
        "select name from sqlite_master",
        "select * from quarantine",
        "select hash from waiver_event",
        "with result as (select hash as id from waiver_event) select id from waiver_event",
        "attach database ':memory:' as x",
        "pragma database_list",
        "select load_extension('x')",
        "select random()",
        "select randomblob(8)",
        "select strftime('%s', 'now') from result",
        "select printf('%100000000d', 1)",
        "select hex(zeroblob(100))",
        "select * from pragma_database_list",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
        "select * from json_each('[1]')",
        "create temp table x as select 1",
        "insert into _meta values ('a', 'b')",
        "delete from _result",
        "vacuum into '/tmp/x'",
        "begin",
        "select current_timestamp",
    ],
)
def test_sqlite_refuses_whatever_is_no_view(store: SqliteStore, sql: str) -> None:
    with (
        pytest.raises(
            StoreError,
            match=r"not authorized|prohibited|vtable constructor failed|query_only|authorization denied",
        ),
        store._readers.guarded(authorise, {}, 1) as connection,
    ):
        connection.execute(sql).fetchall()


def test_a_guard_ends_with_its_block(store: SqliteStore) -> None:
    with store._readers.guarded(authorise, selecting._LIMITS, 1) as connection:
        length = connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
    with store._readers.reading() as connection:
        assert connection.execute("select count(*) from _result").fetchone() == (2,)
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) > length


def test_texts_do_not_grow_beyond_bounds(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(selecting._LIMITS, sqlite3.SQLITE_LIMIT_LENGTH, 1_000)
    long = " || ".join(["testcase"] * 150)
    found = store.select(SelectOf(f"select {long} from result", (), 20))
    assert (found.rows, found.error) == ((), "string or blob too big")


def test_time_is_bounded_too(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "TIMEOUT_S", 0)
    store.commit_page(Page(source="ci", results=[result(str(n)) for n in range(3, 60)]))
    many = ", ".join(f"result r{n}" for n in range(4))
    found = store.select(
        SelectOf(f"select count(*) from {many} where r0.key || r1.key || r2.key || r3.note = 'x'", (), 20)
    )
    assert found.error == selecting.BROAD


def test_who_reads_one_commit_is_not_held_up_by_a_log_that_is_cut(store: SqliteStore) -> None:
    begun, held, read = Event(), Event(), []

    def cut() -> None:
        begun.wait(5)
        with store._readers.held(timeout_s=5) as free:
            held.set()
            read.append(free)

    thread = Thread(target=cut)
    thread.start()
    with store.at_one_commit():
        begun.set()
        assert not held.wait(0.3)
        assert len(store.search(Search())) == 2
    thread.join()
    assert read == [True]
