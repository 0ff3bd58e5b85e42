from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from requests import Session

ROOT = Path(__file__).parents[2]
METADATA: dict[str, Any] = yaml.safe_load((ROOT / "datasette_metadata.yml").read_text(encoding="utf-8"))
SECTION: dict[str, Any] = METADATA["databases"]["results"]
QUERIES: dict[str, Any] = SECTION["queries"]
WANTED = {
    *("latest_for_item", "failed_since", "testcase_history", "flaky", "slowest", "never_reported"),
    *("new_failures", "quarantined", "outcomes_by_day"),
    *("waived_now", "waivers_ending", "most_waived", "who_waived", "decisions_flipped"),
}
VIEWS = (
    "result", "latest_result", "testcase", "daily", "daily_testcase", "source", "job", "quarantine",
    "waiver_event", "active_waiver", "expectation", "decision",
)  # fmt: skip
BIG = ("_result", "_run", "_result_pair")


@pytest.fixture
def database(generated: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{generated}?mode=ro", uri=True)
    yield connection
    connection.close()


@pytest.fixture
def values(database: sqlite3.Connection) -> dict[str, str]:
    """Fitting values of every parameter, found in the database."""
    item, testcase = database.execute(
        "select item, testcase from latest_result where outcome = 'FAILED' order by time desc limit 1"
    ).fetchone()
    (against,) = database.execute(
        "select item from latest_result where item <> ? limit 1", (item,)
    ).fetchone()
    return {
        "item": item,
        "against": against,
        "testcase": testcase,
        "since": "",
        "days": "",
        "release": "fedora-40",
    }


@pytest.mark.demand("S-048")
def test_the_promised_questions_are_there_each_with_title_and_description() -> None:
    assert set(QUERIES) >= WANTED
    for name, query in QUERIES.items():
        assert query["title"], name
        assert query["description"], name
        assert query.get("params", []) == [
            p for p in ("item", "against", "since", "testcase", "days", "release") if f":{p}" in query["sql"]
        ]


@pytest.mark.demand("S-048")
@pytest.mark.parametrize("name", QUERIES)
def test_each_question_has_an_answer(client: Session, values: dict[str, str], name: str) -> None:
    asked = {key: values[key] for key in QUERIES[name].get("params", [])}
    rows = client.get(f"/browse/results/{name}.json", params={**asked, "_shape": "array"}).json()
    assert rows
    page = client.get(f"/browse/results/{name}", params=asked)
    assert page.status_code == 200
    assert QUERIES[name]["title"].replace("'", "&#39;") in page.text
    assert ("data-chart" in page.text) is ("chart" in QUERIES[name])


@pytest.mark.parametrize("name", [name for name in QUERIES if "chart" in QUERIES[name]])
def test_a_chart_draws_columns_that_its_question_has(
    database: sqlite3.Connection, values: dict[str, str], name: str
) -> None:
    chart = QUERIES[name]["chart"]
    columns = {column[0] for column in database.execute(QUERIES[name]["sql"], values).description}
    assert {chart[key] for key in ("x", "y", "series") if key in chart} <= columns


@pytest.mark.parametrize("name", QUERIES)
def test_no_question_walks_a_big_table_from_end_to_end(
    database: sqlite3.Connection, values: dict[str, str], name: str
) -> None:
    plan = [row[3] for row in database.execute(f"explain query plan {QUERIES[name]['sql']}", values)]
    scans = [step for step in plan if step.startswith("SCAN r") and "INDEX _result_time" not in step]
    assert scans == []


@pytest.mark.parametrize("name", ["flaky", "slowest", "outcomes_by_day", "sources_by_day", "testcase_by_day"])
def test_trends_read_the_roll_ups_only(
    database: sqlite3.Connection, values: dict[str, str], name: str
) -> None:
    read: set[str] = set()

    def note(action: int, table: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table:
            read.add(table)
        return sqlite3.SQLITE_OK

    database.set_authorizer(note)
    database.execute(QUERIES[name]["sql"], values).fetchall()
    assert read & {"_daily", "_daily_source"}
    assert not read & set(BIG)


def test_flaky_counts_what_spoke_against_the_majority(database: sqlite3.Connection) -> None:
    rows = database.execute(QUERIES["flaky"]["sql"], {"days": "60"}).fetchall()
    testcase, _, passed, failed, flips, percent = rows[0]
    counted = dict(
        database.execute(
            "select outcome, count(*) from result where testcase = ? group by 1", (testcase,)
        ).fetchall()
    )
    assert passed == counted.get("PASSED", 0) + counted.get("INFO", 0)
    assert failed == counted.get("FAILED", 0) + counted.get("ERROR", 0)
    assert flips == min(passed, failed)
    assert percent == pytest.approx(100 * flips / (passed + failed), abs=0.05)
    assert [row[4] for row in rows] == sorted((row[4] for row in rows), reverse=True)


def test_new_failures_leaves_out_what_failed_before(
    database: sqlite3.Connection, values: dict[str, str]
) -> None:
    sql = QUERIES["new_failures"]["sql"]
    assert database.execute(sql, values).fetchall()
    assert database.execute(sql, {**values, "against": values["item"]}).fetchall() == []


def test_sources_by_day_counts_every_result_once(database: sqlite3.Connection) -> None:
    rows = database.execute(QUERIES["sources_by_day"]["sql"], {"days": "60"}).fetchall()
    first = min(row[0] for row in rows)
    (counted,) = database.execute("select count(*) from result where time >= ?", (first,)).fetchone()
    assert sum(row[2] for row in rows) == counted


@pytest.mark.parametrize("view", VIEWS)
def test_exactly_the_columns_that_an_index_backs_can_be_sorted(
    database: sqlite3.Connection, view: str
) -> None:
    backed = set()
    for column in (row[1] for row in database.execute(f"pragma table_info({view})")):
        plan = [
            row[3]
            for row in database.execute(
                f"explain query plan select * from {view} order by {column} desc limit 101"
            )
        ]
        if not any("TEMP B-TREE" in step for step in plan):
            backed.add(column)
    assert set(SECTION["tables"][view]["sortable_columns"]) == backed


@pytest.mark.parametrize("view", ["result", "latest_result"])
def test_the_newest_results_are_walked_by_the_time_index(database: sqlite3.Connection, view: str) -> None:
    plan = [
        row[3]
        for row in database.execute(f"explain query plan select * from {view} order by time desc limit 51")
    ]
    assert plan[0] == "SCAN r USING INDEX _result_time"
    assert not any("TEMP B-TREE" in step for step in plan)


@pytest.mark.parametrize("view", ["result", "latest_result"])
@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("testcase", "SEARCH t USING COVERING INDEX sqlite_autoindex__testcase_1", "_result_testcase"),
        ("item", "SEARCH i USING INDEX sqlite_autoindex__item_1", "_result_item"),
        ("nvr", "SEARCH i USING INDEX _item_nvr", "_result_item"),
        ("outcome", "SEARCH o USING COVERING INDEX sqlite_autoindex__outcome_1", "_result_outcome"),
    ],
)  # fmt: skip
def test_a_filter_starts_from_its_index(
    database: sqlite3.Connection, view: str, column: str, first: str, second: str
) -> None:
    sql = f"explain query plan select * from {view} where {column} = :p0 order by time desc limit 51"
    plan = [row[3] for row in database.execute(sql, {"p0": "x"})]
    assert plan[0].startswith(first)
    assert plan[1].startswith(f"SEARCH r USING INDEX {second} ")
    assert (column in {"outcome", "testcase"}) is not any("TEMP B-TREE" in step for step in plan)


