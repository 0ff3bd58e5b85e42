"""A command line with a scripted source in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ci_results.cli.main import cli

SCRIPTED = Path(__file__).parents[1] / "scripted"

Ask = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the scripted plugin installed."""
    monkeypatch.syspath_prepend(str(SCRIPTED))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI_RESULTS_CONFIG", raising=False)
    monkeypatch.delenv("CI_RESULTS_STORE", raising=False)
    return tmp_path


@pytest.fixture
def ask(folder: Path) -> Ask:
    """Call the command line in this process: ask("result", "list").exit_code."""
    runner = CliRunner()
    return lambda *words, **more: runner.invoke(cli, [str(word) for word in words], **more)


@pytest.fixture
def configured(folder: Path) -> Callable[..., None]:
    """Write scripts and the configuration: configured(a=[{"see": {...}}], b=None); None = a dead source."""

    def write(extra: str = "", **sources: list[dict[str, Any]] | None) -> None:
        tables = ['store = "sqlite:r.db"\n']
        for name, lines in sources.items():
            path = folder / f"{name}.script"
            path.unlink(missing_ok=True)
            if lines is not None:
                path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
            tables.append(
                f'[source.{name}]\ncollector = "scripted"\nscript = "{path}"\nowner = "{name}-qe"\n{extra}'
            )
        (folder / "ci-results.toml").write_text("\n".join(tables), encoding="utf-8")

    return write
