"""The examples of docs/translate-tap-and-xunit.md are stored as the tables below them say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ci_results.operations.report import About, report
from ci_results.plugin.manager import load_plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "translate-tap-and-xunit.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^```(tap|xml)\n(.*?)^```\n\n\| testcase \| outcome \|\n\|---\|---\|\n((?:\|[^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
EXAMPLES = EXAMPLE.findall(TEXT)


def test_every_example_has_its_table() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^```(?:tap|xml)$", TEXT, re.MULTILINE)) == 8


@pytest.mark.demand("S-128", "S-129", "S-130", "S-131")
@pytest.mark.parametrize(
    ("kind", "example", "table"), EXAMPLES, ids=[f"{kind}{n}" for n, (kind, *_) in enumerate(EXAMPLES)]
)
def test_an_example_is_stored_as_its_table_says(tmp_path: Path, kind: str, example: str, table: str) -> None:
    # The last line of a cut file has no end; an editor gave it one.
    (tmp_path / "report").write_text(example if example.rstrip().endswith(">") else example.rstrip("\n"))
    about = About(item="bash-5.2-1.fc40", prefix="dist.mytest")
    with SqliteStore.open(tmp_path / "results.db") as store:
        (filed,) = report([str(tmp_path / "report")], about, store, load_plugins())
        stored = {(each.testcase, each.outcome) for each in store.results(ResultQuery(limit=100))}
    assert filed.format == {"tap": "tap", "xml": "junit"}[kind]
    assert stored == set(re.findall(r"^\| `(.+)` \| (\w+) \|$", table, re.MULTILINE))


@pytest.mark.demand("S-132")
def test_the_specifications_of_the_formats_are_named_and_linked() -> None:
    section = TEXT.split("## The specifications\n")[1]
    named = dict(re.findall(r"\[([^\]]+)\]\(([^)]+)\)", section))
    assert {"TAP 12", "TAP 13", "TAP 14", "KTAP", "NUnit 3", "xUnit.net 2"} <= set(named)
    assert all(link.startswith("https://") or (PAGE.parent / link).is_file() for link in named.values())


@pytest.mark.demand("S-029")
def test_the_answer_about_elk_is_one_page_with_the_mantra_and_the_limits() -> None:
    text = (ROOT / "docs" / "why-not-elk.md").read_text(encoding="utf-8")
    assert "**ELK is for humans. ResultsDB is for machines.**" in text
    assert "## What it is not" in text
    prose = re.sub(r"\(https?://[^)]+\)", "", text)
    assert len(prose.split()) < 750
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        assert (ROOT / "docs" / link).is_file(), link
