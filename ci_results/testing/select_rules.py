"""What every store must do with the SELECTs of rules; part of StoreContract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ..domain.asked import SelectOf
from ..domain.facts import Selected
from ..domain.observation import Observation
from ..domain.page import Page
from ..domain.search import Search
from ..normalise.normaliser import Normaliser
from ..store.protocol import Store

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_WORDS = {"passed": "PASSED", "failed": "FAILED"}


def _fill(store: Store, count: int = 4) -> None:
    normalise = Normaliser("ci", _WORDS)
    page = [
        Observation(
            key=str(number), testcase=f"ns.t{number % 2}", outcome="failed" if number % 3 else "passed",
            item="bash-5.2-1.fc40", item_type="koji_build", time=_NOON + timedelta(hours=number),
            note=None if number == 1 else f"Boom 50% {number}", duration_s=number / 2,
            data={"tier": (str(number), "x")},
        )
        for number in range(count)
    ]  # fmt: skip
    store.commit_page(Page(source="ci", results=list(map(normalise, page))))


def _ask(store: Store, select: str, **values: Any) -> Selected:
    return store.select(SelectOf(select, tuple(values.items()), 20))


class SelectRules:
    """Tests of a `store`; see StoreContract."""

    @pytest.mark.demand("S-095")
    @pytest.mark.parametrize(
        ("select", "rows"),
        [
            ("select key from result where item = :item", [("0",), ("1",), ("2",), ("3",)]),
            ("select key from result order by time desc", [("3",), ("2",), ("1",), ("0",)]),
            ("select key, note from result order by note", [
                ("1", None), ("0", "Boom 50% 0"), ("2", "Boom 50% 2"), ("3", "Boom 50% 3")]),
            ("select key from result order by outcome, time desc limit 3", [("2",), ("1",), ("3",)]),
            ("select key from result order by key limit 1 offset 2", [("2",)]),
            ("select testcase, count(*), sum(duration_s), avg(duration_s) from result group by testcase", [
                ("ns.t0", 2, 1, 0.5), ("ns.t1", 2, 2, 1)]),
            ("select key from result where note like '%BOOM 50% 2'", [("2",)]),
            ("select data ->> '$.tier[0]' from result where key = '3'", [("3",)]),
            ("select json_extract(data, '$.tier') from result where key = '3'", [('["3","x"]',)]),
            ("select outcome, sum(case when key > '1' then 1 else 0 end) from result group by outcome", [
                ("FAILED", 1), ("PASSED", 1)]),
            ("with f as (select key from result where outcome = 'FAILED') select max(key) from f", [("2",)]),
            ("select key from result where id in (select id from latest_result) union select 'z'", [
                ("2",), ("3",), ("z",)]),
            ("select name, substr(last_result, 1, 10) from testcase", [
                ("ns.t0", "2026-03-01"), ("ns.t1", "2026-03-01")]),
            ("select outcome, results from daily where day = '2026-03-01'", [("FAILED", 2), ("PASSED", 2)]),
            ("select coalesce(note, 'none') || '!' from result where note is null", [("none!",)]),
            ("select distinct upper(testcase) from result where :package is null", [("NS.T0",), ("NS.T1",)]),
            ("select 1 from result where time < '2026'", []),
            ("select round(1.25, 1), 7 / 2, 7 % 4, length('ž'), nullif(1, 1)", [(1.3, 3, 3, 1, None)]),
            ("select count(*) from job", [(0,)]),
            ("select name, quarantined from source", [("ci", 0)]),
        ],
    )  # fmt: skip
    def test_a_select_gives_the_same_rows_everywhere(
        self, store: Store, select: str, rows: list[Any]
    ) -> None:
        _fill(store)
        store.check()  # so that what is counted by day is counted
        asked = {"item": "bash-5.2-1.fc40", "package": None}
        given = {name: value for name, value in asked.items() if f":{name}" in select}
        assert _ask(store, select, **given) == Selected(tuple(rows))

    def test_rows_and_texts_are_cut(self, store: Store) -> None:
        _fill(store, 30)
        found = _ask(store, "select id from result order by id desc")
        ids = sorted((one.id for one in store.search(Search(limit=100))), reverse=True)
        assert found.rows == tuple((number,) for number in ids[:20])
        (row,) = _ask(store, f"select '{'x' * 300}'").rows
        assert row == (f"{'x' * 199}…",)

    def test_values_are_never_taken_for_sql(self, store: Store) -> None:
        _fill(store)
        for value in ("' or 1=1 --", "%", ":item", "%(item)s", "a\\", "\u017e", "x'; drop table _result"):
            assert _ask(store, "select :item", item=value) == Selected(((value,),))
            assert _ask(store, "select key from result where item = :item", item=value) == Selected()
        assert _ask(store, "select ':item', '%s', 'it''s', '?', '::x'").rows == (
            (":item", "%s", "it's", "?", "::x"),
        )  # fmt: skip

    @pytest.mark.parametrize(
        "select",
        [
            "select * from _result",
            "select pg_sleep(60)",
            "select load_extension('x')",
            "select random()",
            "select no_such_column from result",
            "select count(note, note) from result",
            "select key from result where key = 'x",
        ],
    )
    def test_what_cannot_be_run_says_why_and_leaves_the_moment_whole(self, store: Store, select: str) -> None:
        _fill(store)
        with store.at_one_commit() as (seq, *_):
            found = _ask(store, select)
            assert found.rows == ()
            assert found.error
            assert store.waivers.seq() == seq
            assert len(store.search(Search())) == 4
            assert _ask(store, "select count(*) from result").rows == ((4,),)

    def test_what_cannot_be_stored_is_no_fault_of_ours(self, store: Store) -> None:
        for value in ("a\x00b", "\ud800"):
            found = _ask(store, "select key from result where item = :item", item=value)
            assert found.rows == ()

    def test_what_reads_too_much_ends(self, store: Store) -> None:
        _fill(store, 60)
        many = ", ".join(f"result r{n}" for n in range(6))
        found = _ask(store, f"select count(*) from {many} where r0.note || r5.note = 'x'")  # noqa: S608
        assert found.rows == ()
        assert "reads too much" in str(found.error)
        assert _ask(store, "select count(*) from result").rows == ((60,),)
        assert len(store.search(Search(limit=100))) == 60

    def test_a_select_sees_the_moment_that_is_read(self, store: Store) -> None:
        _fill(store)
        with store.at_one_commit():
            store.register_source(store.sources()[0])
            normalise = Normaliser("ci", _WORDS)
            late = Observation(
                key="late", testcase="ns.t", outcome="passed", item="a-1-1.fc40", item_type="rpm"
            )
            store.commit_page(Page(source="ci", results=[normalise(late)]))
            assert _ask(store, "select count(*) from result").rows == ((4,),)
        assert _ask(store, "select count(*) from result").rows == ((5,),)
