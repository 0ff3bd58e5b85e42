"""A store is copied from SQLite to PostgreSQL and back, and nothing is lost or changed."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results.domain.delivery import START, Position
from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.page import Page
from ci_results.domain.recorded import Followed
from ci_results.domain.run import Run
from ci_results.errors import NotFoundError, StoreError
from ci_results.operations import copy as module
from ci_results.operations.audit import verify
from ci_results.operations.copy import copy
from ci_results.query.results import ResultQuery
from ci_results.store import copying, postgres_partitions
from ci_results.store.copying import TABLES
from ci_results.store.opening import open_store
from ci_results.testing.decision_rules import POINT, awaited, recorded
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import any_acts

Place = Callable[[str], str]
FACTS = ("_result", "_group", "_testcase", "_waiver_event", "_quarantine", "_expectation", "_decision")
needs_postgresql = pytest.mark.needs("postgresql")


def fill(url: str) -> None:
    """Write a little of everything."""
    store = open_store(url)
    for n in range(30):
        store.commit_page(Page(
            source=f"s{n % 2}",
            results=[
                replace(result(
                    f"k{i}", source=f"s{n % 2}", testcase=f"ns.t{i}", outcome="failed" if n % 3 else "passed",
                    time=NOON + timedelta(hours=n), run=Run(key=f"j#{n % 4}", data={"a": ("1", "2")}),
                    note="ž\n\t\\", duration_s=0.1, scenario="uefi" if i % 2 else None, data={"own": str(n)},
                ), groups=("g1",) if n % 5 == 0 else ())
                for i in range(n % 4)
            ],
            quarantine=[Garbled(raw=b"\0\xff\\", reason="bad")] if n % 7 == 0 else (),
            cursor=f"c{n}", read_from=None if n < 2 else f"c{n - 2}",
            jobs=[Job(name="j", last_build=NOON)], groups={"g1": {"description": "nightly"}},
        ))  # fmt: skip
    store.note_attempt("s1", None)
    lot = random.Random(3)
    for _ in range(20):
        store.waivers.append(any_acts(lot, store.waivers))
    store.save_events([awaited(), awaited("build-2")])
    state = store.decisions.record(store.decisions.begin(), START, "d", [recorded()], [Followed(POINT, 1)])
    store.decisions.record(state, Position(3, 4), "d", [recorded(2, verdict="go")], [Followed(POINT, 2)])
    store.close()


def seen(url: str) -> list[Any]:
    """Return what a store says: its dump, and what the dump leaves out."""
    store = open_store(url)
    said = [
        list(store.dump()), store.sources(), store.jobs(), store.counts(), list(store.check()),
        store.group("g1"), store.results(ResultQuery(limit=1000)), store.cursor("s1"),
        list(store.waivers.events()), store.waivers.head(), store.decisions.begin(),
        store.decisions.followed([POINT.subject.identifier]), store.decisions.history(POINT),
        verify(store.waivers, {}).problems,
    ]  # fmt: skip
    store.close()
    return said


@needs_postgresql
def test_there_and_back_again(postgresql: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_partitions, "ROWS", 10)
    monkeypatch.setattr(copying, "BATCH", 7)
    file, server, back = f"sqlite:{tmp_path}/one.db", postgresql("one"), str(tmp_path / "back.db")
    fill(file)
    told: list[tuple[str, int, int]] = []
    there = copy(file, server, lambda *step: told.append(step))
    again = copy(server, back)
    assert seen(file) == seen(server) == seen(back)
    assert there == again
    facts = sum(there.rows[table] for table in FACTS)
    assert there.facts == facts > 60
    assert {step[0] for step in told} == {*TABLES, "comparing the dumps"}
    assert all(done <= total for _table, done, total in told)


@needs_postgresql
def test_a_copy_goes_on_where_its_original_ended(postgresql: Place, tmp_path: Path) -> None:
    file, server = f"sqlite:{tmp_path}/one.db", postgresql("one")
    fill(file)
    copy(file, server)
    more = [result("k1", source="s1"), result("new", source="s1", testcase="ns.new", item="new-1-1")]
    page = Page(
        source="s1", results=[*more, *(replace(one, groups=("g9",)) for one in more)], tell_ids=True,
        quarantine=[Garbled(raw=b"\0\xff\\", reason="bad"), Garbled(raw=b"more", reason="bad")],
        cursor="end", read_from="c29",
    )  # fmt: skip
    answers = []
    for url in (file, server):
        store = open_store(url)
        answers.append(store.commit_page(page))
        store.close()
    assert answers[0] == answers[1]
    portable = []
    for url in (file, server):
        store = open_store(url)
        portable.append(list(store.dump(portable=True)))
        assert store.check() == []
        store.close()
    assert portable[0] == portable[1]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_a_target_that_has_rows_is_left_alone(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = f"sqlite:{tmp_path}/one.db"
    fill(file)
    target = str(tmp_path / "two.db") if kind == "sqlite" else request.getfixturevalue("postgresql")("two")
    store = open_store(target)
    store.commit_page(Page(source="mine", results=[result("mine", source="mine")]))
    before = list(store.dump())
    with pytest.raises(StoreError, match="has rows already"):
        copy(file, target)
    assert list(store.dump()) == before
    store.close()


def test_a_source_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no store"):
        copy(str(tmp_path / "none.db"), str(tmp_path / "two.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_an_interrupted_copy_leaves_the_target_empty(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = f"sqlite:{tmp_path}/one.db"
    fill(file)
    target = str(tmp_path / "two.db") if kind == "sqlite" else request.getfixturevalue("postgresql")("two")

    def interrupt(table: str, done: int, total: int) -> None:
        if table == "_result_pair":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(file, target, interrupt)
    store = open_store(target)
    assert set(store.counts().values()) == {0}
    store.close()
    copy(file, target)
    assert seen(target) == seen(file)


def test_a_copy_that_differs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, target = str(tmp_path / "one.db"), str(tmp_path / "two.db")
    fill(file)

    def spoil(rows: Any, taken: Any, name: str) -> None:
        stranger = sqlite3.connect(target)
        stranger.execute("drop trigger _result_no_update")
        stranger.execute("update _result set note = 'other' where id = 5")
        stranger.commit()
        stranger.close()

    monkeypatch.setattr(module, "_compare_counts", spoil)
    with pytest.raises(StoreError, match="differs in fact 5"):
        copy(file, target)


def test_every_table_is_copied_or_counted_anew(tmp_path: Path) -> None:
    file = tmp_path / "one.db"
    open_store(str(file)).close()
    connection = sqlite3.connect(file)
    there = {
        name: {column[1] for column in connection.execute(f"pragma table_info({name})")}
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
    }
    connection.close()
    assert set(there) - set(TABLES) == {"_meta", "_daily", "_daily_source"}
    left_out = {
        f"{table}.{column}"
        for table, columns in TABLES.items()
        for column in there[table] - set(re.split(r",\s*", columns))
    }
    assert left_out == {"_source.lease"}


@needs_postgresql
def test_both_stores_have_the_same_tables_and_columns(postgresql: Place, tmp_path: Path) -> None:
    import psycopg

    open_store(str(tmp_path / "one.db")).close()
    open_store(postgresql("one")).close()
    with psycopg.connect(postgresql("one")) as server, sqlite3.connect(tmp_path / "one.db") as file:
        for table in (*TABLES, "_meta", "_daily", "_daily_source"):
            ours = server.execute(f"select * from {table}".encode()).description or ()
            theirs = file.execute(f"select * from {table}").description
            assert {column.name for column in ours} == {column[0] for column in theirs}, table
    file.close()
