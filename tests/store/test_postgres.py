"""What only the store on PostgreSQL promises: commit order, no deadlock, partitions, append-only."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from ci_results.domain.delivery import START
from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.page import Committed, Page
from ci_results.domain.run import Run
from ci_results.domain.search import Attribute, NameQuery, Search
from ci_results.errors import InvalidError
from ci_results.query.results import ResultQuery
from ci_results.store import postgres_partitions
from ci_results.store.postgres import PostgresStore
from ci_results.store.postgres_connections import lock_key
from ci_results.store.postgres_integrity import PARTITIONED, TRIGGERS
from ci_results.testing.decision_rules import awaited, recorded
from ci_results.testing.plan_rules import PLAN
from ci_results.testing.store_contract import result

pytestmark = pytest.mark.needs("postgresql")


def commit(store: PostgresStore, *keys: str, **fields: Any) -> Committed:
    return store.commit_page(Page(source="ci", results=[result(key, **fields) for key in keys]))


def rows(connection: psycopg.Connection[Any], sql: str) -> list[Any]:
    return connection.execute(sql.encode()).fetchall()


def at_once(*work: Callable[[], None]) -> None:
    """Run each on a thread; raise what the first of them raised."""
    problems: list[BaseException] = []

    def run(one: Callable[[], None]) -> None:
        try:
            one()
        except Exception as err:  # noqa: BLE001 (raised below)
            problems.append(err)

    threads = [Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


# -- commit order ----------------------------------------------------------------------------------


def test_who_follows_after_a_seq_loses_nothing_under_eight_writers(url: str) -> None:
    """A cursor of ids lost 4,216 of 7,200 rows so."""
    stores = [PostgresStore.open(url) for _ in range(4)]
    written, followed = Event(), list[int]()

    def write(worker: int) -> None:
        for n in range(15):
            many = random.Random(worker * 100 + n).randint(1, 12)
            page = [result(f"{worker}-{n}-{i}", source=f"s{worker}") for i in range(many)]
            stores[worker % 4].commit_page(Page(source=f"s{worker}", results=page))

    def follow() -> None:
        after, last = 0, False
        with psycopg.connect(url, autocommit=True) as connection:
            while not last:
                last = written.is_set()
                found = connection.execute(
                    "select seq, id from _result where seq > %s order by seq, id", (after,)
                ).fetchall()
                followed.extend(number for _seq, number in found)
                after = found[-1][0] if found else after

    follower = Thread(target=follow)
    follower.start()
    at_once(*(lambda worker=worker: write(worker) for worker in range(8)))
    written.set()
    follower.join()
    with psycopg.connect(url) as connection:
        there = [number for (number,) in rows(connection, "select id from _result order by id")]
        seqs = [seq for (seq,) in rows(connection, "select seq from _commit order by seq")]
    assert sorted(followed) == there
    assert there == list(range(1, len(there) + 1))
    assert seqs == list(range(1, 8 * 15 + 1))
    assert stores[0].check() == []
    for store in stores:
        store.close()


@pytest.mark.timeout(60)
def test_eight_writers_with_the_same_new_names_in_another_order_never_deadlock(
    url: str, store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    """Interned within the page they had 11 deadlocks, and 1/140 of the speed."""
    stores = [PostgresStore.open(url) for _ in range(4)]

    def write(worker: int) -> None:
        lot = random.Random(worker)
        for n in range(8):
            names = [f"{n}-{i}" for i in range(60)]
            lot.shuffle(names)
            page = [
                result(
                    f"{worker}-{name}", source=f"s{worker}", testcase=f"ns.t{name}", item=f"i{name}-1-1",
                    scenario=f"v{name}", data={"tag": (f"a{name}", f"b{name}")}, run=Run(key=name),
                )
                for name in names
            ]  # fmt: skip
            groups = tuple(f"g{name}" for name in names[:5])
            page = [replace(one, groups=groups) for one in page]
            stores[worker % 4].commit_page(Page(source=f"s{worker}", results=page))

    at_once(*(lambda worker=worker: write(worker) for worker in range(8)))
    assert store.counts()["results"] == 8 * 8 * 60
    assert store.counts()["testcases"] == 8 * 60
    assert rows(stranger, "select count(*), count(distinct (key, value)) from _pair where key = 'tag'") == [
        (960, 960)
    ]
    assert sum(group.results for group in store.groups(NameQuery(limit=1000))) == 8 * 8 * 60 * 5
    assert store.check() == []
    for one in stores:
        one.close()


def test_a_page_that_others_overtook_is_sorted_out_anew(url: str, store: PostgresStore) -> None:
    """Two doors bring the same results at once: what the other stored meanwhile is a repeat by then."""
    other = PostgresStore.open(url)
    pages = [Page(source="ci", results=[result(f"k{n}") for n in range(40)], tell_ids=True)] * 12
    answers: list[Committed] = []
    at_once(*(
        lambda one=one, page=page: answers.append(one.commit_page(page))
        for one, page in zip([store, other] * 6, pages, strict=True)
    ))  # fmt: skip
    assert sorted(answer.stored for answer in answers) == [0] * 11 + [40]
    assert len({answer.ids for answer in answers}) == 1
    assert store.counts()["results"] == 40
    assert store.check() == []
    other.close()


# -- partitions ------------------------------------------------------------------------------------


@pytest.fixture
def small_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_partitions, "ROWS", 10)


def test_pages_cross_from_one_partition_into_the_next(
    small_partitions: None, store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    for n in range(4):
        commit(store, *(f"{n}-{i}" for i in range(7)))
    commit(store, *(f"long-{i}" for i in range(25)))
    there = rows(
        stranger, "select tableoid::regclass::text, count(*), min(id), max(id) from _result group by 1"
    )
    assert sorted((low, high, count) for _name, count, low, high in there) == [
        (1, 9, 9), (10, 19, 10), (20, 29, 10), (30, 39, 10), (40, 49, 10), (50, 53, 4),
    ]  # fmt: skip
    assert store.counts()["results"] == 53
    assert [one.id for one in store.results(ResultQuery(limit=100))] == list(range(53, 0, -1))
    assert commit(store, "0-0", "long-24").same == 2
    assert store.check() == []


def test_an_identity_is_one_over_all_partitions(
    small_partitions: None, store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    commit(store, *(f"k{n}" for n in range(25)))
    again = f"insert into _result select 26, {NAMED}, {REST} from _result where id = 1"
    with pytest.raises(psycopg.errors.UniqueViolation, match="_result is append-only"):
        stranger.execute(again.encode())
    assert store.check() == []


def test_partitions_are_made_ahead(
    small_partitions: None, store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    commit(store, *(f"k{n}" for n in range(7)))
    count = "select count(*) from pg_inherits where inhparent = '_result'::regclass"
    assert rows(stranger, count) == [(2,)]


# -- append-only -----------------------------------------------------------------------------------

NAMED = "seq, source, run, testcase, item, variant, outcome, rank, submit_time, duration, note, ref_url, data"
REST = "key, identity, digest, time, groups"


@pytest.mark.demand("S-061")
@pytest.mark.parametrize(
    "statement",
    [
        "update _result set outcome = 1",
        "delete from _result",
        "truncate _result",
        "update _result_0 set outcome = 1",
        "delete from _result_0",
        "truncate _result_0",
        "insert into _result select * from _result on conflict (id) do update set outcome = 1",
        f"insert into _result select 99, {NAMED}, {REST} from _result",
        f"insert into _result_0 select 99, {NAMED}, {REST} from _result",
        "insert into _result select * from _result",
        "delete from _identity",
        "update _identity set digest = 0",
        "truncate _identity",
        "update _run set data = '{}'",
        "delete from _run",
        "truncate _run",
        "insert into _run select * from _run",
        "update _testcase set name = 'other.name'",
        "update _item set name = 'other'",
        "update _pair set value = 'other'",
        "update _variant set arch = 'other'",
        "update _outcome set word = 'other' where id = 1",
        "update _plan set cases = '[]'",
        "delete from _plan",
        "truncate _plan",
        "insert into _plan select * from _plan",
        "update _event set owner = 'me'",
        "delete from _event",
        "truncate _event",
        "insert into _event select * from _event",
        "update _expectation set due = null",
        "delete from _expectation",
        "truncate _expectation",
        "update _decision set verdict = 'go'",
        "delete from _decision",
        "truncate _decision",
        "insert into _decision select * from _decision",
    ],
)
def test_nobody_changes_what_is_stored(
    store: PostgresStore, stranger: psycopg.Connection[Any], statement: str
) -> None:
    commit(store, "k1")
    store.save_plan(PLAN, "jdoe", before=0)
    store.save_events([awaited()])
    store.decisions.record(store.decisions.begin(), START, "", [recorded()])
    before = list(store.dump())
    with pytest.raises(psycopg.IntegrityError, match=r"append-only|keeps its name|never changes|_pkey"):
        stranger.execute(statement.encode())
    assert list(store.dump()) == before


@pytest.mark.parametrize("trigger", [*PARTITIONED, *TRIGGERS])
def test_a_store_that_lost_a_trigger_is_not_sound(
    store: PostgresStore, stranger: psycopg.Connection[Any], trigger: str
) -> None:
    tables = rows(
        stranger,
        f"select tgrelid::regclass::text from pg_trigger where tgname = '{trigger}' and tgparentid = 0"
        " and tgrelid in (select oid from pg_class where relnamespace = current_schema()::regnamespace)",
    )
    for (table,) in tables:
        stranger.execute(f"drop trigger {trigger} on {table}".encode())
    assert tables
    assert all(trigger in problem for problem in store.check())
    assert store.check()


def test_every_trigger_the_check_knows_is_there(stranger: psycopg.Connection[Any]) -> None:
    there = rows(
        stranger,
        "select distinct tgname from pg_trigger join pg_class c on c.oid = tgrelid"
        " where relnamespace = current_schema()::regnamespace and not tgisinternal",
    )
    assert {name for (name,) in there} == {*PARTITIONED, *TRIGGERS}


def test_rows_added_behind_our_back_are_noticed(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    commit(store, "k1")
    stranger.execute("alter table _result disable trigger user")
    stranger.execute("delete from _result")
    stranger.execute("alter table _result enable trigger user")
    assert "commits tell of 1 results, the store has 0" in store.check()


# -- texts -----------------------------------------------------------------------------------------


def test_long_values_are_pairs_like_others(store: PostgresStore) -> None:
    """An index of PostgreSQL refuses a row of more than 2.7 kB, and compresses no noise."""
    lot = random.Random(7)

    def noise(length: int) -> str:
        return "".join(chr(lot.randrange(0x20000, 0x2A6D0)) for _ in range(length))

    start = noise(20_000)
    one, two = start + noise(10), start + noise(10)
    name, job, uuid = f"ns.{noise(1000)}", noise(4000), noise(1024)
    given = [
        replace(
            result(key, testcase=name, run=Run(key=job, data={"long": one}), data={"v": value}, scenario=one),
            item=two, groups=(uuid,),
        )
        for key, value in (("k1", one), ("k2", two), (noise(4096), one))
    ]  # fmt: skip
    page = Page(source="ci", results=given, jobs=[Job(name=job)], quarantine=[Garbled(raw=b"x", reason=one)])
    assert store.commit_page(page).stored == 3
    assert store.commit_page(page).same == 3

    def found(**asked: Any) -> int:
        return len(store.search(Search(**asked)))

    assert found(attributes=(Attribute(key="v", values=(one,)),)) == 2
    assert found(attributes=(Attribute(key="v", values=(two,)),)) == 1
    assert found(attributes=(Attribute(key="v", values=(f"{start}*",), pattern=True),)) == 3
    assert found(attributes=(Attribute(key="long", values=(one,)),)) == 3
    assert found(testcases=(name,)) == found(testcase_patterns=(name[:900] + "*",)) == 3
    assert found(groups=(uuid,)) == 3
    assert [one.name for one in store.testcases(NameQuery())] == [name]
    assert len(store.results(ResultQuery(item=two, run=job, testcase=name))) == 3
    assert [one.job for one in store.jobs()] == [job]
    assert store.check() == []


def test_a_nul_or_a_lone_surrogate_is_refused_with_its_page(store: PostgresStore) -> None:
    good = result("good", testcase="ns.good")
    for changed in (
        {"note": "a\0b"}, {"key": "a\0b"}, {"testcase": "ns.a\0b"}, {"item": "\0"}, {"data": {"a": ("\0",)}},
        {"run": Run(key="\0")}, {"groups": ("\0",)}, {"note": "\ud800"}, {"key": "\ud800"},
        {"data": {"\ud800": ("a",)}}, {"run": Run(key="\ud800")}, {"scenario": "\ud800"},
    ):  # fmt: skip
        with pytest.raises(InvalidError, match="cannot be stored"):
            store.commit_page(Page(source="ci", results=[good, replace(good, **changed)]))
    for page in (Page(source="a\0b", results=[good]), Page(source="ci", cursor="\0")):
        with pytest.raises(InvalidError, match="cannot be stored"):
            store.commit_page(page)
    assert store.counts()["results"] == 0
    commit(store, "k1")
    assert store.counts()["results"] == 1


def test_what_is_quarantined_may_have_any_name(store: PostgresStore) -> None:
    bad = Garbled(raw=b"\0\xff", reason="a\0b", key="\ud800", position="\0")
    store.commit_page(Page(source="ci", quarantine=[bad, bad], jobs=[Job(name="j\0")]))
    (record,) = store.quarantined()
    assert (record.raw, record.reason, record.key, record.position, record.seen) == (
        b"\0\xff", "a\\x00b", "\\ud800", "\\x00", 2,
    )  # fmt: skip
    store.note_attempt("ci", "HTTP 500: \0")
    store.resolve(record.id, "\0")
    assert store.sources()[0].last_error == "HTTP 500: \\x00"


# -- roll-ups --------------------------------------------------------------------------------------


def wait_for(said: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not said() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert said()


def test_a_follower_counts_the_days_and_no_page_waits_for_it(
    store: PostgresStore, stranger: psycopg.Connection[Any]
) -> None:
    (schema,) = rows(stranger, "select current_schema()")[0]
    counted = "select coalesce(sum(n), 0) from _daily"
    with stranger.transaction():
        stranger.execute("select pg_advisory_xact_lock(%s)", (lock_key(schema, "daily"),))
        commit(store, "k1", "k2")
        assert rows(stranger, counted) == [(0,)]
    commit(store, "k3")
    wait_for(lambda: rows(stranger, counted) == [(3,)])
    commit(store, "k1", outcome="failed")
    assert store.check() == []
    assert rows(stranger, counted) == [(3,)]


def test_a_store_that_is_closed_has_counted_its_days(url: str) -> None:
    with PostgresStore.open(url) as store:
        commit(store, "k1")
    with psycopg.connect(url) as connection:
        assert rows(connection, "select results from daily") == [(1,)]
