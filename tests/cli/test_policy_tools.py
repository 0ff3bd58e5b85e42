"""`ci-results policy test`, from the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result as Done
from jsonschema import Draft202012Validator

from ci_results.cli.published import published
from ci_results.operations.schema_check import whole

Ask = Callable[..., Done]
ROOT = Path(__file__).parents[2]
POLICY = """\
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.case}
"""
TABLE = """\
product_version: fedora-40
context: push
tests:
- {name: passes, subject: bash-5-1.fc40, results: [{ns.case: passed}], verdict: go}
"""


def holds(name: str, done: Done) -> object:
    """Return the JSON that was printed, after holding it to its schema."""
    value: object = json.loads(done.stdout)
    schema = whole(f"cli/{name}", published())
    assert [each.message for each in Draft202012Validator(schema).iter_errors(value)] == []
    return value


@pytest.fixture
def policies(folder: Path) -> Path:
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["policies/*.yaml"]\n')
    place = folder / "policies"
    place.mkdir()
    (place / "push.yaml").write_text(POLICY)
    return place


@pytest.mark.demand("S-094")
def test_tables_beside_the_policies_are_tried(ask: Ask, policies: Path) -> None:
    none = ask("policy", "test")
    assert (none.exit_code, "no file of tests, NAME.test.yaml" in none.stderr) == (3, True)
    (policies / "push.test.yaml").write_text(TABLE)
    good = ask("policy", "test")
    assert (good.exit_code, good.stdout) == (0, ""), good.output
    assert good.stderr == "1 test in 1 file: 1 as expected, 0 not\n"
    assert "passed  policies/push.test.yaml:4: passes\n" in ask("policy", "test", "-v").stdout
    (policies / "push.test.yaml").write_text(TABLE.replace("verdict: go", "verdict: wait"))
    bad = ask("policy", "test", "policies")
    assert (bad.exit_code, bad.stdout.splitlines()) == (
        1,
        [
            "failed  policies/push.test.yaml:4: passes",
            "  policies/push.test.yaml:4: verdict is go, expected wait: nothing blocks",
        ],
    )
    value = holds("policy-test", ask("policy", "test", "--json"))
    assert isinstance(value, list)
    assert (value[0]["verdict"], value[0]["expected"], value[0]["line"]) == ("go", "wait", 4)


def test_a_table_is_no_policy(ask: Ask, policies: Path) -> None:
    (policies / "push.test.yaml").write_text(TABLE)
    lint = ask("policy", "lint")
    assert (lint.exit_code, lint.stderr) == (0, "1 file: 0 errors, 0 warnings\n")


def test_a_table_that_cannot_be_used_is_told_with_its_line(ask: Ask, policies: Path) -> None:
    (policies / "push.test.yaml").write_text(TABLE + "- {name: two}\n")
    bad = ask("policy", "test")
    assert (bad.exit_code, bad.stdout) == (3, "")
    assert "error: policies/push.test.yaml:5: " in bad.stderr
    assert ask("policy", "test", "gone.test.yaml").exit_code == 3


def test_the_example_set_decides_what_its_tables_say(ask: Ask) -> None:
    told = ask("policy", "test", ROOT / "policies")
    assert told.exit_code == 0, told.stdout
