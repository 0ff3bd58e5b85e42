"""Clients that share commits, sessions that end, and questions that must not last, on PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Any

import psycopg
import pytest

from ci_results.domain.page import Committed, Page
from ci_results.domain.search import Attribute, NameQuery, Search
from ci_results.errors import BusyError, InvalidError, NotFoundError, StoreError, TooBroadError
from ci_results.query.results import ResultQuery
from ci_results.store.postgres import PostgresStore
from ci_results.store.postgres_connections import lock_key
from ci_results.testing.store_contract import result

pytestmark = pytest.mark.needs("postgresql")


def commit(store: PostgresStore, *keys: str, **fields: Any) -> Committed:
    return store.commit_page(Page(source="ci", results=[result(key, **fields) for key in keys]))


def rows(connection: psycopg.Connection[Any], sql: str) -> list[Any]:
    return connection.execute(sql.encode()).fetchall()


def wait_for(said: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not said() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert said()


# -- submitted pages -------------------------------------------------------------------------------


def test_clients_that_wait_together_share_a_commit(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    (schema,) = rows(stranger, "select current_schema()")[0]
    with stranger.transaction():
        stranger.execute("select pg_advisory_xact_lock(%s)", (lock_key(schema, "pages"),))
        answers = [
            store.submit(
                Page(
                    source="api",
                    door="api",
                    results=[result(f"k{n}", source="api"), result("same", source="api")],
                )
            )
            for n in range(100)
        ]
        other = store.submit(Page(source="other", results=[result("k", source="other")]))
    ids = [answer.result(10) for answer in answers]
    assert [store.result(first).key for first, _same in ids] == [f"k{n}" for n in range(100)]
    assert len({same for _first, same in ids}) == 1
    assert store.result(other.result(10)[0]).source == "other"
    assert rows(stranger, "select count(*) <= 4 from _commit") == [(True,)]
    assert store.check() == []


def test_a_failing_page_takes_nothing_of_its_neighbours_with_it(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    (schema,) = rows(stranger, "select current_schema()")[0]
    first = result("k3", outcome="failed")
    commit(store, "k3")
    with stranger.transaction():
        stranger.execute("select pg_advisory_xact_lock(%s)", (lock_key(schema, "pages"),))
        given = [result(f"k{n}") for n in range(6)] + [replace(first, key="bad", note="\0")]
        given[3] = first
        answers = [store.submit(Page(source="ci", results=[one], once=True)) for one in given]
    for n, answer in enumerate(answers):
        if n in (3, 6):
            with pytest.raises(InvalidError):
                answer.result(10)
        else:
            assert store.result(answer.result(10)[0]).key == f"k{n}"
    assert store.check() == []


def test_a_store_that_closes_writes_what_it_has_accepted(url: str) -> None:
    store = PostgresStore.open(url)
    answers = [store.submit(Page(source="ci", results=[result(f"k{n}")])) for n in range(50)]
    store.close()
    assert len({answer.result(0) for answer in answers}) == 50
    with pytest.raises(StoreError, match="closed"):
        store.submit(Page(source="ci"))


# -- sessions --------------------------------------------------------------------------------------

WRITER = """
import os, sys
from ci_results.domain.page import Page
from ci_results.store.postgres import PostgresStore
from ci_results.testing.store_contract import result
store = PostgresStore.open(sys.argv[1])
with store.lease("ci") as token:
    for n in range(100_000):
        key = f"{os.getpid()}-{n}"
        store.commit_page(Page(source="ci", results=[result(f"{key}-{i}") for i in range(3)], lease=token))
        os.write(1, f"{key}\\n".encode())
"""


@pytest.mark.timeout(60)
@pytest.mark.demand("S-004")
def test_what_was_acknowledged_survives_kill_9_and_the_lease_is_free(url: str, store: PostgresStore) -> None:
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), url], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        acknowledged = [child.stdout.readline().strip() for _ in range(30)]
        with pytest.raises(BusyError), store.lease("ci"):
            pass
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += child.stdout.read().split()
        child.stdout.close()
        child.wait()
        wait_for(lambda: _leased(store))
        there = {one.key for one in store.results(ResultQuery(limit=10_000))}
        assert {f"{key}-{i}" for key in acknowledged for i in range(3)} <= there
        assert len(there) % 3 == 0
        assert store.check() == []


def _leased(store: PostgresStore) -> bool:
    try:
        with store.lease("ci"):
            return True
    except BusyError:
        return False


def ended(stranger: psycopg.Connection[Any]) -> None:
    """End all sessions of the store but the stranger's, as a restart of the server does."""
    sessions = "from pg_stat_activity where application_name = current_schema()"
    stranger.execute(f"select pg_terminate_backend(pid) {sessions}".encode())
    wait_for(lambda: rows(stranger, f"select count(*) {sessions}") == [(0,)])


def test_a_page_of_a_session_that_ended_is_refused_once_another_harvests(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    with store.lease("ci") as lost:
        ended(stranger)
        with store.lease("ci"), pytest.raises(BusyError, match="went to another"):
            store.commit_page(Page(source="ci", results=[result()], lease=lost))
    assert store.counts()["results"] == 0


def test_a_server_that_restarts_is_found_again(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    commit(store, "k1")
    ended(stranger)
    commit(store, "k2")
    assert store.counts()["results"] == 2


def test_a_page_that_waits_too_long_for_others_is_refused(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    (schema,) = rows(stranger, "select current_schema()")[0]
    with store._connections.writing() as connection:
        assert connection.execute("show lock_timeout").fetchone() == ("30s",)
        assert connection.execute("show idle_in_transaction_session_timeout").fetchone() == ("1min",)
        connection.execute("set lock_timeout = '100ms'")
    with stranger.transaction():
        stranger.execute("select pg_advisory_xact_lock(%s)", (lock_key(schema, "pages"),))
        with pytest.raises(StoreError, match="lock timeout"):
            commit(store, "k1")
    commit(store, "k1")
    assert store.counts()["results"] == 1


def test_what_cannot_be_stored_is_found_nowhere(store: PostgresStore) -> None:
    text = "a\0b"
    commit(store, "k1")
    asked = Attribute(key="item", values=(text,))
    for search in (Search(testcases=(text,)), Search(groups=(text,)), Search(attributes=(asked,))):
        assert store.search(search) == []
    assert store.testcases(NameQuery(patterns=(text,))) == []
    with pytest.raises(NotFoundError):
        store.group(text)


@pytest.mark.demand("S-142")
def test_a_reader_cannot_write(store: PostgresStore) -> None:
    with pytest.raises(StoreError, match="read-only"), store._connections.reading() as connection:
        connection.execute("delete from _outbox")


def test_a_question_ends_with_its_budget(store: PostgresStore) -> None:
    with store._connections.reading() as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("2s",)
        connection.execute("set statement_timeout = '50ms'")
    with pytest.raises(TooBroadError, match="ask for an item"):
        store._search("select pg_sleep(:seconds)", {"seconds": 5})


def test_a_thread_that_must_not_wait_asks_another_at_once(store: PostgresStore) -> None:
    refused: list[Exception] = []

    def ask() -> None:
        store.hurry()
        try:
            store.testcases(NameQuery())
        except TooBroadError as err:
            refused.append(err)

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert refused
    assert store.testcases(NameQuery()) == []


def test_a_database_that_is_away_is_told_without_the_password() -> None:
    with pytest.raises(StoreError, match="refused") as told:
        PostgresStore.open("postgresql://ci:hunter2@127.0.0.1:1/results")
    assert "postgresql://ci@127.0.0.1:1/results" in str(told.value)
    assert "hunter2" not in str(told.value)
