"""`ci-results status`: once, as JSON, and drawn anew."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console

from ci_results.cli import status as module
from ci_results.domain.bus_message import ListenerState
from ci_results.errors import StoreError
from ci_results.operations.status import status
from ci_results.store.sqlite import SqliteStore

Ask = Callable[..., Result]
LINES = [
    {"see": {"key": "1", "outcome": "SUCCESS"}},
    {"see": {"key": "2", "outcome": "ODD"}},
    {"checkpoint": ""},
]


@pytest.fixture
def filled(ask: Ask, configured: Any) -> Ask:
    configured(one=LINES, gone=None)
    ask("harvest")
    return ask


def test_once_it_is_tables_and_a_line(filled: Ask) -> None:
    done = filled("status")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[1].split()[:2] == ["one", "ok"]
    assert lines[2].split()[:3] == ["gone", "bad", "never"]
    assert "no route to host" in lines[2]
    assert lines[-1] == "1 result; decisions: none; nobody follows"
    assert "ci-results doctor" in done.stderr


@pytest.mark.parametrize("more", [(), ("--watch",)], ids=["plain", "watch"])
def test_json_is_printed_once(filled: Ask, more: tuple[str, ...]) -> None:
    told = json.loads(filled("status", "--json", *more).stdout)
    assert [(one["name"], one["state"]) for one in told["sources"]] == [("one", "ok"), ("gone", "bad")]
    assert told["quarantine"] == [{"source": "one", "door": "harvest", "records": 1}]


def test_watching_goes_on_while_the_store_is_away_and_ends_at_ctrl_c(
    filled: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0

    def pause(_seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise KeyboardInterrupt

    look = module._look

    def sometimes(context: Any, store: Any) -> Any:
        if rounds == 1:
            raise StoreError("the database is away")
        return look(context, store)

    monkeypatch.setattr(module, "_look", sometimes)
    monkeypatch.setattr(module.time, "sleep", pause)
    done = filled("status", "--watch")
    assert done.exit_code == 0, done.output
    assert rounds == 3
    assert "gone" in done.stdout
    assert "ci-results doctor" in done.stderr


def test_what_a_server_said_steers_no_terminal(tmp_path: Path) -> None:
    said = io.StringIO()
    with SqliteStore.open(tmp_path / "r.db") as store:
        fault = "[red]\x1b[2J gone"
        store.bus.note(ListenerState(name="umb", state="away", error=fault))
        told = status(store, now=datetime.now(UTC))
        Console(file=said, width=200, force_terminal=True, color_system=None).print(module.drawn(told))
    assert "[red]?[2J gone" in said.getvalue()
    assert "\x1b[2J" not in said.getvalue()


def test_a_store_that_is_not_there_is_told(ask: Ask) -> None:
    assert ask("status").exit_code == 1
