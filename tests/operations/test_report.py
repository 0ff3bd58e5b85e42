from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from ci_results.collect.pages import PAGE_ROWS
from ci_results.errors import NotFoundError
from ci_results.operations.report import About, Filed, report
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

ABOUT = About(item="bash-5.2.26-3.fc40", prefix="baseos")


def junit(path: Path, cases: int = 3, failed: int = 1) -> Path:
    """Write a report of so many cases, the first of them failed; its suite is one result more."""
    lines = [f'<testsuite name="s" tests="{cases}" timestamp="2026-01-02T03:04:05">']
    for number in range(cases):
        inner = '<failure message="no"/>' if number < failed else ""
        lines.append(f'<testcase classname="c" name="t{number}" time="0.5">{inner}</testcase>')
    path.write_text("\n".join([*lines, "</testsuite>"]), encoding="utf-8")
    return path


def filed(
    store: SqliteStore, plugins: Plugins, *paths: Path, about: About = ABOUT, again: bool = False
) -> list[Filed]:
    return list(report(map(str, paths), about, store, plugins, again=again))


def test_a_report_is_stored_under_its_item(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    (one,) = filed(store, plugins, junit(tmp_path / "r.xml"))
    assert (one.state, one.format, one.counts.stored) == ("stored", "junit", 4)
    results = store.results(ResultQuery(item="bash-5.2.26-3.fc40"))
    assert sorted(result.outcome for result in results) == ["FAILED", "FAILED", "PASSED", "PASSED"]
    assert all(result.testcase.startswith("baseos.") for result in results)
    assert results[0].data["file"] == [str(tmp_path / "r.xml")]


def test_the_same_file_again_stores_nothing_and_is_not_even_parsed(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = junit(tmp_path / "r.xml", cases=20_000)
    begin = time.perf_counter()
    filed(store, plugins, path)
    first_s = time.perf_counter() - begin
    begin = time.perf_counter()
    (again,) = filed(store, plugins, path)
    again_s = time.perf_counter() - begin
    assert (again.state, again.counts.stored, again.counts.same) == ("same", 0, 0)
    assert again_s * 3 < first_s
    (forced,) = filed(store, plugins, path, again=True)
    assert (forced.state, forced.counts.stored, forced.counts.same) == ("same", 0, 20_001)


def test_the_same_file_for_another_item_is_another_run(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = junit(tmp_path / "r.xml")
    filed(store, plugins, path)
    (other,) = filed(store, plugins, path, about=replace(ABOUT, item="bash-5.2.26-4.fc40"))
    (arch,) = filed(store, plugins, path, about=replace(ABOUT, arch="aarch64"))
    assert (other.counts.stored, arch.counts.stored) == (4, 4)


def test_an_import_that_broke_off_is_read_to_its_end_the_next_time(
    plugins: Plugins, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = junit(tmp_path / "r.xml", cases=2 * PAGE_ROWS + 500)
    commit, calls = store.commit_page, []

    def power_cut(page: object) -> object:
        calls.append(page)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return commit(page)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "commit_page", power_cut)
    with pytest.raises(KeyboardInterrupt):
        filed(store, plugins, path)
    monkeypatch.undo()
    assert store.counts()["results"] == 2 * PAGE_ROWS
    (rest,) = filed(store, plugins, path)
    assert (rest.counts.stored, rest.counts.same) == (501, 2 * PAGE_ROWS)
    assert filed(store, plugins, path)[0].counts.same == 0


def test_a_folder_is_read_with_all_below_and_what_is_no_report_is_passed_over(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    junit(tmp_path / "deep" / "a.xml")
    (tmp_path / "notes.txt").write_text("nothing here")
    states = {Path(one.file).name: one.state for one in filed(store, plugins, tmp_path)}
    assert states == {"a.xml": "stored", "notes.txt": "empty"}
    assert store.quarantined() == []


def test_a_named_file_that_nobody_reads_is_quarantined_whole(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = tmp_path / "odd.bin"
    path.write_bytes(b"\x00\xff not a report")
    (one,) = filed(store, plugins, path)
    assert one.state == "unreadable"
    (record,) = store.quarantined()
    assert (record.raw, record.kind, record.door) == (b"\x00\xff not a report", "report", "report")


def test_the_readable_part_of_a_cut_file_is_kept(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = junit(tmp_path / "r.xml", cases=10)
    path.write_text(path.read_text()[:-300])
    (one,) = filed(store, plugins, path)
    assert one.counts.stored > 0
    assert one.counts.quarantined == 1


def test_a_path_that_is_not_there_is_said(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere\.xml"):
        filed(store, plugins, tmp_path / "nowhere.xml")
