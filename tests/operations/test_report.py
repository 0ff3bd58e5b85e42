from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest

from ci_results.collect.pages import PAGE_ROWS
from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.domain.report import Report
from ci_results.domain.search import NameQuery, Search
from ci_results.domain.unpack_limits import UnpackLimits
from ci_results.errors import InvalidError, NotFoundError
from ci_results.operations.report import About, Filed, Options, report
from ci_results.plugin.contract import Format
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
    return list(report(map(str, paths), about, store, plugins, Options(again=again)))


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


def pytested(path: Path, second: int, failed: int = 1) -> Path:
    """Write what a runner wrote at another time: other times, other durations."""
    junit(path, failed=failed)
    text = path.read_text().replace("03:04:05", f"03:04:{second:02}").replace('"0.5"', f'"0.{second}"')
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.demand("S-143")
def test_of_a_named_run_only_what_changed_is_stored(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    about = replace(ABOUT, run="local", arch="x86_64", scenario="uefi")
    path = tmp_path / "r.xml"
    (first,) = filed(store, plugins, pytested(path, 5), about=about)
    assert (first.state, first.counts.stored, first.outcomes) == ("stored", 4, {"PASSED": 2, "FAILED": 1})
    (again,) = filed(store, plugins, pytested(path, 6), about=about)
    assert (again.state, again.counts.stored, again.counts.same) == ("same", 0, 4)
    assert again.outcomes == first.outcomes
    (mended,) = filed(store, plugins, pytested(path, 7, failed=0), about=about)
    assert (mended.state, mended.counts.stored, mended.counts.superseding) == ("stored", 2, 2)
    (broken,) = filed(store, plugins, pytested(path, 8), about=about)
    assert (broken.counts.stored, broken.counts.same) == (2, 2)
    latest = store.results(ResultQuery(item=ABOUT.item, latest=True))
    assert sorted(one.outcome for one in latest) == ["FAILED", "FAILED", "PASSED", "PASSED"]


def test_named_runs_files_and_items_are_told_apart(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    about = replace(ABOUT, run="local")
    (tmp_path / "deep").mkdir()
    files = [pytested(tmp_path / "r.xml", 5), pytested(tmp_path / "deep" / "r.xml", 6)]
    assert [one.counts.stored for one in filed(store, plugins, *files, about=about)] == [4, 4]
    other_run, other_item = replace(about, run="other"), replace(about, item="bash-5.2.26-4.fc40")
    for other in (other_run, other_item):
        assert [one.counts.stored for one in filed(store, plugins, *files, about=other)] == [4, 4]
        assert [one.counts.stored for one in filed(store, plugins, *files, about=other)] == [0, 0]


def test_a_named_run_lies_where_its_file_does_from_here(
    plugins: Plugins, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pytested(tmp_path / "r.xml", 5)
    about = replace(ABOUT, run="local")
    (near,) = filed(store, plugins, Path("r.xml"), about=about)
    (far,) = filed(store, plugins, tmp_path / "r.xml", about=about)
    assert near.run == far.run
    assert far.counts.stored == 0


# -- what reports come packed in ------------------------------------------------------------------

TAP = b"1..2\nok 1 - one\nok 2 - two\n"


def tar(path: Path, *files: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_report_is_the_same_however_it_is_packed(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    plain = junit(tmp_path / "r.xml")
    content = plain.read_bytes()
    assert filed(store, plugins, plain)[0].counts.stored == 4
    for name, pack in (("r.gz", gzip.compress), ("r.xz", lzma.compress), ("r.bz2", bz2.compress)):
        (tmp_path / name).write_bytes(pack(content))
        (one,) = filed(store, plugins, tmp_path / name)
        assert (one.file, one.state, one.format) == (str(tmp_path / name), "same", "junit")
    (inner,) = filed(store, plugins, tar(tmp_path / "r.tgz", ("unit/r.xml", content)))
    assert (inner.file, inner.state) == (f"{tmp_path / 'r.tgz'}!unit/r.xml", "same")
    assert store.counts()["results"] == 4


def test_an_archive_is_searched_for_reports_of_all_formats(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    content = junit(tmp_path / "r.xml").read_bytes()
    path = tar(tmp_path / "all.tgz", ("a/r.xml", content), ("b.tap", TAP), ("notes", b"nothing"))
    states = {one.file.partition("!")[2]: (one.state, one.format) for one in filed(store, plugins, path)}
    assert states == {"a/r.xml": ("stored", "junit"), "b.tap": ("stored", "tap"), "notes": ("empty", None)}
    assert store.quarantined() == []


def test_an_archive_without_a_report_is_quarantined_where_it_was_named(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = tar(tmp_path / "sources.tar", ("main.c", b"int main() {}"))
    assert [one.state for one in filed(store, plugins, tmp_path)] == ["empty"]
    assert store.quarantined() == []
    assert [one.state for one in filed(store, plugins, path)] == ["empty", "unreadable"]
    (record,) = store.quarantined()
    assert record.reason == f"{path}: holds no file that a format recognises"
    assert record.raw == path.read_bytes()


def test_of_a_cut_archive_the_front_is_stored_and_the_rest_is_quarantined(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = tar(
        tmp_path / "cut.tar", ("a.tap", TAP), ("b.tap", b"ok 1 - one\nok 2 - two\nok 3 - three\n" * 50)
    )
    path.write_bytes(path.read_bytes()[:1565])
    first, second, third = filed(store, plugins, path)
    assert (first.state, second.state, third.state) == ("stored", "stored", "unreadable")
    assert third.reason == "breaks off at byte 1,565 of the tar"
    told = {one.testcase: one.outcome for one in store.results(ResultQuery(run=second.run))}
    assert told == {"baseos.one": "PASSED", "baseos.two": "PASSED", "baseos.tap": "NEEDS_INSPECTION"}
    (record,) = store.quarantined()
    assert (record.raw, record.kind) == (path.read_bytes(), "report")
    again = filed(store, plugins, path)
    assert [one.state for one in again] == ["same", "same", "unreadable"]
    assert len(store.quarantined()) == 1


def test_a_bomb_is_refused_and_quarantined(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml.gz"
    path.write_bytes(gzip.compress(b"<testsuite>" + bytes(100_000)))
    options = Options(limits=UnpackLimits(max_bytes=10_000))
    (one,) = report([str(path)], ABOUT, store, plugins, options)
    assert (one.state, one.reason) == ("unreadable", "unpacks to more than 10,000 bytes")
    assert len(store.quarantined()) == 1


def test_an_archive_of_tap_harness_keeps_its_scripts_apart_and_their_exit_codes(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    meta = (
        b"---\nfile_attributes:\n  - description: t/a.t\n    end_time: 1767323046.25\n"
        b"  - description: t/sub/b.t\n    end_time: 1767323047\n    exit_status: 3\n"
    )
    path = tar(tmp_path / "prove.tgz", ("t/a.t", TAP), ("t/sub/b.t", TAP), ("meta.yml", meta))
    filed(store, plugins, path)
    rows = store.results(ResultQuery(item=ABOUT.item))
    assert {row.testcase: row.outcome for row in rows} == {
        "baseos.t.a": "PASSED",
        "baseos.t.a.one": "PASSED",
        "baseos.t.a.two": "PASSED",
        "baseos.t.sub.b": "FAILED",
        "baseos.t.sub.b.one": "PASSED",
        "baseos.t.sub.b.two": "PASSED",
    }
    (bad,) = [row for row in rows if row.outcome == "FAILED"]
    assert bad.note is not None
    assert bad.note.startswith("exit status 3")
    assert {f"{row.time:%H:%M:%S.%f}" for row in rows} == {"03:04:06.250000", "03:04:07.000000"}


@pytest.mark.needs("prove", "TAP::Harness::Archive")
def test_what_prove_archives_is_read(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "one.t").write_text('use Test::More tests => 1;\nok 1, "works";\n')
    subprocess.run(["prove", "-a", "out.tgz", "t"], cwd=tmp_path, capture_output=True, check=True)
    filed(store, plugins, tmp_path / "out.tgz")
    assert {row.testcase for row in store.results(ResultQuery())} == {"baseos.t.one", "baseos.t.one.works"}


# -- groups, and what the caller says wrongly -----------------------------------------------------


def groups(store: SqliteStore) -> dict[str, int]:
    return {group.uuid: group.results for group in store.groups(NameQuery())}


def test_results_belong_to_groups(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    path = junit(tmp_path / "r.xml")
    (one,) = filed(store, plugins, path, about=replace(ABOUT, groups=("nightly", "4f1c-9")))
    assert one.counts.stored == 4
    facts = store.search(Search(groups=("nightly",)))
    assert [json.loads(fact.groups or "") for fact in facts] == [["nightly", "4f1c-9"]] * 4


def test_a_group_that_is_named_later_is_added_and_none_is_lost(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = junit(tmp_path / "r.xml")
    filed(store, plugins, path, about=replace(ABOUT, groups=("one",)))
    (more,) = filed(store, plugins, path, about=replace(ABOUT, groups=("two",)))
    assert (more.state, more.counts.superseding) == ("stored", 4)
    for told in ((), ("one",), ("two",), ("two", "one")):
        (same,) = filed(store, plugins, path, about=replace(ABOUT, groups=told))
        assert (same.state, same.counts.stored) == ("same", 0)
    (again,) = filed(store, plugins, path, again=True)
    assert (again.counts.stored, again.counts.same) == (0, 4)
    current = store.results(ResultQuery(latest=True))
    assert {tuple(json.loads(store.fact(row.id).groups or "")) for row in current} == {("one", "two")}


@pytest.mark.parametrize(
    "wrong",
    [
        {"item": "bash"},
        {"item_type": "odd"},
        {"url": "javascript:alert(1)"},
        {"groups": ("",)},
        {"groups": ("g" * 1025,)},
        {"arch": "a\0"},
        {"prefix": "\n"},
    ],
)
def test_what_is_said_wrongly_is_refused_before_anything_is_read(
    plugins: Plugins, store: SqliteStore, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidError):
        filed(store, plugins, junit(tmp_path / "r.xml"), about=replace(ABOUT, **wrong))
    assert store.counts()["quarantined"] == store.counts()["results"] == 0


# -- a reader that fails --------------------------------------------------------------------------


class Falling(Format):
    """Reads the first line, then falls."""

    name = "falling"

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"falling")

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        yield Observation(
            key="1",
            testcase="a.b",
            outcome="PASSED",
            item=about.item,
            item_type=about.item_type,
            run=about.run,
        )
        raise KeyError("id")


def test_a_reader_that_fails_costs_its_file_and_no_other(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_bytes(b"falling\n")
    formats = replace(plugins, formats={"falling": Falling(), **plugins.formats})
    first, second = filed(store, formats, odd, junit(tmp_path / "r.xml"))
    assert (first.state, first.counts.stored, first.counts.quarantined) == ("stored", 1, 1)
    assert second.state == "stored"
    assert "KeyError: 'id'" in store.quarantined()[0].reason
    assert store.cursor("report") in (None, "[]")


# -- dry run --------------------------------------------------------------------------------------


def everything_below(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".db-shm"  # readers note there that they read
    }


def test_a_dry_run_says_what_would_be_and_writes_nothing(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    filed(store, plugins, junit(tmp_path / "old.xml"))
    path = junit(tmp_path / "new.xml", cases=5, failed=0)
    before = everything_below(tmp_path)
    (one,) = report([str(path)], ABOUT, store, plugins, Options(dry_run=True))
    assert everything_below(tmp_path) == before
    assert (one.state, one.counts.stored, one.counts.ids) == ("stored", 6, ())
    assert {
        each.testcase.rpartition(".")[2]: (each.now, each.outcome, each.what) for each in one.foreseen
    } == {
        "t0": ("FAILED", "PASSED", "new"),
        "t1": ("PASSED", "PASSED", "new"),
        "t2": ("PASSED", "PASSED", "new"),
        "t3": (None, "PASSED", "new"),
        "t4": (None, "PASSED", "new"),
        "junit": ("FAILED", "PASSED", "new"),
    }
    (real,) = filed(store, plugins, path)
    assert (real.state, real.counts.stored) == (one.state, one.counts.stored)


def test_a_dry_run_tells_what_is_the_same_and_what_supersedes(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    path = junit(tmp_path / "r.xml")
    filed(store, plugins, path)
    options = Options(dry_run=True, again=True)
    (same,) = report([str(path)], ABOUT, store, plugins, options)
    assert {each.what for each in same.foreseen} == {"same"}
    grouped = replace(ABOUT, groups=("nightly",))
    (other,) = report([str(path)], grouped, store, plugins, options)
    assert ({each.what for each in other.foreseen}, other.counts.superseding) == ({"superseding"}, 4)
    assert groups(store) == {}


# -- addresses ------------------------------------------------------------------------------------


def test_an_address_is_fetched_and_one_that_fails_costs_no_other(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    junit(tmp_path / "r.xml")
    (tmp_path / "r.xml.gz").write_bytes(gzip.compress((tmp_path / "r.xml").read_bytes()))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        root = f"http://user:secret@127.0.0.1:{server.server_port}"
        told = list(
            report([f"{root}/{name}?key=secret" for name in ("gone.xml", "r.xml.gz")], ABOUT, store, plugins)
        )
        server.shutdown()
    gone, good = told
    assert (gone.state, "HTTP 404" in (gone.reason or "")) == ("unreachable", True)
    assert (good.state, good.counts.stored) == ("stored", 4)
    assert good.file == f"http://127.0.0.1:{server.server_port}/r.xml.gz"
    assert "secret" not in "".join(store.dump())


# -- progress -------------------------------------------------------------------------------------


def test_progress_is_told_in_bytes(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    big, small = junit(tmp_path / "a.xml", cases=3 * PAGE_ROWS), junit(tmp_path / "b.xml")
    told: list[tuple[str, int, int, int]] = []
    list(
        report(
            [str(big), str(small)], ABOUT, store, plugins,
            tell=lambda name, done, total, counts: told.append((Path(name).name, done, total, counts.stored)),
        )
    )  # fmt: skip
    total = big.stat().st_size + small.stat().st_size
    assert {each[2] for each in told} == {total}
    assert [each[1] for each in told] == sorted(each[1] for each in told)
    assert told[0] == ("a.xml", 0, total, 0)
    assert told[-1] == ("b.xml", total, total, 3 * PAGE_ROWS + 1 + 4)
    assert any(0 < each[1] < big.stat().st_size for each in told)


# -- at once, and killed --------------------------------------------------------------------------


def test_the_same_file_by_several_at_once_is_stored_once(plugins: Plugins, tmp_path: Path) -> None:
    path = junit(tmp_path / "r.xml", cases=3_000)

    def one(number: int) -> int:
        with SqliteStore.open(tmp_path / "together.db") as own:
            options = Options(page_rows=500)
            return sum(each.counts.stored for each in report([str(path)], ABOUT, own, plugins, options))

    with SqliteStore.open(tmp_path / "together.db") as store, ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 3_001
        assert store.counts()["results"] == 3_001
        assert store.cursor("report") == "[]"
        assert store.check() == []


def test_a_group_is_added_to_a_named_run_too(plugins: Plugins, store: SqliteStore, tmp_path: Path) -> None:
    about, path = replace(ABOUT, run="local"), tmp_path / "r.xml"
    filed(store, plugins, pytested(path, 5), about=about)
    (grouped,) = filed(store, plugins, path, about=replace(about, groups=("nightly",)))
    assert (grouped.counts.stored, grouped.counts.superseding) == (4, 4)
    (again,) = filed(store, plugins, path, about=replace(about, groups=("nightly",)))
    assert (again.counts.stored, again.counts.same) == (0, 4)
    current = store.results(ResultQuery(latest=True))
    assert {store.fact(row.id).groups for row in current} == {'["nightly"]'}
