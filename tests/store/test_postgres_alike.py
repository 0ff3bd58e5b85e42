"""The stores on PostgreSQL and on SQLite say the same of the same pages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.domain.search import Attribute, NameQuery, Order, Search
from ci_results.query.results import ResultQuery
from ci_results.store.identity import to_us
from ci_results.store.postgres import PostgresStore
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import any_acts

pytestmark = pytest.mark.needs("postgresql")


VIEWS = (
    "result", "latest_result", "testcase", "daily", "daily_testcase", "source", "job", "quarantine",
    "waiver_event", "active_waiver", "expectation", "decision", "provenance", "prune",
)  # fmt: skip


@pytest.fixture
def both(store: PostgresStore, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """Fill both stores alike, at the same moments, with a lot of everything; give that on SQLite."""
    lot = random.Random(11)
    now = iter(range(1_780_000_000_000_000, 1_790_000_000_000_000, 3_600_000_001))
    with SqliteStore.open(tmp_path / "results.db") as sqlite:
        for n in range(60):
            moment = next(now)
            for module in ("sqlite", "postgres", "waivers"):
                monkeypatch.setattr(f"ci_results.store.{module}._now", lambda moment=moment: moment)
            page = _any_page(lot, n)
            assert sqlite.commit_page(page) == store.commit_page(page)
            acts = any_acts(lot, sqlite.waivers)
            assert sqlite.waivers.append(acts) == store.waivers.append(acts)
        for one in (sqlite, store):
            one.resolve(1, "mended")
            one.note_attempt("s1", "HTTP 503")
            one.note_attempt("s2", None)
        yield sqlite


def _any_page(lot: random.Random, n: int) -> Page:
    source = f"s{lot.randrange(3)}"
    many = [
        replace(
            result(
                f"k{lot.randrange(30)}", source=source, testcase=f"ns.t{lot.randrange(9)}",
                outcome=lot.choice(("passed", "failed", "running", "info")),
                time=lot.choice((None, NOON + timedelta(microseconds=lot.randrange(10**12)))),
                item=lot.choice(("bash-5.2-1.fc40", "bash-0:5.2-1.fc40.x86_64", "zsh-5-1")),
                run=lot.choice((None, Run(key=f"j#{lot.randrange(5)}", data={"a": ("1", "2")}))),
                scenario=lot.choice((None, "uefi")), arch=lot.choice((None, "s390x")),
                note=lot.choice((None, "ž\n")), duration_s=lot.choice((None, 0.5, 7.25)),
                parent=lot.choice((None, "p")), data=lot.choice(({}, {"tier": ("1", "1", "2")})),
            ),
            groups=lot.choice(((), ("g1", "g2"), ("g2",))),
        )
        for _ in range(lot.randrange(8))
    ]  # fmt: skip
    return Page(
        source=source, results=many, tell_ids=True, door=lot.choice(("harvest", "api")),
        quarantine=[Garbled(raw=bytes([lot.randrange(4)]), reason=f"r{n}")] * lot.randrange(3),
        jobs=[Job(name=f"j{lot.randrange(4)}", last_build=NOON, last_report=lot.choice((None, NOON)))],
        groups=lot.choice(({}, {"g1": {"description": f"d{n}"}, "g3": {}})),
        ref_urls=lot.choice(({}, {"ns.t1": f"https://t/{n}"})), testcases=("ns.never",),
    )  # fmt: skip


def test_the_same_pages_give_the_same_dump_and_the_same_views(
    store: PostgresStore, both: SqliteStore, stranger: psycopg.Connection[Any]
) -> None:
    for portable in (False, True):
        assert list(store.dump(portable=portable)) == list(both.dump(portable=portable))
    assert store.counts() == both.counts()
    assert store.check() == both.check() == []
    with both._readers.reading() as connection:
        for view in VIEWS:
            ours, theirs = (
                stranger.execute(f"select * from {view}".encode()),
                connection.execute(f"select * from {view}"),
            )
            assert [column.name for column in ours.description or ()] == [
                column[0] for column in theirs.description
            ]
            assert sorted(map(repr, ours)) == sorted(map(repr, theirs)), view


def test_people_and_machines_get_the_same_answers(store: PostgresStore, both: SqliteStore) -> None:
    assert store.sources() == both.sources()
    assert store.jobs() == both.jobs()
    assert list(store.waivers.events()) == list(both.waivers.events())
    assert store.waivers.head() == both.waivers.head()
    assert store.jobs("s1") == both.jobs("s1")
    assert store.quarantined(open_only=False) == both.quarantined(open_only=False)
    for query in (
        ResultQuery(limit=500), ResultQuery(item="bash"), ResultQuery(testcase="ns.t*", latest=True),
        ResultQuery(outcomes=("FAILED", "INFO"), source="s1"), ResultQuery(run="j#2", since=NOON),
        ResultQuery(item="zsh-5-1"), ResultQuery(before=("2026-03-14T12:00:00.000000", 9)),
    ):  # fmt: skip
        assert store.results(query) == both.results(query)
    for names in (
        NameQuery(), NameQuery(patterns=("ns.t*", "%ver")), NameQuery(names=("ns.t1", "ns.t2", "no")),
        NameQuery(limit=2, offset=3), NameQuery(patterns=("ns._1", "NS.*")), NameQuery(patterns=("a\\",)),
    ):  # fmt: skip
        assert store.testcases(names) == both.testcases(names)
    for names in (
        NameQuery(), NameQuery(names=("g1", "g3")), NameQuery(descriptions=("d7",)),
        NameQuery(description_patterns=("d*",)), NameQuery(names=("g1",), description_patterns=("%x",)),
    ):  # fmt: skip
        assert store.groups(names) == both.groups(names)


def _any_search(lot: random.Random) -> Search:
    """Some question, most of them with several conditions."""
    attributes = (
        Attribute(key="item", values=("bash-5.2-1.fc40", "zsh-5-1")),
        Attribute(key="item", values=("bash*", "%x86\\_64"), pattern=True),
        Attribute(key="tier", values=("1",)),
        Attribute(key="scenario", values=("uefi", "nothing")),
        Attribute(key="a", values=("2",)),
        Attribute(key="type", values=("koji%",), pattern=True),
        Attribute(key="no", values=("1",)),
    )
    noon = to_us(NOON)
    return Search(
        outcomes=lot.choice(((), (), ("PASSED",), ("FAILED", "INFO"))),
        groups=lot.choice(((), (), ("g1",), ("g2", "g3"))),
        testcases=lot.choice(((), ("ns.t1",), ("ns.t2", "ns.t3", "no"))),
        testcase_patterns=lot.choice(((), ("ns.t*",), ("%5", "ns.t_"))),
        attributes=tuple(lot.sample(attributes, lot.choice((0, 0, 1, 2)))),
        since=lot.choice((None, None, noon, noon + 10**11)),
        until=lot.choice((None, None, noon + 5 * 10**11)),
        order=lot.choice(list(Order)), limit=lot.choice((1, 7, 1000)), offset=lot.choice((0, 0, 3)),
    )  # fmt: skip


def test_every_search_finds_the_same(store: PostgresStore, both: SqliteStore) -> None:
    lot = random.Random(13)
    found = 0
    for _ in range(250):
        asked = _any_search(lot)
        ours = store.search(asked)
        assert ours == both.search(asked), asked
        found += bool(ours)
        if ours and asked.order is not Order.STORED:
            after = replace(asked, after=(ours[0].rank, ours[0].id), offset=0)
            assert store.search(after) == both.search(after), after
        distinct = lot.choice((None, ("scenario",), ("tier", "item")))
        assert store.latest(asked, distinct) == both.latest(asked, distinct), (asked, distinct)
    assert found > 60
    assert store.fact(3) == both.fact(3)
