from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import pytest
from requests import Session

from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.serve.answers import item_path
from ci_results.store.sqlite import SqliteStore

Serve = Callable[[Path], AbstractContextManager[Session]]
PAGES = [
    "/",
    "/coverage",
    "/item/bash-5.0-1.fc40",
    "/item/bash",
    "/item/nobody-knows-this",
    "/quarantine",
    "/quarantine/3",
    "/compare",
    "/policies",
    "/inbox",
    "/waiver/-/new",
    "/waiver/W-1",
    "/manual",
    "/manual/beta",
    "/manual/beta/bash-5.0-1.fc40",
    "/manual/nobody-knows-this",
]


@pytest.mark.demand("S-040")
@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_a_json_twin_that_it_links(client: Session, path: str) -> None:
    page = client.get(path)
    twin = client.get(f"{path}?format=json")
    assert page.headers["content-type"].startswith("text/html")
    assert f'href="{path}?format=json"' in page.text
    assert twin.headers["content-type"] == "application/json"
    assert twin.status_code == page.status_code
    assert twin.json()


@pytest.mark.parametrize(
    ("suffixed", "path"),
    [
        ("/index.json", "/"),
        ("/coverage.json", "/coverage"),
        ("/item/bash-5.0-1.fc40.json", "/item/bash-5.0-1.fc40"),
        ("/quarantine.json", "/quarantine"),
        ("/compare.json", "/compare"),
        ("/policies.json", "/policies"),
        ("/inbox.json", "/inbox"),
        ("/waiver/-/new.json", "/waiver/-/new"),
        ("/waiver/W-1.json", "/waiver/W-1"),
        ("/manual.json", "/manual"),
        ("/manual/beta.json", "/manual/beta"),
        ("/manual/beta/bash-5.0-1.fc40.json", "/manual/beta/bash-5.0-1.fc40"),
        ("/quarantine/3.json", "/quarantine/3"),
    ],
)
def test_a_json_suffix_says_the_same_as_the_format(client: Session, suffixed: str, path: str) -> None:
    assert client.get(suffixed).json() == client.get(f"{path}?format=json").json()


def test_the_first_page_counts_what_is_there(client: Session) -> None:
    facts = client.get("/index.json").json()
    assert facts["counts"]["results"] == 20_000
    assert facts["counts"]["quarantined"] == 12
    assert {row["name"]: row["state"] for row in facts["sources"]}["virt"] == "failing"
    assert sum(row["results"] for row in facts["sources"]) == 20_000
    assert len({row["day"] for row in facts["trend"]}) == 30
    assert [row["time"] for row in facts["latest"]] == sorted(
        (row["time"] for row in facts["latest"]), reverse=True
    )


def test_every_stop_of_the_tour_leads_somewhere_with_something_to_see(client: Session) -> None:
    stops = client.get("/index.json").json()["stops"]
    assert len(stops) == 11
    for stop in stops:
        answer = client.get(f"/{stop['path']}")
        assert answer.status_code == 200, stop
        assert "No rows" not in answer.text, stop


def test_times_show_utc_and_how_long_ago(client: Session) -> None:
    page = client.get("/").text
    assert "2026-01-31 12:00:00 UTC" in page or "UTC</time>" in page
    assert " h ago" in page


def test_an_item_shows_its_worst_result_first(client: Session) -> None:
    outcomes = [row["outcome"] for row in client.get("/item/bash-5.0-1.fc40.json").json()["results"]]
    order = ["FAILED", "ERROR", "NEEDS_INSPECTION", "INFO", "PASSED"]
    assert [order.index(word) for word in outcomes] == sorted(order.index(word) for word in outcomes)
    assert "FAILED" in outcomes


def test_an_item_has_one_result_per_testcase_scenario_and_arch(client: Session) -> None:
    rows = client.get("/item/bash-5.0-1.fc40.json").json()["results"]
    assert len({(row["testcase"], row["scenario"], row["arch"]) for row in rows}) == len(rows) > 0


