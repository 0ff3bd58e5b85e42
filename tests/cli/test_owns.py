"""A source and a report say something about their own testcases only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Ask = Callable[..., Result]
LINES = [
    {"see": {"key": "1", "testcase": "baseos.tier1", "outcome": "success"}},
    {"see": {"key": "2", "testcase": "kernel.tier1", "outcome": "success"}},
    {"checkpoint": ""},
]


def stored(ask: Ask) -> list[str]:
    return sorted(row["testcase"] for row in json.loads(ask("result", "list", "--json").stdout))


@pytest.mark.demand("S-043")
def test_a_testcase_of_others_waits_until_the_source_owns_it(ask: Ask, configured: Any, folder: Path) -> None:
    configured('owns = ["baseos.*"]\n', baseos=LINES)
    whole = (folder / "ci-results.toml").read_text()
    kernel = (
        '[source.kernel]\ncollector = "scripted"\nscript = "k"\nowner = "kernel-qe"\nowns = ["kernel.*"]\n'
    )
    (folder / "ci-results.toml").write_text(f"{whole}\n{kernel}")
    done = ask("harvest", "baseos")
    assert (
        "quarantined 1x: testcase 'kernel.tier1' is not among those that the source owns (baseos.*)"
        in done.stderr
    )
    assert stored(ask) == ["baseos.tier1"]
    (record,) = json.loads(ask("quarantine", "list", "--json").stdout)
    assert "it belongs to source kernel (kernel-qe)" in record["reason"]
    assert record["reason"].endswith("add it to ci-results.toml: [source.baseos] owns")
    assert ask("quarantine", "retry", "--all").exit_code == 1
    configured('owns = ["baseos.*", "kernel.tier?"]\n', baseos=LINES)
    assert ask("quarantine", "retry", "--all").exit_code == 0
    assert stored(ask) == ["baseos.tier1", "kernel.tier1"]


@pytest.mark.demand("S-043")
def test_a_report_of_others_testcases_waits_too(ask: Ask, folder: Path) -> None:
    config = folder / "ci-results.toml"
    config.write_text('store = "sqlite:r.db"\n[report]\nowns = ["local.*"]\n')
    (folder / "r.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    names = ("--item", "bash-5.2-1.fc40", "r.xml", "--namespace")
    assert ask("report", *names, "local").exit_code == 0
    assert ask("report", *names, "baseos").exit_code == 3
    assert all(name.startswith("local.") for name in stored(ask))
    assert ask("quarantine", "retry", "--all").exit_code == 1
    config.write_text('store = "sqlite:r.db"\n')
    assert ask("quarantine", "retry", "--all").exit_code == 0
    assert any(name.startswith("baseos.") for name in stored(ask))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            "[source.a]\ncollector = 'scripted'\nscript = 'x'\nowns = []",
            "ci-results.toml: [source.a] owns: a glob is empty",
        ),
        ("[report]\nowns = ['a.*', ' ']", "ci-results.toml: [report] owns: a glob is empty"),
        ("[report]\nowns = 'a.*'", "ci-results.toml: [report] owns"),
        ("[report]\nowns = [1]", "ci-results.toml: [report] owns"),
    ],
)
def test_a_fault_names_file_table_and_key(ask: Ask, folder: Path, table: str, said: str) -> None:
    (folder / "ci-results.toml").write_text(table)
    done = ask("source", "list")
    assert done.exit_code == 3
    assert done.stderr.startswith(f"error: {said}")
