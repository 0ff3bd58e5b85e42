"""Scripted sources in a folder of their own, with a store beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ci_results.plugin.manager import Plugins, load_plugins
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.store.sqlite import SqliteStore

SCRIPTED = Path(__file__).parents[1] / "scripted"

Script = Callable[..., Path]


@pytest.fixture(autouse=True)
def _scripted_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTED))


@pytest.fixture
def plugins(_scripted_plugin: None) -> Plugins:
    return load_plugins()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "results.db") as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def each_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind."""
    url = f"sqlite:{tmp_path / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("gate")
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Write a script, a line each argument; returns its path."""

    def write(name: str, *lines: dict[str, Any]) -> Path:
        path = tmp_path / f"{name}.script"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        return path

    return write
