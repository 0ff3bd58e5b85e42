"""Tests of policies, found as files and collected by pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ci_results.decide.builtin import RULE_TYPES
from ci_results.errors import ConfigError
from ci_results.testing.policy_trials import find_policy_tests, read_policy_tests

TYPES = {kind.name: kind for kind in RULE_TYPES}
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
- {name: fails, subject: bash-5-1.fc40, results: [{ns.case: failed}], verdict: go}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "push.yaml").write_text(POLICY)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "push.test.yaml").write_text(TABLE)
    return tmp_path


def run(folder: Path, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_tables_are_pytest_items_where_that_is_asked_for(folder: Path) -> None:
    (folder / "test_x.py").write_text("def test_x():\n    pass\n")
    code, told = run(folder, "-q")
    assert (code, "1 passed" in told) == (0, True), told
    code, told = run(folder, "-q", "--policy-tests")
    assert (code, "2 passed" in told, "1 failed" in told) == (1, True, True), told
    assert "push.test.yaml:5: verdict is no-go, expected go: ns.case: failed" in told
    assert "Traceback" not in told
    (folder / "pytest.ini").write_text("[pytest]\npolicy_tests = true\n")
    code, told = run(folder, "-q", "tests/push.test.yaml::passes")
    assert (code, "1 passed" in told) == (0, True), told


def test_a_table_that_cannot_be_read_is_an_error_of_collection(folder: Path) -> None:
    (folder / "tests" / "push.test.yaml").write_text(TABLE.replace("verdict", "verdit", 1))
    code, told = run(folder, "-q", "--policy-tests")
    assert (code, "push.test.yaml:4: a test has no key 'verdit'" in told) == (2, True), told


def test_the_policies_are_those_beside_a_table_or_those_that_it_names(folder: Path) -> None:
    table = folder / "tests" / "push.test.yaml"
    assert [each.problems == () for each in read_policy_tests(table, TYPES).run()] == [True, False]
    (folder / "more.yaml").write_text(POLICY.replace("id: push", "id: more").replace("ns.case", "ns.more"))
    assert [str(each.decision.verdict) for each in read_policy_tests(table, TYPES).run()] == ["wait", "no-go"]
    table.write_text("policies: [../push.yaml]\n" + TABLE)
    assert [str(each.decision.verdict) for each in read_policy_tests(table, TYPES).run()] == ["go", "no-go"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("policies: [gone.yaml]\n" + TABLE, "push.test.yaml: policies: no file is 'gone.yaml'"),
        ("policies: [/etc/*]\n" + TABLE, "is no glob below the file's folder"),
        ("policies: [../bad.yaml]\n" + TABLE, r"bad.yaml:6: "),
        ("policies: 5", r"push.test.yaml:1: the file needs tests"),
        ("\tx", r"push.test.yaml:1: YAML Parser Error"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(folder: Path, text: str, told: str) -> None:
    (folder / "bad.yaml").write_text(POLICY.replace("test_case_name", "testcase"))
    (folder / "tests" / "push.test.yaml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_policy_tests(folder / "tests" / "push.test.yaml", TYPES)


def test_folders_are_searched_and_files_taken_as_named(folder: Path) -> None:
    table = folder / "tests" / "push.test.yaml"
    assert find_policy_tests([folder, table]) == [table]
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match="no file of tests"):
        find_policy_tests([empty])
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_policy_tests(folder / "gone.test.yaml", TYPES)
