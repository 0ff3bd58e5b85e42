"""docs/traceability.md says which tests show which demand; the marks of the tests say so too."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "traceability.md"
REQUIRED = {
    *(f"S-{n:03}" for n in range(4, 29)),
    *(f"S-{n:03}" for n in (40, 41, 42, 43, 44, 45, 46, 47, 48, 125, 140, 141, 142, 143, 144)),
}


def marked() -> dict[str, list[str]]:
    """Return the tests that carry each demand's mark, as "file::test" from the root."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(
        [
            *ROOT.glob("tests/**/*.py"),
            *ROOT.glob("plugins/*/tests/**/*.py"),
            *ROOT.glob("ci_results/testing/*.py"),
        ]
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.demand":
                        for argument in mark.args:
                            found[ast.literal_eval(argument)].add(f"{path.relative_to(ROOT)}::{node.name}")
    return {demand: sorted(tests) for demand, tests in found.items()}


def rows() -> dict[str, list[str]]:
    """Return the table's rows by id: demand, feature, tests."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| S-")
    ]
    return {row[0]: row[1:] for row in cells}


def test_every_demand_of_this_version_has_its_row() -> None:
    assert set(rows()) >= REQUIRED


def test_the_table_names_exactly_the_tests_that_are_marked(pytestconfig: pytest.Config) -> None:
    marks = marked()
    assert set(marks) <= set(rows()), "a mark without a row"
    wanted = {demand: "<br>".join(f"`{test}`" for test in marks.get(demand, [])) for demand in rows()}
    if pytestconfig.getoption("--update-golden", default=False):
        lines = []
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
            if line.startswith("| S-"):
                demand = line.split("|")[1].strip()
                line = f"| {demand} | {' | '.join(rows()[demand][:2])} | {wanted[demand]} |"
            lines.append(line)
        DOCUMENT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert {demand: row[2] for demand, row in rows().items()} == wanted


def test_a_row_without_a_test_says_why() -> None:
    silent = [
        demand for demand, (_, feature, tests) in rows().items() if not tests and "not yet" not in feature
    ]
    assert silent == [], "write the test, or say what is not yet there"
