"""Parquet: all that a store holds, each month once, however often and wherever it was interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest
from filelock import FileLock

from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.errors import BusyError, NotFoundError, StoreError
from ci_results.operations import export_parquet as module
from ci_results.operations.export_parquet import export_parquet
from ci_results.store.opening import open_store
from ci_results.testing.store_contract import result

JANUARY = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FEBRUARY = JANUARY + timedelta(microseconds=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'results.db'}"
    place: Callable[[str], str] = request.getfixturevalue("postgresql")
    return place("one")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "parquet"


def commit(url: str, *results: Any) -> None:
    store = open_store(url)
    store.commit_page(Page(source="ci", results=list(results)))
    store.close()


def months_of(url: str, folder: Path) -> dict[str, int]:
    return export_parquet(url, folder).rows


def asked(folder: Path, sql: str) -> list[Any]:
    files = f"read_parquet('{folder}/*/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as engine:
        return engine.execute(sql.format(results=files)).fetchall()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("*/*/*.parquet")}


def test_a_result_is_a_row_in_the_folder_of_its_month_and_namespace(url: str, folder: Path) -> None:
    run = Run(key="job#1", ref_url="https://ci.example/1", data={"job": "j", "who": "run"})
    commit(
        url,
        result("a", testcase="baseos.x", outcome="failed", time=JANUARY, run=run, note="n", duration_s=1.5,
               scenario="uefi", data={"who": "own"}),
        result("b", testcase="baseos.y.z", time=FEBRUARY),
        result("c", testcase="baseos-x.y", time=FEBRUARY),
        replace(result("d", time=FEBRUARY), testcase="plain"),
    )  # fmt: skip
    assert months_of(url, folder) == {"2026-01": 1, "2026-02": 3}
    assert sorted(files(folder)) == [
        "month=2026-01/namespace=baseos/results.parquet",
        "month=2026-02/namespace=baseos-x/results.parquet",
        "month=2026-02/namespace=baseos/results.parquet",
        "month=2026-02/namespace=plain/results.parquet",
    ]
    columns = (
        "id, seq, time, testcase, outcome, item, component, scenario, arch, duration_s, note, ref_url,"
        " source, run, key, data, superseded_by, namespace"
    )
    (row,) = asked(folder, f"select {columns} from {{results}} where month = '2026-01'")
    assert row == (
        1, 1, JANUARY.replace(tzinfo=None), "baseos.x", "FAILED", "bash-5.2-1.fc40", "bash", "uefi", "", 1.5,
        "n", "https://ci.example/1", "ci", "job#1", "a", row[15], None, "baseos",
    )  # fmt: skip
    (said,) = asked(folder, "select data ->> '$.who[0]', data ->> '$.job[0]' from {results} where key = 'a'")
    assert said == ("own", "j")


def test_a_second_export_writes_nothing_and_a_third_what_is_new(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:{tmp_path / 'results.db'}"
    commit(url, result("a", time=JANUARY), result("b", time=FEBRUARY))
    months_of(url, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*/*.parquet")}
    assert months_of(url, folder) == {}
    commit(url, result("c", time=FEBRUARY))
    assert months_of(url, folder) == {"2026-02": 2}
    january = next(path for path in before if "2026-01" in str(path))
    assert january.stat().st_mtime_ns == before[january]


def test_what_is_superseded_by_a_later_month_says_so_in_its_own(url: str, folder: Path) -> None:
    commit(url, result("a", outcome="running", time=JANUARY))
    months_of(url, folder)
    commit(url, result("a", outcome="passed", time=FEBRUARY))
    assert months_of(url, folder) == {"2026-01": 1, "2026-02": 1}
    rows = asked(folder, "select outcome, superseded_by from {results} order by id")
    assert rows == [("RUNNING", 2), ("PASSED", None)]


def test_interrupted_anywhere_the_next_call_makes_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, whole = f"sqlite:{tmp_path / 'results.db'}", tmp_path / "whole"
    commit(url, *(result(str(n), time=JANUARY + timedelta(days=20 * n)) for n in range(4)))
    export_parquet(url, whole)
    interrupted = 0
    for number in range(10):
        folder = tmp_path / f"at-{number}"
        with monkeypatch.context() as broken:
            steps = iter(range(number))

            def step(path: Path, to: Path, *, real: Any, steps: Iterator[int] = steps) -> Any:
                if next(steps, None) is None:
                    raise KeyboardInterrupt
                return real(path, to)

            broken.setattr(Path, "replace", partialmethod(step, real=Path.replace))
            broken.setattr(Path, "rename", partialmethod(step, real=Path.rename))
            try:
                export_parquet(url, folder)
            except KeyboardInterrupt:
                interrupted += 1
        assert export_parquet(url, folder).seq == 1
        assert files(folder) == files(whole)
    assert interrupted == 9  # five notes, and a move for each of four months


def test_memory_holds_one_group_of_rows(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:{tmp_path / 'results.db'}"
    monkeypatch.setattr(module, "ROWS", 10)
    monkeypatch.setattr(module, "AT_ONCE", 5)
    commit(url, *(result(str(number), time=JANUARY) for number in range(25)))
    months_of(url, folder)
    (path,) = folder.glob("*/*/*.parquet")
    file = pyarrow.parquet.ParquetFile(path)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [10, 10, 5]


@pytest.mark.parametrize(
    ("testcase", "name"),
    [
        ("../../etc.x", "namespace=__HIVE_DEFAULT_PARTITION__"),
        ("a/b=c.x", "namespace=a%2Fb%3Dc"),
        ("é.x", "namespace=%C3%A9"),
        (f"{'n' * 200}.x", f"namespace={'n' * 120}-"),
    ],
    ids=["up", "slash", "letter", "long"],
)
def test_a_namespace_cannot_leave_the_folder(tmp_path: Path, folder: Path, testcase: str, name: str) -> None:
    url = f"sqlite:{tmp_path / 'results.db'}"
    commit(url, replace(result("a", time=JANUARY), testcase=testcase))
    months_of(url, folder)
    (path,) = files(folder)
    assert path.startswith(f"month=2026-01/{name}")


def test_a_namespace_reads_as_it_was(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:{tmp_path / 'results.db'}"
    commit(url, result("a", testcase="a/b c.x", time=JANUARY))
    months_of(url, folder)
    assert asked(folder, "select namespace from {results}") == [("a/b c",)]


def test_what_is_none_of_ours_is_left_alone(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:{tmp_path / 'results.db'}"
    commit(url, result("a", time=JANUARY), result("b", time=JANUARY))
    folder.mkdir()
    (folder / "thesis.doc").write_text("")
    with pytest.raises(StoreError, match="something else than an export"):
        export_parquet(url, folder)
    assert (folder / "thesis.doc").exists()
    (folder / "thesis.doc").unlink()
    for state in (b"{", b"[]", b'{"seq": null}'):
        (folder / "export.json").write_bytes(state)
        with pytest.raises(StoreError, match="is damaged"):
            export_parquet(url, folder)
    (folder / "export.json").write_bytes(b'{"seq": 5, "months": []}')
    with pytest.raises(StoreError, match="what another store has"):
        export_parquet(url, folder)


def test_two_exports_at_once_do_not_mix(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:{tmp_path / 'results.db'}"
    commit(url, result("a", time=JANUARY))
    folder.mkdir()
    with FileLock(folder / ".lock"), pytest.raises(BusyError, match="another export"):
        export_parquet(url, folder)
    with pytest.raises(NotFoundError):
        export_parquet(f"sqlite:{tmp_path / 'none.db'}", folder)
    assert os.listdir(folder) == [".lock"]
