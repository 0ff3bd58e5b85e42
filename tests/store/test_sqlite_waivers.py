"""Waivers on SQLite keep the contract of all stores, and nobody changes one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiver_processes import check_kill, check_writers

from ci_results.store.sqlite import SqliteStore
from ci_results.testing.waiver_contract import WaiverContract, grant, request


class TestSqlite(WaiverContract):
    def open_store(self, folder: Path) -> SqliteStore:
        return SqliteStore.open(folder / "results.db")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(path) as opened:
        opened.waivers.append([grant(), request()])
        yield opened


COPY = "insert or replace into _waiver_event select * from _waiver_event"
SECOND = """
_waiver_event (id, seq, time, waiver, step, turn, username, via, comment, hash)
values (9, 1, 1, 1, 'grant', 'opens', 'eve', 'cli', 'mine', '')
"""


@pytest.mark.demand("S-062")
@pytest.mark.parametrize("recursive", ["on", "off"])
@pytest.mark.parametrize(
    "statement",
    [
        "update _waiver_event set comment = 'fine'",
        "update _waiver_event set seq = 0 where id = 2",
        "delete from _waiver_event",
        "delete from _waiver_event where id = 2",
        f"{COPY} where id = 1",
        COPY,
        f"insert or replace into {SECOND}",
        f"insert or ignore into {SECOND}",
    ],
)
def test_nobody_changes_a_waiver_event(
    store: SqliteStore, path: Path, statement: str, recursive: str
) -> None:
    before = list(store.dump())
    stranger = sqlite3.connect(path)
    stranger.execute(f"pragma recursive_triggers = {recursive}")
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        stranger.execute(statement)
    stranger.close()
    assert list(store.dump()) == before
    assert store.check() == []


def test_an_end_that_was_cut_off_is_noticed(store: SqliteStore, path: Path) -> None:
    stranger = sqlite3.connect(path)
    stranger.execute("drop trigger _waiver_event_no_delete")
    stranger.execute("delete from _waiver_event where id = 2")
    stranger.commit()
    stranger.close()
    assert store.check() == [
        "trigger _waiver_event_no_delete is missing: what is stored is not safe",
        "the chain of waivers ended with event 2; there are 1, up to 1",
    ]


@pytest.mark.timeout(120)
@pytest.mark.demand("S-062")
def test_four_processes_append_to_one_chain(store: SqliteStore, path: Path) -> None:
    with SqliteStore.open(path.with_name("other.db")) as other:
        check_writers(other, f"sqlite:{other.path}", 4, 50)


@pytest.mark.timeout(60)
@pytest.mark.demand("S-062")
def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    with SqliteStore.open(path) as store:
        check_kill(store, f"sqlite:{path}")
