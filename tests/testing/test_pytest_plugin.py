"""The pytest plugin costs nothing where it is not used, and shows broken rules by their lesson alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "requests",
    "datasette",
    "sqlite3",
    "sqlite_utils",
    "starlette",
    "hypothesis",
    "cattrs",
    "rich",
    "psycopg",
)

BROKEN = """
from ci_results.testing.lessons import broken

def test_that_breaks_a_rule():
    raise broken("keys", "the keys differ")

def test_that_fails():
    assert 1 == 2
"""


def python(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_it_imports_nothing_heavy() -> None:
    program = f"import sys, ci_results.testing.pytest_plugin; print([m for m in {HEAVY} if m in sys.modules])"
    assert python("-c", program).stdout.strip() == "[]"


def test_the_testing_package_gives_its_names_when_asked() -> None:
    program = f"import sys, ci_results.testing as t; print([m for m in {HEAVY} if m in sys.modules], dir(t))"
    told = python("-c", program).stdout
    assert told.startswith("[] ")
    names = (
        *("CollectorContract", "FormatContract", "MessageContract", "RuleContract"),
        *("SinkContract", "StoreContract"),
        *("Replay", "Recorder"),
    )
    for name in names:
        assert f"'{name}'" in told
        assert (
            python("-c", f"from ci_results.testing import {name}; print({name}.__name__)").stdout
            == f"{name}\n"
        )


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import ci_results.testing

    with pytest.raises(AttributeError, match="no attribute 'Mock'"):
        _ = ci_results.testing.Mock  # type: ignore[attr-defined]


def test_a_broken_rule_is_shown_without_our_frames(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(BROKEN)
    told = python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path).stdout
    assert "  the keys differ\n  why   (source, run, key) is what tells" in told
    assert "lessons.py" not in told
    assert "assert 1 == 2" in told
    assert "2 failed" in told


def test_the_option_is_known_to_every_pytest(tmp_path: Path) -> None:
    assert "--update-golden" in python("-m", "pytest", "--help", cwd=tmp_path).stdout
