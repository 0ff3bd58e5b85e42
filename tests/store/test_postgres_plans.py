"""Questions of machines walk an index on PostgreSQL, whatever its statistics say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.domain.search import Attribute, ComponentQuery, NameQuery, Search
from ci_results.query.dialect import POSTGRES
from ci_results.store.postgres import PostgresStore
from ci_results.store.postgres_sql import to_postgres
from ci_results.store.searcher import Searcher
from ci_results.testing.store_contract import NOON, result

pytestmark = pytest.mark.needs("postgresql")

ITEM = Attribute(key="item", values=("bash-5.2-1.fc40",))
TAG = Attribute(key="tag", values=("t7",))


@pytest.fixture(params=["as it grew", "analysed"])
def filled(
    request: pytest.FixtureRequest, store: PostgresStore, stranger: psycopg.Connection[Any]
) -> PostgresStore:
    """A store that has results with runs and without, of several testcases."""
    for n in range(20):
        store.commit_page(Page(source="ci", results=[
            result(
                f"k{n}-{i}", testcase=f"ns.t{i}", outcome="failed" if i % 7 == 0 else "passed",
                run=Run(key=f"j#{n}") if n % 2 else None, data={"tag": f"t{i}"}, time=NOON,
            )
            for i in range(100)
        ]))  # fmt: skip
    if request.param == "analysed":
        stranger.execute("vacuum analyze")
    return store


class Plans:
    """Asks the store, with all the time in the world, and keeps the plan of each question."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self.seen: list[str] = []

    def ask(self, sql: str, values: Mapping[str, object]) -> list[Any]:
        asked = to_postgres(sql, values)
        with self.store._connections.reading() as connection, connection.transaction():
            connection.execute("set local statement_timeout = 0")
            lines = connection.execute(b"explain (costs off) " + asked, values).fetchall()
            self.seen.append("\n".join(line for (line,) in lines))
            return connection.execute(asked, values).fetchall()


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (Search(attributes=(ITEM,)), r"_pair_pkey"),
        (Search(attributes=(TAG,)), r"_result_pair_pkey"),
        (Search(attributes=(ITEM, TAG)), r"_pair_pkey"),
        (Search(testcases=("ns.t7",)), r"testcase_time_id_idx"),
        (Search(testcase_patterns=("ns.t1*",)), r"testcase_time_id_idx"),
        (Search(outcomes=("FAILED",)), r"outcome_time_id_idx"),
        (Search(), r"time_id_idx"),
        (Search(since=0), r"time_id_idx"),
        (Search(after=(10**16, 5)), r"time_id_idx"),
    ],
    ids=["item", "tag", "both", "testcase", "prefix", "outcome", "all", "since", "after"],
)
def test_a_search_walks_an_index(filled: PostgresStore, asked: Search, index: str) -> None:
    plans = Plans(filled)
    searcher = Searcher(plans.ask, POSTGRES)
    assert len(searcher.search(asked)) == 20
    assert re.search(index, plans.seen[-1])
    searcher.latest(asked)
    searcher.latest(asked, ("tag",))
    for plan in plans.seen:
        assert not re.search(r"Seq Scan on (_result|_run|_testcase|_pair|_item)", plan), plan
        assert "Hash Join" not in plan, plan


def test_names_are_found_by_an_index(filled: PostgresStore) -> None:
    plans = Plans(filled)
    searcher = Searcher(plans.ask, POSTGRES)
    assert searcher.testcase("ns.t7").name == "ns.t7"
    assert len(searcher.testcases(NameQuery())) == 20
    assert len(searcher.testcases(NameQuery(patterns=("ns.t1*",)))) == 11
    assert searcher.fact(7).id == 7
    assert not any("Seq Scan on" in plan for plan in plans.seen), plans.seen
    assert "Incremental Sort" in plans.seen[1]


def test_a_testcase_of_a_component_is_found_through_its_items(filled: PostgresStore) -> None:
    plans = Plans(filled)
    searcher = Searcher(plans.ask, POSTGRES)
    assert searcher.items_of("bash", ("koji_build",), 5) == ["bash-5.2-1.fc40"]
    query = ComponentQuery(component="bash", item_types=("koji_build",), testcase="ns.t7")
    assert len(searcher.of_component(query)) == 20
    assert re.search(r"_item_testcase_variant_rank_id_idx", plans.seen[-1]), plans.seen[-1]
    assert not any(re.search(r"Seq Scan on (_result|_item|_testcase)", plan) for plan in plans.seen)
