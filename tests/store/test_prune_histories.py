"""Results leave a store as if they had never been there, but for the rows that say so: any history."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from history import live
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ci_results.domain.pruning import Criteria, Order
from ci_results.operations.export_feed import export_feed
from ci_results.operations.feeds import feeds_at
from ci_results.operations.replay import Replaying, difference, replay
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON

EXAMPLES = int(os.environ.get("CI_RESULTS_PRUNE_EXAMPLES", "8"))
"""Histories that are looked at."""

ORDER = Order(username="jdoe", comment="room for new ones", begun=NOON)
KINDS = [
    "sqlite",
    pytest.param("postgresql", marks=[pytest.mark.needs("postgresql"), pytest.mark.timeout(120)]),
]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Give URLs of empty places, on each kind of store."""
    if request.param == "postgresql":
        postgresql = request.getfixturevalue("postgresql")
        numbers = iter(range(10_000))
        yield lambda: str(postgresql(f"p{next(numbers)}"))
        return
    with TemporaryDirectory() as folder:
        numbers = iter(range(10_000))
        yield lambda: f"sqlite:{folder}/{next(numbers)}.db"


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def again(store: Store, *feeds: Path) -> None:
    done = replay(Replaying(store=store, feeds=feeds_at([str(feed) for feed in feeds], lambda: io.BytesIO())))
    assert (done.damaged, done.first, done.whole) == (0, None, True)


def without(feed: Path, left: set[int]) -> Path:
    """Write the feed of a store that never had these results."""
    target = feed.with_suffix(".without.jsonl")
    lines = []
    for line in feed.read_text().splitlines():
        said = json.loads(line)
        if said["event"] == "result" and said["id"] in left:
            continue
        if said["event"] == "message":
            said["results"] = [number for number in said["results"] if number not in left]
        lines.append(json.dumps(said))
    target.write_text("\n".join(lines) + "\n")
    return target


def facts(store: Store, *, but: str = "") -> list[str]:
    return [line for line in store.dump() if json.loads(line)["fact"] != but]


def asked(store: Store, sql: str) -> list[Any]:
    return store.outbox._ask(sql, {})


def criteria(hours: int, all_states: bool, source: str | None) -> Criteria:
    return Criteria(
        before=NOON + timedelta(hours=hours, microseconds=1), all_states=all_states, source=source
    )


HISTORIES = given(
    seed=st.integers(0, 2**32), steps=st.integers(1, 40), hours=st.integers(0, 10_000),
    all_states=st.booleans(), source=st.sampled_from([None, "ci"]),
)  # fmt: skip


def check_history(
    place: Callable[[], str], seed: int, steps: int, hours: int, all_states: bool, source: str | None
) -> None:
    with TemporaryDirectory() as folder, opened(place()) as store:
        before, after = Path(folder) / "1.jsonl", Path(folder) / "2.jsonl"
        live(store, seed, steps)
        export_feed(store, before)
        assert store.check() == []  # which counts the days
        latest = asked(store, "select id from latest_result order by id")
        there = {row[0] for row in asked(store, "select id from result")}
        days = [asked(store, f"select sum(results) from {view}") for view in ("daily", "daily_testcase")]
        which = criteria(hours, all_states, source)
        seen = list(store.pruning.foresee(which))
        assert {row[0] for row in asked(store, "select id from result")} == there
        done = list(store.pruning.prune(which, ORDER))
        assert [step.leaving for step in done] == [step.leaving for step in seen]
        assert [step.kept for step in done] == [step.kept for step in seen]
        left = there - {row[0] for row in asked(store, "select id from result")}
        assert len(left) == sum(sum(step.leaving.values()) for step in done)
        assert store.check() == []
        if not all_states:
            assert asked(store, "select id from latest_result order by id") == latest
        assert days == [asked(store, f"select sum(results) from {v}") for v in ("daily", "daily_testcase")]
        for table, column in (
            ("_result_pair", "result"), ("_result_group", "result"), ("_signature", "result"),
            ("_superseded", "old"), ("_superseded", "new"), ("_result_message", "result"),
        ):  # fmt: skip
            gone = f"not exists (select 1 from _result r where r.id = x.{column})"
            assert asked(store, f"select count(*) from {table} x where {gone}")[0][0] == 0, table
        unused = "select count(*) from _run u where not exists (select 1 from _result r where r.run = u.id)"
        assert asked(store, unused)[0][0] == 0
        pairs = "select count(*) from _run_pair p where not exists (select 1 from _run u where u.id = p.run)"
        assert asked(store, pairs)[0][0] == 0
        assert [step.leaving for step in store.pruning.prune(which, ORDER) if step.leaving] == []
        with opened(place()) as never:
            again(never, without(before, left))
            assert facts(never, but="prune") == facts(store, but="prune")
        live(store, seed + 1, 3)
        export_feed(store, after)
        for feeds in ((after,), (before, after)):
            with opened(place()) as made:
                again(made, *feeds)
                assert difference(store, made) is None
                assert made.check() == []
                again(made, before)
                assert difference(store, made) is None
                assert made.check() == []


@pytest.mark.timeout(300)
@pytest.mark.demand("S-039")
def test_any_history_is_as_if_what_left_had_never_been_there(
    place: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    examples = EXAMPLES if "sqlite" in request.node.name else max(1, EXAMPLES // 4)

    @settings(max_examples=examples, deadline=None, phases=[Phase.generate])
    @HISTORIES
    def check(**history: Any) -> None:
        check_history(place, **history)

    check()
