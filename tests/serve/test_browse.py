from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from requests import Session

from ci_results.serve.browse.bounds import LESS_READ, added

ROOT = Path(__file__).parents[2]
OURS = frozenset({"results"})


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/results/daily_testcase", b"", b"_nocount=1&_nosuggest=1"),
        ("/results/daily_testcase", b"testcase=a.b", b"testcase=a.b&_nocount=1&_nosuggest=1"),
        ("/browse/results/daily_testcase.json", b"_nocount=1", b"_nocount=1&_nosuggest=1"),
        ("/results/result.json", b"", b"_nocount=1&_nosuggest=1"),
        ("/results/result", b"_all=1", b"_all=1&_nocount=1&_nosuggest=1"),
        ("/results/result", b"_col=id&_nosuggest=1", b"_col=id&_nosuggest=1&_nocount=1"),
        ("/results/latest_result", b"_col=item", b"_col=item&_nocount=1&_nosuggest=1"),
        ("/results/job", b"a=b", b"a=b"),
        ("/results", b"", b""),
        ("/other/result", b"", b""),
        ("/", b"", b""),
        ("result", b"", b""),
    ],
)  # fmt: skip
def test_pages_of_big_views_are_asked_not_to_count(path: str, query: bytes, expected: bytes) -> None:
    assert added(path, query, OURS) == expected


def test_a_page_of_results_neither_counts_nor_suggests_facets(client: Session) -> None:
    facts = client.get("/browse/results/result.json").json()
    assert facts["filtered_table_rows_count"] is None
    assert facts["suggested_facets"] == []
    assert len(facts["rows"]) == 50


def test_small_views_still_count_and_facet(client: Session) -> None:
    facts = client.get("/browse/results/job.json").json()
    assert facts["filtered_table_rows_count"] == 114
    assert set(facts["facet_results"]) == {"source", "coverage"}


def test_a_page_leaves_out_columns_until_all_are_asked_for(client: Session) -> None:
    def columns(query: str) -> set[str]:
        return set(re.findall(r'data-column="(\w+)"', client.get(f"/browse/results/result{query}").text))

    assert not columns("") & set(LESS_READ["result"])
    assert columns("") | set(LESS_READ["result"]) == columns("?_all=1")


def test_links_of_the_mounted_datasette_lead_somewhere(client: Session) -> None:
    page = client.get("/browse/results/result").text
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"]*)"', page)}
    assert len(links) > 20
    broken = [link for link in sorted(links) if client.get(link).status_code != 200]
    assert broken == []


def test_following_next_reaches_older_results(client: Session) -> None:
    first = client.get("/browse/results/result.json").json()
    address = first["next_url"]
    assert address.startswith(client.root)  # type: ignore[attr-defined]
    second = requests.get(address, timeout=20).json()
    time_at = first["columns"].index("time")
    assert second["rows"][0][time_at] <= first["rows"][-1][time_at]
    assert second["rows"] != first["rows"]


def test_an_outcome_is_drawn_as_word_symbol_and_class(client: Session) -> None:
    page = client.get("/browse/results/result?outcome=FAILED").text
    assert (
        '<span class="mark failed" data-value="FAILED"><span aria-hidden="true">✖</span> FAILED</span>'
        in page
    )


def test_links_in_cells_lead_to_builds_items_and_histories(client: Session) -> None:
    page = client.get("/browse/results/result").text
    assert re.search(r'<a class="out" href="https://jenkins-\w+\.example\.com/job/[^"]+" rel="noopener', page)
    assert re.search(r'<a href="/item/[^"]+">', page)
    assert re.search(r'<a href="/browse/results/testcase_history\?testcase=[^"]+">', page)


def test_datasettes_pages_load_nothing_from_elsewhere(client: Session) -> None:
    for path in ("/browse/results", "/browse/results/result", "/browse/results/flaky"):
        for address in re.findall(r'(?:src|<link[^>]+href)="([^"]+)"', client.get(path).text):
            assert address.startswith(("/", client.root)), (path, address)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def plain(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plain `datasette FILE -m datasette_metadata.yml`, its file called something else."""
    path = shutil.copy(generated, tmp_path_factory.mktemp("plain") / "nightly.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "datasette", str(path), "-m", "datasette_metadata.yml", "-p", str(port)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    root = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                requests.get(f"{root}/-/versions.json", timeout=5)
                break
            except requests.ConnectionError:
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                time.sleep(0.1)
        yield root
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


def test_plain_datasette_works_under_any_file_name(plain: str) -> None:
    page = requests.get(f"{plain}/nightly", timeout=20).text
    assert "Which testcases are flaky?" in page
    assert "Jobs, which publish and which are silent" in page


def test_plain_datasette_draws_cells_and_charts_and_keeps_pages_small(plain: str) -> None:
    page = requests.get(f"{plain}/nightly/flaky", timeout=20).text
    assert "data-chart" in page
    for address in re.findall(r'<script src="([^"]+)"', page):
        assert requests.get(plain + address, timeout=20).status_code == 200
    table = requests.get(f"{plain}/nightly/result", timeout=20).text
    assert 'class="mark passed"' in table
    assert re.search(r'<a href="/nightly/latest_for_item\?item=[^"]+">', table)
    assert (
        requests.get(f"{plain}/nightly/result.json", timeout=20).json()["filtered_table_rows_count"] is None
    )


def test_the_packaged_metadata_is_the_one_at_the_root() -> None:
    packaged = ROOT / "ci_results" / "serve" / "browse" / "datasette_metadata.yml"
    assert packaged.read_bytes() == (ROOT / "datasette_metadata.yml").read_bytes()
