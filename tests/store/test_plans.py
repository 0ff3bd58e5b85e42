"""Questions of machines on SQLite: which index each walks, and that none costs more in a greater store."""

from __future__ import annotations

import importlib
import re
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.domain.search import Attribute, ComponentQuery, NameQuery, Order, Search
from ci_results.query.dialect import SQLITE
from ci_results.store.readers import connect_read_only
from ci_results.store.searcher import Searcher
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

BENCH = Path(__file__).parents[2] / "bench"
SMALL, LARGE = 20_000, 100_000
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
STEPS = 100


@dataclass
class Asking:
    """Asks one store; keeps the plans of what was asked, and counts the steps of SQLite's machine."""

    connection: sqlite3.Connection
    plans: list[str] = field(default_factory=list)
    steps: int = 0

    def ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        rows = self.connection.execute(f"explain query plan {sql}", values).fetchall()
        self.plans.append("\n".join(row[3] for row in rows))
        self.connection.set_progress_handler(self._count, STEPS)
        try:
            return self.connection.execute(sql, values).fetchall()
        finally:
            self.connection.set_progress_handler(None, 0)

    def _count(self) -> bool:
        self.steps += STEPS
        return False


def fill(path: Path, rows: int) -> Path:
    """Write so many posted results, and a tenth as many again that were harvested."""
    sys.path.insert(0, str(BENCH))
    try:
        importlib.import_module("posted").generate(path, rows)
    finally:
        sys.path.remove(str(BENCH))
    with SqliteStore.open(path) as store:
        for page in range(rows // 2000):
            store.commit_page(Page(source="ci", results=[
                result(
                    str(n), testcase=f"harvested.t{n % 20}", item=f"harvested-1-{page}",
                    time=START + timedelta(hours=page),
                    run=Run(key=f"job#{page}.{n % 4}", data={"job": "job"}), data={"tier": str(n % 3)},
                )
                for n in range(200)
            ]))  # fmt: skip
        store._writer.do(lambda connection: connection.execute("analyze").fetchall())
    return path


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store, and one of five times its size that begins with the same results."""
    folder = tmp_path_factory.mktemp("plans")
    return fill(folder / "small.db", SMALL), fill(folder / "large.db", LARGE)


def exactly(key: str, *values: str) -> tuple[Attribute, ...]:
    return (Attribute(key=key, values=values),)


ITEM = exactly("item", "pkg0007-1.7-1.el10")
JOB = exactly("job", "job")
TYPE = exactly("type", "koji_build")
SINCE = 1_790_000_000_000_000 - 100 * DAY

OLD = (int(START.timestamp()) * 1_000_000 + DAY // 4, 99**9)
BY_ID = "SCAN r"
TIME = "r USING COVERING INDEX _result_time"
SINCE_THEN = "r USING INDEX _result_time (time>?"
OUTCOME = "r USING COVERING INDEX _result_outcome (outcome=?"
TESTCASE = "r USING COVERING INDEX _result_testcase (testcase=?"
PAIR = "SEARCH p USING PRIMARY KEY (pair=?"
GROUP = "SEARCH p USING PRIMARY KEY (grp=?"
SEARCHES = {
    "everything": (Search(), TIME),
    "the oldest first": (Search(order=Order.OLDEST), TIME),
    "as stored": (Search(order=Order.STORED), BY_ID),
    "an item": (Search(attributes=ITEM), PAIR),
    "an item and its type": (Search(attributes=ITEM + TYPE), PAIR),
    "a type that most have": (Search(attributes=TYPE), PAIR),
    "what runs have": (Search(attributes=JOB), PAIR),
    "what runs have, and their results": (Search(attributes=JOB + exactly("tier", "1")), PAIR),
    "an outcome": (Search(outcomes=("FAILED",)), OUTCOME),
    "two outcomes": (Search(outcomes=("FAILED", "PASSED")), OUTCOME),
    "a testcase": (Search(testcases=("dist.check3",)), TESTCASE),
    "testcases by pattern": (Search(testcase_patterns=("dist.*",)), TESTCASE),
    "a group": (Search(groups=("{group}",)), GROUP),
    "since": (Search(since=SINCE), SINCE_THEN),
    "between": (Search(since=SINCE, until=SINCE + DAY), SINCE_THEN),
    "after a cursor": (Search(after=(SINCE, 5)), TIME),
    "of a testcase, after a cursor": (Search(testcases=("dist.check3",), after=OLD), TESTCASE),
    "of a type, after a cursor": (Search(attributes=TYPE, after=(SINCE, 5)), PAIR),
    "of runs, after a cursor": (Search(attributes=JOB, after=OLD), PAIR),
}  # fmt: skip


def searchers(stores: tuple[Path, Path]) -> tuple[tuple[Asking, Searcher], tuple[Asking, Searcher]]:
    asking = [Asking(connect_read_only(path)) for path in stores]
    small, large = ((one, Searcher(one.ask, SQLITE)) for one in asking)
    return small, large


def check_plans(asking: Asking, walk: str) -> None:
    """Check that the walk goes as meant, and that no table is read whole."""
    said = "\n".join(asking.plans)
    assert walk in said, said
    if walk != BY_ID:
        assert not re.search(r"SCAN (r|p|u|h|_(?!outcome)\w+)$", said, re.MULTILINE), said


def check_growth(small: Asking, large: Asking) -> None:
    """Check that the greater store took hardly more steps."""
    assert large.steps <= 1.3 * small.steps + 2_000, (small.steps, large.steps)
    small.connection.close()
    large.connection.close()


@pytest.mark.parametrize("name", SEARCHES)
def test_a_page_walks_its_index_and_costs_the_same_in_a_greater_store(
    stores: tuple[Path, Path], name: str
) -> None:
    search, index = SEARCHES[name]
    (small, one), (large, other) = searchers(stores)
    if search.groups:
        (uuid,) = small.connection.execute("select uuid from _group limit 1").fetchone()
        search = Search(groups=(uuid,))
    assert one.search(search)
    assert other.search(search)
    check_plans(large, index)
    check_growth(small, large)


LATEST = {
    "of an item": (Search(attributes=ITEM), None),
    "of an item and its type": (Search(attributes=ITEM + TYPE), None),
    "of an item for each scenario": (Search(attributes=ITEM), ("scenario",)),
    "of a testcase": (Search(testcases=("dist.check3",)), None),
    "of testcases by pattern": (Search(testcase_patterns=("dist.*",)), None),
}


@pytest.mark.parametrize("name", LATEST)
def test_the_latest_cost_the_same_in_a_greater_store(stores: tuple[Path, Path], name: str) -> None:
    search, keys = LATEST[name]
    (small, one), (large, other) = searchers(stores)
    assert one.latest(search, keys)
    assert other.latest(search, keys)
    check_plans(large, "r USING")
    check_growth(small, large)


def test_names_and_single_results_cost_the_same_in_a_greater_store(stores: tuple[Path, Path]) -> None:
    (small, one), (large, other) = searchers(stores)
    for searcher in (one, other):
        assert searcher.fact(4711).id == 4711
        assert len(searcher.testcases(NameQuery())) == 20
        assert len(searcher.testcases(NameQuery(patterns=("dist.*",)))) == 10
        assert searcher.testcase("dist.check3").name == "dist.check3"
        assert len(searcher.groups(NameQuery())) == 20
    check_growth(small, large)


def test_a_testcase_of_a_component_is_found_through_its_items(stores: tuple[Path, Path]) -> None:
    query = ComponentQuery(
        component="pkg0007", item_types=("koji_build",), testcase="dist.check3", passed_over=("QUEUED",)
    )
    (small, few), (large, many) = searchers(stores)
    for asking, searcher in ((small, few), (large, many)):
        assert searcher.items_of("pkg0007", ("koji_build",), 5)
        assert searcher.of_component(query)
        said = "\n".join(asking.plans)
        assert "SEARCH i USING INDEX _item_component (component=?" in said, said
        assert "SEARCH r USING INDEX _result_item (item=? AND testcase=?" in said, said
        assert not re.search(r"SCAN (r|i)$", said, re.MULTILINE), said
    check_growth(small, large)
