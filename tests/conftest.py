"""What all tests share: skips that are counted by name."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

FOUND = {
    "chromium": lambda: shutil.which("chromium") and shutil.which("chromedriver"),
}
"""What a test may need that a machine may lack, and how to look for it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("needs"):
            for name in marker.args:
                if not FOUND[name]():
                    item.add_marker(pytest.mark.skip(reason=f"needs {name}"))
                    config.stash.setdefault(MISSING, Counter())[name] += 1


MISSING: pytest.StashKey[Counter[str]] = pytest.StashKey()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, count in config.stash.get(MISSING, Counter()).items():
        terminalreporter.write_line(f"skipped for want of {name}: {count}")
