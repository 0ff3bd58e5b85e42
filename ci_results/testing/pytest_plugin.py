"""The pytest plugin: --update-golden, and failures of contracts shown as what they teach.

Loaded in every pytest run of an environment that has this package: it imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our option."""
    parser.getgroup("ci-results").addoption(
        "--update-golden",
        action="store_true",
        help="FormatContract writes what the reader says now into the golden files, and passes",
    )


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
