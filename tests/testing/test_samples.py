"""`python -m ci_results.testing.samples DIR` reads any folder and tells what became of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_results.plugin.manager import load_plugins
from ci_results.testing.samples import NOT_RECOGNISED, main, survey, totals

OURS = Path(__file__).parents[1] / "formats" / "samples"


def printed(*arguments: str) -> tuple[int, list[str]]:
    out = io.StringIO()
    code = main(arguments, out)
    return code, out.getvalue().splitlines()


def test_a_folder_gives_a_line_for_each_format(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("1..2\nok 1\nnot ok 2\n")
    (tmp_path / "deep" / "b").write_text("1..1\nok 1 - x # ok, not the end\n1..")
    (tmp_path / "c.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    (tmp_path / "d.bin").write_bytes(b"\0\1\2")
    code, lines = printed(str(tmp_path))
    assert code == 0
    assert [line.split()[:2] for line in lines] == [
        ["format", "files"],
        ["junit", "1"],
        ["tap", "2"],
        ["(not", "recognised)"],
    ]
    assert "FAILED:2" in lines[2]
    assert "PASSED:2" in lines[1]


def test_each_file_has_its_line_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a.tap").write_text("1..1\nok 1\n")
    _, lines = printed(str(tmp_path), "--files")
    assert lines[0] == "a.tap: tap  PASSED:2  refused:0 garbled:0 raised:0"


@pytest.mark.parametrize("arguments", [(), ("/nowhere",), (".", "--odd"), (".", ".")])
def test_wrong_usage_says_how(arguments: tuple[str, ...]) -> None:
    code, lines = printed(*arguments)
    assert code == 64
    assert lines[0].startswith("usage:")


def test_a_reader_that_raises_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterator[object]:
        raise RuntimeError("a fault of the reader")
        yield

    monkeypatch.setattr("ci_results.formats.tap.TAP.read", broken)
    (tmp_path / "a.tap").write_text("1..1\nok 1\n")
    code, lines = printed(str(tmp_path))
    assert code == 1
    assert lines[1].split()[:2] == ["tap", "1"]


@pytest.mark.timeout(120)
def test_our_own_samples_are_read_without_a_fault() -> None:
    found = totals(figures for _, figures in survey(OURS, load_plugins([])))
    assert [each.format for each in found if each.raised] == []
    assert {each.format for each in found} >= set(load_plugins([]).formats)
    assert found[-1].format == NOT_RECOGNISED