def test_a_component_lists_its_items(client: Session) -> None:
    facts = client.get("/item/bash.json").json()
    assert facts["results"] == []
    assert {"name": "bash-5.0-1.fc40", "type": "koji_build"} in facts["items"]


def test_an_unknown_item_offers_the_nearest_names(client: Session) -> None:
    answer = client.get("/item/bash-5.0-1.fc41")
    assert answer.status_code == 404
    assert 'href="/item/bash-5.0-1.fc40"' in answer.text
    assert "does not say that it failed" in answer.text.replace("\n", " ")


def test_the_search_box_finds_a_testcase_by_its_name(client: Session, generator: ModuleType) -> None:
    name = generator.testcase_name(5)
    answer = client.get("/find", params={"q": name}, allow_redirects=False)
    assert answer.headers["location"] == f"/browse/results/testcase_by_day?testcase={name}"


def test_the_search_box_leads_anything_else_to_its_page(client: Session) -> None:
    answer = client.get("/find", params={"q": " rpm/tier1#42 "}, allow_redirects=False)
    assert answer.headers["location"] == "/item/rpm%2Ftier1%2342"


def test_an_unknown_address_explains_itself(client: Session) -> None:
    answer = client.get("/nope")
    assert answer.status_code == 404
    assert "first page" in answer.text
    assert client.get("/nope?format=json").json() == {"what": "/nope"}


@pytest.mark.demand("S-125")
def test_coverage_lists_silent_jobs_first_with_whom_to_ask(client: Session) -> None:
    facts = client.get("/coverage.json").json()
    assert facts["summary"] == {"jobs": 114, "publishes": 100, "silent": 7, "other": 7}
    assert [row["coverage"] for row in facts["jobs"][:8]] == ["silent"] * 7 + ["publishes"]
    assert facts["jobs"][0]["owner"] == "baseos-qe"
    assert facts["jobs"][0]["last_build"] == "2026-01-30T12:00:00"


def test_coverage_narrows_to_a_source_and_a_word(client: Session) -> None:
    jobs = client.get("/coverage.json", params={"source": "kernel", "coverage": "silent"}).json()["jobs"]
    assert [(row["source"], row["job"]) for row in jobs] == [("kernel", "kernel-nightly")]


def test_a_quarantined_record_shows_the_offending_line(client: Session) -> None:
    facts = client.get("/quarantine/3.json").json()
    assert [line["text"] for line in facts["excerpt"] if line["hit"]] == [' <testcase name="<b>"/>']
    assert "&lt;b&gt;" in client.get("/quarantine/3").text


def test_raw_bytes_are_handed_out_as_a_file_to_save(client: Session, generator: ModuleType) -> None:
    answer = client.get("/quarantine/3/raw")
    assert answer.content == generator.RAW
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_empty_store_says_what_to_do(serve_store: Serve, tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "empty.db").close()
    with serve_store(tmp_path / "empty.db") as client:
        page = client.get("/").text
    assert "ci-results source add" in page
    assert "ci-results harvest" in page


def test_a_new_result_shows_without_a_restart(serve_store: Serve, tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "live.db")
    with serve_store(tmp_path / "live.db") as client:
        assert client.get("/item/new-1-1.fc40").status_code == 404
        result = Result(
            source="file",
            key="1",
            testcase="a.b",
            outcome="PASSED",
            item="new-1-1.fc40",
            item_type="koji_build",
            submit_time=datetime(2026, 1, 1, tzinfo=UTC),
            data={},
        )
        store.commit_page(Page(source="file", results=[result], door="report"))
        assert client.get("/item/new-1-1.fc40.json").json()["outcomes"] == {"PASSED": 1}
        rows = client.get("/browse/results/result.json", params={"_shape": "array"}).json()
    store.close()
    assert [row["item"] for row in rows] == ["new-1-1.fc40"]


def test_an_item_of_any_name_has_a_page(hostile_client: Session) -> None:
    facts = hostile_client.get("/index.json").json()
    name = facts["latest"][0]["item"]
    assert item_path(name) == f"/item/{quote(name, safe='')}"
    assert hostile_client.get(item_path(name), params={"format": "json"}).json()["outcomes"] == {"FAILED": 1}
