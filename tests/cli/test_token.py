from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from click.testing import Result

from ci_results.config import load_config
from ci_results.serve.auth.tokens import Tokens

Ask = Callable[..., Result]


def test_a_token_is_printed_once_and_its_table_makes_it_known(ask: Ask, folder: Path) -> None:
    made = ask("token", "new", "bot")
    assert made.exit_code == 0
    (token,) = made.stdout.split()
    assert token not in made.stderr
    assert "next: " in made.stderr
    table = made.stderr.split("next: ")[0]
    (folder / "ci-results.toml").write_text(table)
    user = Tokens(load_config(None).auth.tokens).user(token)
    assert user is not None
    assert user.name == "bot"
    assert ask("token", "new", "bot").stdout != made.stdout
    assert not (folder / "ci-results.db").exists()


def test_a_token_may_say_more_of_its_user(ask: Ask, folder: Path) -> None:
    odd = 'Zoë "the \\ bot"'
    made = ask(
        "token", "new", "bot-1", "--user", odd, "--group", "qe", "--group", odd, "--days", 30, "--strict"
    )
    (folder / "ci-results.toml").write_text(made.stderr.split("next: ")[0])
    (table,) = load_config(None).auth.tokens
    assert (table.user, table.groups, table.strict) == (odd, ("qe", odd), True)
    assert table.expires == datetime.now(UTC).date() + timedelta(days=30)


def test_a_token_in_json_has_its_table_beside_it(ask: Ask) -> None:
    said = json.loads(ask("token", "new", "bot", "--days", "1", "--json").stdout)
    assert said["token"].startswith("cir_")
    assert said["table"]["name"] == "bot"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", said["table"]["expires"])


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 300])
def test_a_name_that_nobody_may_have_is_refused(ask: Ask, name: str) -> None:
    made = ask("token", "new", name)
    assert made.exit_code == 3
    assert made.stdout == ""


def test_a_server_that_others_reach_takes_results_from_whom_it_knows(ask: Ask, folder: Path) -> None:
    made = ask("token", "new", "bot")
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n' + made.stderr.split("next: ")[0])
    server = subprocess.Popen(
        [sys.executable, "-m", "ci_results", "serve", "--port", "0", "--allow-host", "ci.example"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        assert server.stderr is not None
        lines = [server.stderr.readline() for _ in range(2)]
        found = re.search(r"http://\S+", lines[0])
        assert found is not None, lines
        assert "results are taken from holders of tokens" in lines[1]
        url, said = f"{found[0]}api/v2.0/results", {"testcase": "a.b", "outcome": "PASSED"}
        assert requests.post(url, json=said, timeout=20).status_code == 401
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        assert requests.post(url, json=said, headers=headers, timeout=20).status_code == 201
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)
