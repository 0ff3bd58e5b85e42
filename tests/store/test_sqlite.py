"""What only the SQLite store promises: durability, append-only, politeness, one writer."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from ci_results.domain.delivery import START
from ci_results.domain.page import Page
from ci_results.errors import BusyError, InvalidError, StaleError, StoreError
from ci_results.query.results import ResultQuery
from ci_results.store import pages, unguarded
from ci_results.store import sqlite as module
from ci_results.store.bulk import insert_columns
from ci_results.store.integrity import TRIGGERS
from ci_results.store.opening import open_store
from ci_results.store.readers import connect_read_only
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.decision_rules import awaited, recorded
from ci_results.testing.plan_rules import PLAN
from ci_results.testing.store_contract import result


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(path)
    yield store
    store.close()


def commit(store: SqliteStore, *keys: str) -> None:
    store.commit_page(Page(source="ci", results=[result(key) for key in keys]))


# -- append-only ---------------------------------------------------------------------------------


@pytest.mark.demand("S-061")
@pytest.mark.parametrize(
    "statement",
    [
        "update _result set outcome = 1",
        "delete from _result",
        "insert or replace into _result select * from _result",
        "replace into _result select * from _result",
        "insert into _result select 99, seq, source, run, testcase, item, variant, outcome, rank,"
        " submit_time, duration, note, ref_url, data, key, identity, digest, time, groups from _result",
        "update _run set data = '{}'",
        "delete from _run",
        "insert or replace into _run select * from _run",
        "update _testcase set name = 'other.name'",
        "update _item set name = 'other'",
        "update _pair set value = 'other'",
        "update _variant set arch = 'other'",
        "update _outcome set word = 'other' where id = 1",
        "update _plan set cases = '[]'",
        "delete from _plan",
        "replace into _plan select * from _plan",
        "insert or replace into _plan"
        " select 99, name, version, seq, item_type, item, actor, imported_at, '[]' from _plan",
        "update _event set owner = 'me'",
        "delete from _event",
        "replace into _event select * from _event",
        "insert or replace into _event select 99, seq, source, key, kind, time, received_at, subject_type,"
        " subject, product_versions, owner, 'me', digest from _event",
        "update _expectation set due = null",
        "delete from _expectation",
        "replace into _expectation select * from _expectation",
        "update _decision set verdict = 'go'",
        "delete from _decision",
        "replace into _decision select * from _decision",
        "insert or replace into _decision select 99, seq, gate, number, subject_type, subject,"
        " product_version, context, 'go', old_verdict, satisfied, summary, at, as_of, cause, digest, answer,"
        " proof from _decision",
    ],
)
def test_nobody_changes_what_is_stored(store: SqliteStore, path: Path, statement: str) -> None:
    commit(store, "k1")
    store.save_plan(PLAN, "jdoe", before=0)
    store.save_events([awaited()])
    store.decisions.record(store.decisions.begin(), START, "", [recorded()])
    before = list(store.dump())
    stranger = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match=r"append-only|keeps its name|never changes"):
        stranger.execute(statement)
    stranger.close()
    assert list(store.dump()) == before


def _stranger_replaces(path: Path) -> None:
    stranger = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        stranger.execute("insert or replace into _result select * from _result")
    stranger.close()


@pytest.mark.demand("S-061")
def test_nobody_sees_the_store_without_its_guard_while_a_large_page_is_written(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unguarded, "LARGE", 2)
    seen: list[list[str]] = []

    def look(connection: sqlite3.Connection, head: str, columns: Mapping[str, Sequence[object]]) -> None:
        insert_columns(connection, head, columns)
        stranger = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            stranger.execute("insert or replace into _result select * from _result")
        seen.append(store.check())  # type: ignore[arg-type]
        stranger.close()

    commit(store, "k1", "k2")
    monkeypatch.setattr(pages, "insert_columns", look)
    commit(store, "k3", "k4")
    assert seen == [[]]
    assert store.check() == []
    _stranger_replaces(path)


@pytest.mark.demand("S-061")
def test_a_large_page_that_fails_leaves_the_guard_where_it_was(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unguarded, "LARGE", 2)
    commit(store, "k1")

    def fail(*_given: object) -> None:
        raise InvalidError("no")

    with monkeypatch.context() as broken:
        broken.setattr(pages, "insert_columns", fail)
        with pytest.raises(InvalidError, match="no"):
            commit(store, "k2", "k3")
        with pytest.raises(InvalidError, match="no"):
            commit(store, *(f"k{n}" for n in range(2, 2 + module.POLITE_ROWS + 1)))  # without a savepoint
    assert store.check() == []
    assert store.counts()["results"] == 1
    _stranger_replaces(path)
    commit(store, "k2", "k3")
    assert store.counts()["results"] == 3


def test_what_some_results_of_a_page_lack_is_null(store: SqliteStore, path: Path) -> None:
    store.commit_page(
        Page(
            source="ci", results=[result("k1", note="n"), result("k2"), result("k3", note="", duration_s=0.5)]
        )
    )
    stranger = sqlite3.connect(path)
    assert stranger.execute("select note, duration from _result order by id").fetchall() == [
        ("n", None),
        (None, None),
        ("", 0.5),
    ]
    stranger.close()


def test_a_store_that_lost_a_trigger_is_not_sound(store: SqliteStore, path: Path) -> None:
    stranger = sqlite3.connect(path)
    stranger.execute("drop trigger _result_no_delete")
    stranger.close()
    assert any("_result_no_delete" in problem for problem in store.check())


def test_rows_added_behind_our_back_are_noticed(store: SqliteStore, path: Path) -> None:
    commit(store, "k1")
    stranger = sqlite3.connect(path)
    stranger.execute("drop trigger _result_no_delete")
    stranger.execute("delete from _result")
    stranger.commit()
    stranger.close()
    assert any("commits tell of 1 results, the store has 0" in problem for problem in store.check())


# -- one writer, groups --------------------------------------------------------------------------


def test_clients_that_wait_together_share_a_commit(path: Path) -> None:
    store = SqliteStore.open(path)
    commits = []
    store._writer._committed = lambda connection: commits.append(1)
    go, free = Event(), Event()

    def block(connection: sqlite3.Connection) -> None:
        go.set()
        free.wait(5)

    blocker = Thread(target=store._writer.do, args=(block,))
    blocker.start()
    go.wait(5)
    clients = [Thread(target=commit, args=(store, f"k{n}")) for n in range(16)]
    for client in clients:
        client.start()
    while store._writer._queue.qsize() < 16:
        time.sleep(0.001)
    free.set()
    for client in [blocker, *clients]:
        client.join()
    assert store.counts()["results"] == 16
    assert len(commits) == 2
    store.close()


def test_a_failing_page_takes_nothing_of_its_neighbours_with_it(store: SqliteStore) -> None:
    """All eight wait for one commit; the odd ones break a rule after they have interned new names."""
    commit(store, "first")
    store.commit_page(Page(source="ci", cursor="c1"))
    barrier, refused = Barrier(8), []

    def write(n: int) -> None:
        barrier.wait()
        bad = n % 2
        page = Page(
            source="ci",
            results=[result(f"k{n}", testcase=f"ns.t{n}", item=f"i{n}-1-1")],
            cursor="never" if bad else None,
            read_from="wrong" if bad else None,
        )
        try:
            store.commit_page(page)
        except StaleError:
            refused.append(n)

    threads = [Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    commit(store, "last")
    assert sorted(refused) == [1, 3, 5, 7]
    kept = {one.key: (one.testcase, one.item) for one in store.results(ResultQuery(testcase="ns.t*"))}
    assert kept == {f"k{n}": (f"ns.t{n}", f"i{n}-1-1") for n in (0, 2, 4, 6)}
    assert store.check() == []


def test_a_page_that_cannot_be_stored_is_refused_and_the_writer_goes_on(store: SqliteStore) -> None:
    with pytest.raises(InvalidError, match="NUL"):
        result("a\0b")
    with pytest.raises(InvalidError, match="surrogate"):
        result(note="\ud800")
    with pytest.raises(AttributeError):
        store.commit_page(Page(source="ci", results=[None]))  # type: ignore[list-item]
    commit(store, "k1")
    assert store.counts()["results"] == 1


def test_a_full_disk_is_said_and_survived(store: SqliteStore) -> None:
    commit(store, "before")

    def set_limit(pages: int) -> None:
        store._writer.do(lambda connection: connection.execute(f"pragma max_page_count = {pages}").fetchall())

    used = store._writer.do(lambda connection: connection.execute("pragma page_count").fetchone()[0])
    set_limit(used)
    with pytest.raises(StoreError, match="full"):
        commit(store, *(f"{'k' * 1000}{n}" for n in range(500)))
    assert [one.key for one in store.results(ResultQuery())] == ["before"]
    set_limit(1_000_000)
    commit(store, "after")
    assert [one.key for one in store.results(ResultQuery())] == ["after", "before"]
    assert store.check() == []


def test_a_long_log_is_cut_while_readers_are_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAL_BYTES", 1)
    monkeypatch.setattr(module, "LOOK_EVERY", 1)
    store = SqliteStore.open(path)
    commit(store, "k1")
    deadline = time.monotonic() + 5
    while Path(f"{path}-wal").stat().st_size and time.monotonic() < deadline:
        time.sleep(0.01)
    assert Path(f"{path}-wal").stat().st_size == 0
    assert store.counts()["results"] == 1
    store.close()


def test_a_submission_that_nobody_waits_for_is_not_written_and_stops_nobody(store: SqliteStore) -> None:
    held, entered = Event(), Event()

    def hold(connection: sqlite3.Connection) -> None:
        entered.set()
        held.wait(10)

    holder = Thread(target=store._writer.do, args=(hold,))
    holder.start()
    entered.wait(10)
    gone = store.submit(Page(source="ci", results=[result("gone")]))
    kept = store.submit(Page(source="ci", results=[result("kept")]))
    assert gone.cancel()
    held.set()
    holder.join()
    assert len(kept.result(10)) == 1
    assert [one.key for one in store.results(ResultQuery())] == ["kept"]


# -- beside a server -----------------------------------------------------------------------------


def test_beside_a_server_a_harvest_writes_in_small_commits(store: SqliteStore, path: Path) -> None:
    with store.serving():
        harvest = SqliteStore.open(path)
        harvest.commit_page(Page(source="ci", results=[result(f"k{n}") for n in range(601)], cursor="c1"))
        harvest.close()
    connection = connect_read_only(path)
    assert [row[0] for row in connection.execute("select results from _commit order by seq")] == [
        250,
        250,
        101,
    ]
    connection.close()
    assert store.cursor("ci") == "c1"


def test_alone_a_harvest_writes_a_page_in_one_commit(store: SqliteStore) -> None:
    commit(store, *(f"k{n}" for n in range(601)))
    assert store.counts()["outbox"] == 1


def test_two_servers_of_one_file_are_refused(store: SqliteStore, path: Path) -> None:
    with store.serving(), pytest.raises(BusyError, match="another server"), SqliteStore.open(path).serving():
        pass


# -- durability ----------------------------------------------------------------------------------

WRITER = """
import os, sys
from pathlib import Path
from ci_results.domain.page import Page
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result
store = SqliteStore.open(Path(sys.argv[1]))
with store.lease("ci"):
    for n in range(100_000):
        store.commit_page(Page(source="ci", results=[result(f"{n}-{i}") for i in range(3)]))
        os.write(1, f"{n}\\n".encode())
