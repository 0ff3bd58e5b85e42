"""Questions for waivers are bounded by their answer, at 200,000 waivers as at a handful."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from many_waivers import POSTGRES, SQLITE, fill

from ci_results.query import dialect
from ci_results.query.waivers import Stage, WaiverFilter, WaiverQuery
from ci_results.store.identity import to_us
from ci_results.store.postgres_sql import to_postgres
from ci_results.store.sqlite import SqliteStore, connect_for_writing
from ci_results.store.waivers import WaiverLog

COUNT = 200_000
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SEQ = 10**9

Asking = Callable[[WaiverLog], list[Any]]


def asking(**asked: Any) -> Asking:
    return lambda log: log.find(WaiverQuery(**({"seq": SEQ, "now": to_us(NOW)} | asked)))


ONE = WaiverFilter(subject="pkg-1-7")
BOTH = ("username", "product_version")
MANY = [WaiverFilter(subject=f"pkg-1-{n}", testcase=f"dist.t{n % 97}") for n in range(50)]
QUESTIONS = {
    "active": lambda log: log.active(["pkg-1-7"], None, SEQ, NOW),
    "active of testcases": lambda log: log.active(["pkg-1-7", "pkg-1-8"], ["dist.t7", "dist.t8"], SEQ, NOW),
    "a subject": asking(filters=[ONE]),
    "a subject, as the peer lists it": asking(
        filters=[ONE], obsolete_by=BOTH, stage=Stage.ACTIVE, plain=True, limit=10
    ),
    "a subject, obsolete by others": asking(
        filters=[ONE], obsolete_by=(), stage=Stage.ACTIVE, plain=True
    ),
    "a subject, with what was replaced": asking(
        filters=[ONE], stage=Stage.OPENED, plain=True, limit=10
    ),
    "many filters": asking(filters=MANY, obsolete_by=(), stage=Stage.ACTIVE, plain=True),
    "the newest": asking(limit=10),
    "the newest, as the peer lists them": asking(
        limit=10, obsolete_by=BOTH, stage=Stage.ACTIVE, plain=True
    ),
    "of a user": asking(filters=[WaiverFilter(username="dev7")], limit=10),
    "of a testcase": asking(filters=[WaiverFilter(testcase="dist.t7")], limit=10),
    "one": lambda log: [log.waiver(7)],
    "pending": lambda log: log.pending(SEQ, NOW, 10),
    "expiring": lambda log: log.expiring(NOW, NOW + timedelta(days=200), 10),
    "due": lambda log: log.due(NOW + timedelta(days=200), 10),
    "of a commit": lambda log: log.of_commit(7),
    "steps": lambda log: log.of_waiver(7),
    "a batch": lambda log: [next(log.events(after=COUNT // 20))],
}  # fmt: skip
MOST_STEPS = 40_000
"""Of SQLite's machine, for any of these questions; a walk over 200,000 rows takes a million and more."""


MOST_BLOCKS = 2_500
"""That PostgreSQL looks at; a walk over 20,000 rows by an index looks at 20,000 and more."""

EXPLAIN = b"explain (analyze, buffers, costs off, timing off, format json) "


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with 200,000 waivers."""
    path = tmp_path_factory.mktemp("waivers") / "results.db"
    SqliteStore.open(path).close()
    connection = connect_for_writing(path)
    for statement in fill(SQLITE, COUNT):
        connection.execute(statement)
    connection.close()
    return path


class Counting:
    """Asks a file, and counts the steps that it took, by tens."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.set_progress_handler(self._count, 10)
        self.steps = 0

    def _count(self) -> int:
        self.steps += 10
        return 0

    def ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        return self.connection.execute(sql, values).fetchall()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_on_sqlite_costs_what_its_answer_is(filled: Path, name: str) -> None:
    counting = Counting(filled)
    found = QUESTIONS[name](WaiverLog(counting.ask, lambda operation: None, dialect.SQLITE))
    assert counting.steps < MOST_STEPS
    assert found or name.startswith("active")
    counting.connection.close()


@pytest.mark.needs("postgresql")
def test_a_question_on_postgresql_costs_what_its_answer_is(postgresql: Callable[[str], str]) -> None:
    import psycopg

    from ci_results.store.postgres import PostgresStore

    url = postgresql("many")
    with PostgresStore.open(url) as store, psycopg.connect(url, autocommit=True) as connection:
        for statement in fill(POSTGRES, COUNT // 10):
            connection.execute(statement.encode())
        connection.execute("analyze _waiver_event")
        seen: list[Any] = []

        def ask(sql: str, values: Mapping[str, object]) -> list[Any]:
            asked = to_postgres(sql, values)
            with store._connections.reading() as reading:
                (told,) = reading.execute(EXPLAIN + asked, values).fetchall()
                seen.append(told[0][0]["Plan"])
                return reading.execute(asked, values).fetchall()

        for name, question in QUESTIONS.items():
            seen.clear()
            question(WaiverLog(ask, lambda operation: None, dialect.POSTGRES))
            for plan in seen:
                assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < MOST_BLOCKS, (name, plan)
