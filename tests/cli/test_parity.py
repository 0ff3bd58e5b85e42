"""The examples of docs/errata-tool.md, as they stand there, on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ci_results.formats.errata_table import ALIASES, COLUMNS, WORDS

Ask = Callable[..., Result]
TEXT = (Path(__file__).parents[2] / "docs" / "errata-tool.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```(csv|toml)\n(?:# known\.toml\n)?(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture
def table(folder: Path) -> Path:
    (folder / "et-export.csv").write_text(EXAMPLES["csv"])
    (folder / "known.toml").write_text(EXAMPLES["toml"])
    return folder / "et-export.csv"


def test_the_document_lists_columns_and_words() -> None:
    columns = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE))
    assert columns == COLUMNS
    assert all(f"`{alias}`" in columns[name] for alias, name in ALIASES.items())
    listed = {
        word: ours
        for words, ours in re.findall(r"^\| ([a-z ,]+) \| ([A-Z_]+) \|$", TEXT, re.MULTILINE)
        for word in words.split(", ")
    }
    assert listed == {word: str(ours) for word, ours in WORDS.items()}


@pytest.mark.demand("S-073")
def test_the_example_is_imported_once(ask: Ask, table: Path) -> None:
    done = ask("import", "et", "et-export.csv")
    assert (done.exit_code, done.stdout) == (0, "et-export.csv: 4 rows  +4 new  =0 same  !0 quarantined\n")
    assert json.loads(ask("import", "et", "et-export.csv", "--json").stdout)["counts"]["same"] == 4
    shown = json.loads(ask("result", "list", "--source", "import-et", "--json").stdout)
    assert {row["data"]["imported"][0] for row in shown} == {"et"}
    assert {row["time"][:10] for row in shown} == {"2024-03-07"}


@pytest.mark.demand("S-073")
def test_a_bad_row_is_told_and_the_rest_is_there(ask: Ask, table: Path) -> None:
    table.write_text(EXAMPLES["csv"] + "bash-5.2.26-3.fc40,dist.tps,RETRIED,2024-03-08,,,,\n")
    done = ask("import", "et", "et-export.csv")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == "next: ci-results quarantine list --source import-et"
    assert ask("quarantine", "retry", "--all").exit_code == 1
    (table.parent / "ci-results.toml").write_text(
        '[import.et]\noutcomes = { RETRIED = "NEEDS_INSPECTION" }\n'
    )
    assert ask("quarantine", "retry", "--all").exit_code == 0
    table.write_text("hello\n")
    refused = ask("import", "et", "et-export.csv")
    assert refused.exit_code == 3
    assert refused.stderr.startswith(
        "error: et-export.csv: no table of verdicts: the first line does not name"
    )


@pytest.mark.demand("S-050")
def test_parity_ends_by_what_is_explained(ask: Ask, table: Path) -> None:
    cases = "".join(
        f'<testcase name="{name}">{inner}</testcase>'
        for name, inner in (("rpmdiff", ""), ("rpmgrill", "<failure/>"), ("tps", ""), ("covscan", ""))
    )
    (table.parent / "r.xml").write_text(f"<testsuite>{cases}</testsuite>")
    assert ask("report", "--item", "bash-5.2.26-3.fc40", "--namespace", "dist", "r.xml").exit_code == 0
    names = ("--testcases", "dist.rpm*", "--testcases", "dist.tps", "--testcases", "dist.covscan")
    open_ = ask("parity", "--old", "et-export.csv", *names)
    assert open_.exit_code == 1
    (row,) = [line for line in open_.stdout.splitlines() if line.startswith("mismatched  bash")]
    assert row.split() == [
        "mismatched",
        "bash-5.2.26-3.fc40",
        "dist.covscan",
        "FAILED",
        "PASSED",
        "not",
        "explained",
    ]
    done = ask("parity", "--old", "et-export.csv", *names, "--explain", "known.toml", "--json")
    assert done.exit_code == 0, done.stdout
    answer = json.loads(done.stdout)
    assert answer["counts"]["matched"] == {"all": 2, "explained": 0, "unexplained": 0}
    assert answer["counts"]["mismatched"] == {"all": 2, "explained": 2, "unexplained": 0}
    assert (answer["differences"], answer["unread"]) == ([], [])
    table.write_text(EXAMPLES["csv"] + "bash-5.2.26-3.fc40,dist.tps,ODD,2024-03-08,,,,\n")
    partly = ask("parity", "--old", "et-export.csv", *names, "--explain", "known.toml")
    assert partly.exit_code == 2
    assert "line 6: outcome word 'ODD' is not known" in partly.stderr


def test_a_broken_file_of_explanations_is_an_error(ask: Ask, table: Path) -> None:
    ask("import", "et", "et-export.csv")
    (table.parent / "known.toml").write_text("[[difference]]\nreason = 'x'\nnew = 'DONE'\n")
    done = ask("parity", "--old", "et-export.csv", "--explain", "known.toml")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: known.toml: difference[0] new: 'DONE' is none of")