def test_facets_stand_on_small_views_or_count_along_an_index(database: sqlite3.Connection) -> None:
    facets = {name: table["facets"] for name, table in SECTION["tables"].items() if table.get("facets")}
    assert set(facets) - {"decision"} == {"testcase", "daily", "job", "quarantine", "active_waiver"}
    for column in facets["decision"]:
        sql = f"select {column}, count(*) from (select * from decision) where {column} is not null group by 1"
        plan = [row[3] for row in database.execute(f"explain query plan {sql}")]
        assert "USING COVERING INDEX _decision_" in plan[0]
        assert len(plan) == 1


def test_every_internal_table_is_hidden(client: Session, database: sqlite3.Connection) -> None:
    tables = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
    assert {name for name, table in SECTION["tables"].items() if table.get("hidden")} >= tables
    assert "_result_pair" not in client.get("/browse/results").text


@pytest.mark.demand("S-062")
def test_waivers_are_asked_about_and_lead_to_their_pages(client: Session) -> None:
    now = client.get("/browse/results/waived_now")
    assert '<a href="/waiver/W-3">3</a>' in now.text
    assert 'href="/item/bash-5.0-1.fc40"' in now.text
    assert '<a href="/waiver/W-1">1</a>' in client.get("/browse/results/active_waiver").text
    shape = {"_shape": "array"}
    soon = client.get("/browse/results/waivers_ending.json", params={"days": "2", **shape}).json()
    assert [each["waiver"] for each in soon] == [1, 2, 3]
    assert client.get("/browse/results/waivers_ending.json", params={"days": "1", **shape}).json() == []
    most = client.get("/browse/results/most_waived.json", params={"days": "", **shape}).json()
    assert {each["testcase"]: each["waivers"] for each in most} == {
        "baseos.tier1": 1, "dist.rpmdiff": 1, "dist.rpmlint": 1,
    }  # fmt: skip
    who = client.get("/browse/results/who_waived.json", params={"release": "fedora-40", **shape}).json()
    assert [(each["username"], each["step"]) for each in who] == [("jdoe", "grant")] * 3


def test_a_decision_that_flipped_is_shown_and_one_that_did_not_is_not(client: Session) -> None:
    asked = {"days": "", "_shape": "array"}
    rows = client.get("/browse/results/decisions_flipped.json", params=asked).json()
    assert [(each["old_verdict"], each["verdict"]) for each in rows] == [("no-go", "go")]