"""


@pytest.mark.demand("S-004")
def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        acknowledged = [child.stdout.readline() for _ in range(40)]
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += child.stdout.read().splitlines()
        child.stdout.close()
        child.wait()
        store = SqliteStore.open(path)
        assert store.check() == []
        whole = int(acknowledged[-1]) + 1
        assert store.counts()["results"] >= 3 * whole
        assert store.counts()["results"] % 3 == 0
        with store.lease("ci"):
            pass
        store.close()


def test_another_process_waits_for_the_lock_and_loses_nothing(path: Path) -> None:
    store = SqliteStore.open(path)
    other = SqliteStore.open(path, polite=False)
    both = [
        Thread(target=lambda one=one, name=name: [commit(one, f"{name}{n}") for n in range(30)])
        for name, one in (("a", store), ("b", other))
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert store.counts()["results"] == 60
    assert store.check() == []
    store.close()
    other.close()


# -- reading -------------------------------------------------------------------------------------


@pytest.mark.demand("S-142")
def test_a_reader_cannot_write(store: SqliteStore, path: Path) -> None:
    connection = connect_read_only(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("delete from _outbox")
    commit(store, "k1")
    assert connection.execute("select count(*) from result").fetchone() == (1,)
    connection.close()


def test_a_page_of_an_item_reads_one_index(store: SqliteStore, path: Path) -> None:
    commit(store, "k1")
    from ci_results.query.results import ids_sql

    connection = connect_read_only(path)
    for query, index in (
        (ResultQuery(item="bash"), "_result_item"),
        (ResultQuery(testcase="ns.case"), "_result_testcase"),
        (ResultQuery(outcomes=("FAILED",)), "_result_outcome"),
        (ResultQuery(), "_result_time"),
    ):
        sql, values = ids_sql(query, None, None)
        plan = " ".join(row[3] for row in connection.execute(f"explain query plan {sql}", values))
        assert index in plan
        assert "SCAN r " not in f"{plan} " or index in plan
    connection.close()


# -- opening -------------------------------------------------------------------------------------


def test_a_store_opens_by_url(tmp_path: Path) -> None:
    open_store(f"sqlite:{tmp_path}/a.db").close()
    open_store(str(tmp_path / "deep" / "b.db")).close()
    assert (tmp_path / "a.db").exists()
    assert (tmp_path / "deep" / "b.db").exists()


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_bytes(b"hello, this is no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        SqliteStore.open(tmp_path / "text.db")
    stranger = sqlite3.connect(tmp_path / "other.db")
    stranger.execute("create table mine (a)")
    stranger.close()
    with pytest.raises(StoreError, match="something else"):
        SqliteStore.open(tmp_path / "other.db")
    with pytest.raises(StoreError):
        SqliteStore.open(tmp_path)


def test_every_trigger_the_check_knows_is_there(store: SqliteStore, path: Path) -> None:
    connection = connect_read_only(path)
    there = {row[0] for row in connection.execute("select name from sqlite_master where type = 'trigger'")}
    connection.close()
    assert there == set(TRIGGERS)
