"""Both stores keep the contract of prunes; nothing leaves by another way, and what says so never changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ci_results.domain.page import Page
from ci_results.domain.pruning import Criteria
from ci_results.errors import StoreError
from ci_results.query.dialect import SQLITE
from ci_results.store import leaving, pruned, pruning
from ci_results.store.dump import dump_of
from ci_results.store.leaving import Choice
from ci_results.store.opening import open_store
from ci_results.store.postgres import PostgresStore
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.prune_rules import PruneContract, keys, prune, states
from ci_results.testing.store_contract import NOON


class TestSqlite(PruneContract):
    def open_store(self, folder: Path) -> SqliteStore:
        return SqliteStore.open(folder / "results.db")


@pytest.mark.needs("postgresql")
class TestPostgres(PruneContract):
    @pytest.fixture(autouse=True)
    def _places(self, postgresql: Callable[[str], str]) -> None:
        self.place = postgresql

    def open_store(self, folder: Path) -> PostgresStore:
        return PostgresStore.open(self.place(str(folder)))


REFUSED = (
    "delete from _result",
    "delete from _run",
    "delete from _signature",
    "update _prune set comment = 'none'",
    "delete from _prune",
    "update _pruned set counted = 0",
    "delete from _pruned",
)
TOMBSTONE = """
insert into _pruned (result, prune, source, identity, digest, key, testcase, outcome, day, duration, counted)
values (3, {prune}, 1, 1, 1, {key}, 1, 1, 1, null, 1)
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/results.db"
    return str(request.getfixturevalue("postgresql")("one"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    store.commit_page(Page(source="ci", results=states(note="boom")))
    prune(store)
    yield store
    store.close()


@contextmanager
def stranger(url: str) -> Iterator[Any]:
    """Somebody else who may write there."""
    if url.startswith("sqlite:"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("statement", REFUSED)
def test_the_guards_are_where_they_were(url: str, store: Store, statement: str) -> None:
    dump = list(store.dump())
    with stranger(url) as other, pytest.raises((sqlite3.Error, psycopg.Error), match=r"append-only|changes"):
        other.execute(statement)
    assert list(store.dump()) == dump
    assert store.check() == []


def test_nothing_is_known_as_pruned_without_a_row_that_says_who_let_it_go(url: str, store: Store) -> None:
    key = "x'00'" if url.startswith("sqlite:") else "'\\x00'"
    with stranger(url) as other:
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            other.execute(TOMBSTONE.format(prune=7, key=key))
        other.execute(TOMBSTONE.format(prune=1, key=key))
    assert store.check() == [
        "the daily roll-up counts 3 current results, the store has 1,"
        " and 3 were current when they were pruned",
        "prunes tell of 2 results that left, 3 are known by name",
        "1 results are known as pruned, and are there",
    ]


def test_an_error_in_the_middle_leaves_all_as_it_was(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit_page(Page(source="ci", results=states(testcase="ns.other", run=None, item="zsh-5-1.fc40")))
    dump = list(store.dump())
    with monkeypatch.context() as broken:
        broken.setattr(pruned, "LEAVE", (*pruned.LEAVE, "select nothing from nowhere"))
        with pytest.raises(StoreError):
            prune(store)
    assert list(store.dump()) == dump
    assert store.check() == []
    assert prune(store).leaving.total() == 2
    assert keys(store) == ["s2", "s2"]


def test_a_store_that_somebody_else_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore.open(tmp_path / "results.db") as store:
        store.commit_page(Page(source="ci", results=states()))
        store._change(lambda ask: ask("pragma busy_timeout = 50", {}))
        with stranger(f"sqlite:{tmp_path}/results.db") as other:
            other.execute("begin immediate")
            with pytest.raises(StoreError, match="locked"):
                prune(store)
            other.execute("rollback")
        assert keys(store) == ["s0", "s1", "s2"]
        assert prune(store).leaving.total() == 2


def test_a_full_disk_is_told_and_nothing_is_half_done(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "results.db") as store:
        store.commit_page(Page(source="ci", results=states(200, note="x" * 900)))
        dump = list(store.dump())
        (pages,) = store._ask("select page_count from pragma_page_count", {})[0]
        store._change(lambda ask: ask(f"pragma max_page_count = {pages}", {}))
        with pytest.raises(StoreError, match="full"):
            prune(store)
        assert list(store.dump()) == dump
        store._change(lambda ask: ask("pragma max_page_count = 1000000", {}))
        assert prune(store).leaving.total() == 199
        assert store.check() == []


def _statements() -> dict[str, str]:
    """Return what a prune asks on SQLite, narrowed in every way."""
    criteria = Criteria(before=NOON, source="ci", testcase="ns.*")
    choice = Choice(lambda sql, values: [(0,)] if sql == leaving.SEQ else [], SQLITE, criteria)
    ids, rows = SQLITE.numbers("ids"), SQLITE.triples("rows")
    leave = [statement.format(ids=ids) for statement in (*pruned.LEAVE, pruned.EMPTY_RUNS, pruned.GOING)]
    out = (*pruned.OUT_OF_GROUPS, pruned.OUT_OF_PAIRS, pruned.OUT_OF_RUN_PAIRS)
    return {
        "old": leaving.LOOKED_AT.format(from_="_result r") + leaving.OLD.format(more=choice._more),
        "these": leaving.LOOKED_AT.format(from_=f"{ids} j join _result r on r.id = j.value"),
        "subjects": leaving.SUBJECTS.format(values=SQLITE.texts("values")),
        "stand": pruning.STAND.format(ids=ids),
        "overtaken": pruning.OVERTAKEN,
        "dump": dump_of(ids),
        **{f"leave {n}": statement for n, statement in enumerate(leave)},
        **{f"out {n}": statement.format(rows=rows) for n, statement in enumerate(out)},
    }


@pytest.mark.parametrize("statement", _statements())
def test_what_a_prune_asks_walks_an_index(tmp_path: Path, statement: str) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    connection = sqlite3.connect(tmp_path / "results.db")
    names = ("before", "time", "id", "limit", "source", "testcases", "ids", "rows", "values", "seen")
    sql = _statements()[statement]
    plan = [row[3] for row in connection.execute(f"explain query plan {sql}", dict.fromkeys(names, 1))]
    connection.close()
    assert not [line for line in plan if line.startswith("SCAN _") or line == "SCAN r"], plan
    if statement == "old":
        assert plan[0] == "SEARCH r USING INDEX _result_time (time>? AND time<?)"
        assert not [line for line in plan if "ORDER BY" in line], plan
