"""The example queries of the mission, on 10,000 results, against the oracle."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.normalise.submitted import submitted
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import result
from ci_results.wire.resultsdb_post import result_table, submission

from .asking import Asked
from .oracle import Group, Oracle, Query, Stored
from .places import analyse, opened, place

ROWS = 10_000
PAGE = 100
WORDS = ("PASSED", "PASSED", "PASSED", "FAILED", "INFO", "NEEDS_INSPECTION")
TABLE = result_table(WORDS)
CASES = [
    f"{ns}.{test}" for ns in ("general", "dist") for test in ("rpmlint", "rpmgrill", "abicheck", "rpmdiff/x")
]
ITEMS = [f"{name}-5.2-{n}.fc40" for name in ("bash", "zsh", "kernel") for n in range(60)]
START = datetime(2016, 12, 1, tzinfo=UTC)
NVR = ITEMS[7]

Filled = tuple[Store, Asked, Oracle]


@pytest.fixture(scope="module")
def filled(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """10,000 results: pages that were posted, and pages of runs that were harvested, in turn."""
    lot = random.Random(47)
    oracle = Oracle()
    for case in CASES:
        oracle.testcases[case] = None
    with (
        place(kind, tmp_path_factory.mktemp("oracle")) as url,
        closing(open_store(url)) as store,
        closing(Asked(store)) as api,
    ):
        for page in range(ROWS // PAGE):
            rows = [row(lot) for _ in range(PAGE)]
            ids = (post if page % 2 else harvest)(store, page, rows)
            for number, one in zip(ids, rows, strict=True):
                enter(oracle, number, one, harvested=not page % 2)
        analyse(url)
        yield store, api, oracle


def row(lot: random.Random) -> dict[str, Any]:
    """Make up a result."""
    return {
        "testcase": lot.choice(CASES),
        "outcome": lot.choice(WORDS),
        "item": lot.choice(ITEMS),
        "type": "koji_build",
        "time": START + timedelta(seconds=lot.randrange(0, 120 * 86_400, 600)),
        "scenario": lot.choice([None, "uefi", "bios"]),
        "arch": lot.choice(["x86_64", "s390x"]),
        "groups": [f"group-{lot.randrange(40)}"],
    }


def post(store: Store, page: int, rows: list[dict[str, Any]]) -> tuple[int, ...]:
    """Store rows as the API does, many at once."""
    results = []
    for n, one in enumerate(rows):
        data = {"item": one["item"], "type": one["type"], "arch": one["arch"]}
        data |= {"scenario": one["scenario"]} if one["scenario"] else {}
        body = {
            "testcase": one["testcase"], "outcome": one["outcome"], "groups": one["groups"], "data": data,
            "submit_time": f"{one['time']:%Y-%m-%dT%H:%M:%S}.0",
        }  # fmt: skip
        results += submitted(submission(body, TABLE, str), f"{page}.{n}", "api").results
    return store.commit_page(Page(source="api", door="api", results=results, tell_ids=True)).ids


def harvest(store: Store, page: int, rows: list[dict[str, Any]]) -> tuple[int, ...]:
    """Store rows as a harvest does: ten runs, whose results interleave."""
    results = []
    for n, one in enumerate(rows):
        fields = {key: one[key] for key in ("testcase", "item", "time", "scenario", "arch")}
        run = Run(key=f"job#{page}.{n % 10}", data={"job": "job"})
        results.append(
            result(
                str(n), outcome=one["outcome"].lower().replace("needs_inspection", "error"), run=run, **fields
            )
        )
    return store.commit_page(Page(source="ci", results=results, tell_ids=True)).ids


def enter(oracle: Oracle, number: int, one: dict[str, Any], *, harvested: bool) -> None:
    """Tell the oracle of a row."""
    data = {key: [one[key]] for key in ("item", "type", "arch", "scenario") if one[key]}
    data |= {"job": ["job"]} if harvested else {}
    outcome = one["outcome"].replace("NEEDS_INSPECTION", "ERROR") if harvested else one["outcome"]
    time = one["time"].replace(tzinfo=None)
    groups = [] if harvested else one["groups"]
    for uuid in groups:
        oracle.groups.setdefault(uuid, Group())
    oracle.stored.append(Stored(number, time, time, outcome, one["testcase"], data, groups))


def ids(rows: Any) -> list[int]:
    return [one["id"] if isinstance(one, dict) else one.id for one in rows]


def whole(api: Asked, path: str, query: Query, limit: int) -> list[int]:
    """Follow `next` to the end."""
    page = api.get(path, [*query, ("limit", str(limit))])
    found = ids(page["data"])
    while page["next"]:
        page = api.follow(page["next"])
        found += ids(page["data"])
    return found


@pytest.mark.demand("S-047")
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "query",
    [
        pytest.param([("testcases", "general.rpmlint")], id="a"),
        pytest.param([("testcases:like", "dist.*")], id="b"),
        pytest.param([("item", NVR)], id="c"),
        pytest.param([("item:like", "bash-*")], id="d"),
        pytest.param([("type", "koji_build"), ("item", NVR)], id="e"),
        pytest.param([("outcome", "FAILED,NEEDS_INSPECTION")], id="f"),
        pytest.param([("since", "2017-01-01T00:00:00,2017-02-01T00:00:00")], id="g"),
        pytest.param([], id="everything"),
    ],
)
def test_a_list_is_the_oracles_whole_and_by_pages(filled: Filled, query: Query) -> None:
    _store, api, oracle = filled
    wanted = ids(oracle.results(query))
    assert wanted
    assert ids(api.get("/results", query)["data"]) == wanted[:20]
    assert ids(api.get("/results", [*query, ("page", "3")])["data"]) == wanted[60:80]
    assert whole(api, "/results", query, 997) == wanted


@pytest.mark.demand("S-047")
@pytest.mark.parametrize(
    "query",
    [
        pytest.param([("item", NVR)], id="h"),
        pytest.param([("item", NVR), ("_distinct_on", "scenario,arch")], id="i"),
        pytest.param([("testcases:like", "dist.*"), ("since", "2017-01-15")], id="of testcases"),
        pytest.param([("item:like", "bash-*"), ("_distinct_on", "item,arch")], id="of every item"),
    ],
)
def test_the_latest_are_the_oracles(filled: Filled, query: Query) -> None:
    _store, api, oracle = filled
    wanted = ids(oracle.latest(query))
    assert wanted
    assert ids(api.get("/results/latest", query)["data"]) == wanted


@pytest.mark.demand("S-047")
def test_the_results_of_a_group_are_the_oracles(filled: Filled) -> None:
    _store, api, oracle = filled
    wanted = ids(one for one in oracle.results([]) if "group-7" in one.groups)
    assert whole(api, "/groups/group-7/results", [], 50) == wanted
    assert api.get("/groups/group-7")["results_count"] == len(wanted)


@pytest.mark.demand("S-047")
def test_testcases_by_pattern_are_the_oracles(filled: Filled) -> None:
    _store, api, oracle = filled
    query = [("name:like", "dist.rpm*")]
    found = [one["name"] for one in api.get("/testcases", query)["data"]]
    assert found == oracle.listed_testcases(query) == ["dist.rpmdiff/x", "dist.rpmgrill", "dist.rpmlint"]


class Inserting:
    """Stores a thousand new results a second, all of them newer than any before, until told to end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.stored = 0

    def _run(self) -> None:
        while not self._end.wait(0.025):
            page = [result(f"late{self.stored + n}", source="late", time=None) for n in range(25)]
            self._store.commit_page(Page(source="late", results=page))
            self.stored += 25

    def __enter__(self) -> Inserting:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._thread.join()


