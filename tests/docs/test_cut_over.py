"""Documents about moving here: their commands run as they stand; every open question has its answer."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from resultsdb_lookalike import Lookalike

from ci_results.cli.main import cli
from ci_results.domain.page import Page
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

DOCUMENT = ROOT / "docs" / "cut-over.md"
ADDRESS = "http://resultsdb.example/api/v2.0"
BASH = "bash-5.2-1.fc40"
POLICY = """\
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: dist.rpmlint}
"""
TABLE = """\
product_version: fedora-40
context: push
tests: [{name: open, subject: bash-5.2-1.fc40, results: [{dist.rpmlint: passed}], verdict: go}]
"""
OLD = {
    "testcase": "dist.rpmlint", "outcome": "PASSED",
    "data": {"item": ["make-4-1.fc40"], "type": ["koji_build"]},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: Lookalike) -> Path:
    """A place that has what the document takes for granted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI_RESULTS_STORE", raising=False)
    (config,) = blocks(DOCUMENT, "toml")
    (tmp_path / "ci-results.toml").write_text(config.text.replace(ADDRESS, remote.url))
    (tmp_path / "policies" / "tests").mkdir(parents=True)
    (tmp_path / "policies" / "push.yaml").write_text(POLICY)
    (tmp_path / "policies" / "tests" / "push.test.yaml").write_text(TABLE)
    (tmp_path / "et-export.csv").write_text(
        f"item,testcase,outcome,time\n{BASH},dist.rpmlint,FAILED,2024-03-07T12:30:00Z\n"
    )
    (tmp_path / "known.toml").write_text("")
    with SqliteStore.open(tmp_path / "ci-results.db") as store:
        one = result("1", testcase="dist.rpmlint", item=BASH, outcome="failed")
        store.commit_page(Page(source="ci", results=[one]))
    return tmp_path


@pytest.mark.demand("S-073")
def test_the_commands_of_the_document_run_in_its_order(folder: Path, remote: Lookalike) -> None:
    remote.add(**OLD)
    lines = [line for block in blocks(DOCUMENT, "sh") for line in block.text.splitlines()]
    assert len(lines) > 15
    for line in lines:
        words = shlex.split(line.replace(ADDRESS, remote.url))[1:]
        if "policies/*.yaml" in words:  # which a shell expands
            words = [*words[:-1], "policies/push.yaml"]
        done = CliRunner().invoke(cli, words)
        assert done.exit_code in EXPECTED.get(" ".join(words[:2]), {0}), f"{line}: {done.output}"
    assert [each["outcome"] for each in remote.results] == ["PASSED", "FAILED"]  # its own, and ours sent back
    with SqliteStore.open(folder / "ci-results.db") as store:
        assert store.check() == []
    assert (folder / "before-the-end.db").exists()


EXPECTED = {"doctor": {0, 1, 2}, f"decide {BASH}": {0}}
"""`doctor` warns of what a new place lacks; the failure of the old table was waived in step 2."""


def test_every_open_question_has_its_answer() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    found = sorted(folder.glob("[0-9]*.md"))
    assert [path.name[:4] for path in found] == [f"{number:04d}" for number in range(1, len(found) + 1)]
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Question", "Choice", "Why", "What follows"]
        assert f"({path.name})" in index
        assert len(text.split()) < 300
    demands = {"S-029", "S-070", "S-063", "S-096", "S-097", "S-091", "S-121", "S-132", "S-134", "S-022"}
    demands |= {"S-066", "S-071", "S-078"}
    assert demands <= set(re.findall(r"S-\d{3}", index))


@pytest.mark.demand("S-070")
def test_ways_to_bind_a_waiver_are_weighed_and_one_is_chosen() -> None:
    text = (ROOT / "docs" / "purposes.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| \d \|", text, re.MULTILINE)) >= 3
    assert "The fifth was chosen" in text
