"""The pytest plugin: --update-golden, failures of contracts shown as what they teach, tests of policies.

Loaded in every pytest run of an environment that has this package: it imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    told = "collect tests of policies: files NAME.test.yaml"
    parser.getgroup("ci-results").addoption("--policy-tests", action="store_true", help=told)
    parser.addini("policy_tests", told, type="bool", default=False)
    parser.getgroup("ci-results").addoption(
        "--update-golden",
        action="store_true",
        help="FormatContract writes what the reader says now into the golden files, and passes",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect tests of policies, where that was asked for."""
    if not file_path.name.endswith((".test.yaml", ".test.yml")):
        return None
    if not (parent.config.getoption("--policy-tests") or parent.config.getini("policy_tests")):
        return None
    from .policy_items import PolicyTestFile

    return PolicyTestFile.from_parent(parent, path=file_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a broken rule by its message alone: the author's mistake is not in our frames."""
    report = yield
    if call.excinfo is not None and _is_lesson(call.excinfo.type):
        report.longrepr = f"{item.name}\n  {call.excinfo.value}"
    return report


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--update-golden"))


def _is_lesson(kind: type[BaseException]) -> bool:
    return kind.__name__ == "BrokenRuleError" and kind.__module__ == "ci_results.testing.lessons"
