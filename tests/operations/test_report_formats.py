"""Reports of checkers and executors in the store: found by both builds, parents and rows kept apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ci_results.domain.search import Attribute, Search
from ci_results.operations.report import About, Filed, report
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

SAMPLES = Path(__file__).parents[1] / "formats" / "samples"
ABOUT = About(item="demo-1.1-1.el9", prefix="dist")


def filed(store: SqliteStore, plugins: Plugins, *paths: Path, about: About = ABOUT) -> list[Filed]:
    return list(report(map(str, paths), about, store, plugins))


@pytest.mark.demand("S-020", "S-024")
def test_a_covscan_message_is_found_by_both_builds(plugins: Plugins, store: SqliteStore) -> None:
    (one,) = filed(store, plugins, SAMPLES / "resultsdb_message" / "hand__covscan.json")
    assert (one.state, one.format) == ("stored", "resultsdb_message")
    (new,) = store.results(ResultQuery(item="demo-4.5.4-5.el7"))
    assert (new.testcase, new.outcome, new.item) == (
        "dist.covscan",
        "PASSED",
        "demo-4.5.4-5.el7 demo-4.5.4-4.el7",
    )
    old = store.search(Search(attributes=(Attribute(key="oldnvr", values=("demo-4.5.4-4.el7",)),)))
    assert [fact.id for fact in old] == [new.id]


@pytest.mark.demand("S-020")
def test_added_defects_are_found_by_both_builds(plugins: Plugins, store: SqliteStore) -> None:
    about = replace(ABOUT, item="demo-1.1-1.el9 demo-1.0-1.el9", item_type="koji_build_pair")
    filed(store, plugins, SAMPLES / "csdiff" / "hand__added.json", about=about)
    whole = store.results(ResultQuery(testcase="dist.covscan"))
    assert [(each.outcome, each.data["oldnvr"]) for each in whole] == [
        ("NEEDS_INSPECTION", ["demo-1.0-1.el9"])
    ]
    assert len(store.results(ResultQuery(item="demo-1.1-1.el9"))) == 3


@pytest.mark.demand("S-021")
def test_an_rpmgrill_report_gives_the_worst_of_its_modules_and_their_relation(
    plugins: Plugins, store: SqliteStore
) -> None:
    filed(store, plugins, SAMPLES / "rpmgrill" / "demo2__rpmgrill.json")
    rows = store.results(ResultQuery(item="demo-1.1-1.el9", limit=100))
    (parent,) = [row for row in rows if row.testcase == "dist.rpmgrill"]
    assert parent.outcome == "ERROR"
    found = store.search(Search(attributes=(Attribute(key="parent", values=("overall",)),), limit=100))
    assert len(found) == len(rows) - 1 == int(parent.data["modules"][0])
    assert {row.testcase for row in rows} >= {"dist.rpmgrill.elf-checks", "dist.rpmgrill.virus-check"}


@pytest.mark.demand("S-022")
def test_an_rpmdiff_message_needs_inspection_and_is_no_failure(plugins: Plugins, store: SqliteStore) -> None:
    filed(store, plugins, SAMPLES / "resultsdb_message" / "hand__rpmdiff.json")
    (row,) = store.results(ResultQuery(testcase="dist.rpmdiff.analysis"))
    assert (row.outcome, row.item, row.arch) == ("NEEDS_INSPECTION", "setup-2.8.71-5.el7_1", "x86_64")


@pytest.mark.demand("S-022")
def test_a_comparison_is_as_bad_as_its_worst_test(plugins: Plugins, store: SqliteStore) -> None:
    filed(store, plugins, SAMPLES / "rpmdiff" / "hand__comparison.json")
    (row,) = store.results(ResultQuery(testcase="dist.rpmdiff.comparison"))
    assert row.outcome == "NEEDS_INSPECTION"
    children = store.results(ResultQuery(testcase="dist.rpmdiff.comparison.*"))
    assert {child.testcase.rpartition(".")[2]: child.outcome for child in children} == {
        "abi_symbols": "NEEDS_INSPECTION",
        "changed_files": "INFO",
        "license": "PASSED",
        "patches": "INFO",
    }


def test_a_test_of_rpmdiff_that_is_no_record_does_not_vanish(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"tool":"rpmdiff","mode":"analysis","tests":["x",{"name":"a","outcome":"Passed"}]}')
    (one,) = filed(store, plugins, path)
    assert one.counts.quarantined == 1
    (row,) = store.results(ResultQuery(testcase="dist.rpmdiff.analysis"))
    assert row.outcome == "NEEDS_INSPECTION"


@pytest.mark.demand("S-023", "S-024")
def test_as_many_rows_as_tps_has_jobs_are_the_latest(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    jobs = [
        {"id": f"{arch}-{stream}", "arch": arch, "stream": stream, "check": "tps", "state": "good"}
        for arch in ("x86_64", "s390x", "aarch64")
        for stream in ("RHEL-9.4.0", "RHEL-9.4.0.Z")
    ]
    path = tmp_path / "tps.json"
    path.write_text(json.dumps({"tool": "tps", "run_id": "1", "jobs": jobs}))
    filed(store, plugins, path)
    latest = store.results(ResultQuery(testcase="dist.tps.tps", latest=True))
    assert {(row.arch, row.scenario) for row in latest} == {(job["arch"], job["stream"]) for job in jobs}
    assert len(latest) == len(jobs)


def test_a_job_of_tps_is_about_its_build_where_the_run_is_about_an_advisory(
    plugins: Plugins, store: SqliteStore
) -> None:
    about = replace(ABOUT, item="RHBA-2026:1234", item_type="redhat-advisory")
    (one,) = filed(store, plugins, SAMPLES / "tps" / "hand__rows.json", about=about)
    assert (one.counts.stored, one.counts.quarantined) == (6, 0)
    kinds = {(row.item, row.item_type) for row in store.results(ResultQuery(limit=10))}
    assert kinds == {("demo-1.1-1.el9", "koji_build"), ("RHBA-2026:1234", "redhat-advisory")}


@pytest.mark.demand("S-019", "S-130")
def test_a_folder_of_reports_of_many_formats_is_read_by_content(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").write_text("1..1\nok 1 - tap in a text\n")
    (tmp_path / "two.json").write_text(
        '{"results":{"tool":{"name":"x"},"tests":[{"name":"a","status":"passed"}]}}'
    )
    (tmp_path / "three.yaml").write_text("- name: /t/a\n  result: pass\n  serial-number: 1\n")
    (tmp_path / "four.csv").write_text("testcase,outcome\nLogin,PASSED\n")
    (tmp_path / "five.log").write_text("nothing of interest\n")
    (tmp_path / "six.yml").write_text("key: value\n")
    told = {Path(one.file).stem: (one.state, one.format) for one in filed(store, plugins, tmp_path)}
    assert told == {
        "one": ("stored", "tap"),
        "two": ("stored", "ctrf"),
        "three": ("stored", "tmt"),
        "four": ("stored", "manual_csv"),
        "five": ("empty", None),
        "six": ("empty", None),
    }