@pytest.mark.demand("S-047")
@pytest.mark.timeout(120)
def test_paging_yields_every_row_once_while_rows_come_in(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By cursor in any order; by `next` where what is new comes last, or lies outside the asked time."""
    with opened(kind, tmp_path_factory.mktemp("moving")) as store, closing(Asked(store)) as api:
        given: list[int] = []
        for page in range(10):
            rows = [result(f"{page}.{n}", time=START + timedelta(minutes=n)) for n in range(200)]
            given += store.commit_page(Page(source="ci", results=rows, tell_ids=True)).ids
        with Inserting(store) as inserting:
            while not (began := inserting.stored):
                pass
            by_cursor: list[int] = []
            page_ = api.get("/results", [("limit", "50")])
            while True:
                by_cursor += ids(page_["data"])
                if page_["next_cursor"] is None:
                    break
                page_ = api.get("/results", [("limit", "50"), ("_after", page_["next_cursor"])])
            rising = whole(api, "/results", [("_sort", "asc:submit_time")], 50)
            within = whole(api, "/results", [("since", "2016-12-01,2016-12-31")], 50)
        assert inserting.stored > began
    for found in (by_cursor, rising, within):
        assert len(found) == len(set(found))
        assert set(given) <= set(found)
    assert set(within) == set(given)
