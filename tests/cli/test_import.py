"""The command line copies a remote ResultsDB: whole, once, killed or not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from resultsdb_lookalike import Fault, Lookalike

from ci_results.store.sqlite import SqliteStore

Ask = Callable[..., Result]
RUN = "from ci_results.cli.main import main; main()"


def test_an_import_says_what_came_and_what_next(ask: Ask, remote: Lookalike) -> None:
    remote.add(data={"item": ["bash-5.2-1.fc40"]})
    done = ask("import", "resultsdb", f"{remote.url}/")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("source=resultsdb state=ok new=1 same=0 superseding=0 quarantined=0 ")
    assert done.stderr.splitlines()[-1] == "next: ci-results result list --source resultsdb"
    again = ask("import", "resultsdb", remote.url, "--json")
    assert (json.loads(again.stdout)["new"], json.loads(again.stdout)["state"]) == (0, "ok")
    (row,) = json.loads(ask("source", "list", "--json").stdout)
    assert (row["source"], row["collector"], row["state"]) == ("resultsdb", "import", "imported")
    remote.add(outcome="ODD")
    assert "quarantine list --source resultsdb" in ask("import", "resultsdb", remote.url).stderr


def test_the_exit_code_tells_all_some_and_none_apart(ask: Ask, remote: Lookalike) -> None:
    remote.fault_of = lambda method, path, body: Fault(404)
    none = ask("import", "resultsdb", remote.url, "--source", "old")
    assert none.exit_code == 3
    assert "HTTP 404" in none.stdout
    remote.fault_of = lambda method, path, body: Fault(403) if "/results" in path else None
    assert ask("import", "resultsdb", remote.url, "--source", "old").exit_code == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--source", "one"), 3, "source one is harvested: give another name with --source"),
        (("--since", "soon"), 64, "--since is no time: 'soon'"),
        (("--token-env", "NO_SUCH_TOKEN"), 3, "NO_SUCH_TOKEN is not set"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    ask: Ask, configured: Any, remote: Lookalike, words: tuple[str, ...], code: int, said: str
) -> None:
    configured(one=[])
    done = ask("import", "resultsdb", remote.url, *words)
    assert said in done.stderr
    assert (done.exit_code, remote.asked) == (code, [])


def test_since_and_a_token_go_along(ask: Ask, remote: Lookalike, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTOKEN", "s3cret")
    done = ask(
        "import", "resultsdb", remote.url, "--since", "2024-01-02T03:04+01:00", "--token-env", "RTOKEN"
    )
    assert done.exit_code == 0
    assert any("since=2024-01-02T01%3A49%3A00.000000" in path for _, path in remote.asked)
    assert {headers["Authorization"] for headers in remote.headers} == {"Bearer s3cret"}


@pytest.mark.timeout(120)
def test_kill_9_in_the_middle_leaves_no_trace_after_the_next_import(
    tmp_path: Path, remote: Lookalike
) -> None:
    for number in range(6_000):
        remote.add(
            submit_time=f"2024-05-{number // 400 + 1:02}T{number % 400 // 20:02}:{number % 60:02}:00",
            outcome=("PASSED", "FAILED", "ODD")[number % 3], groups=[f"g{number % 900}"],
            data={"item": [f"i{number}"]},
        )  # fmt: skip
    for number in range(900):
        remote.groups[f"g{number}"]["description"] = f"run {number}"
    remote.fault_of = lambda method, path, body: Fault(pause_s=0.05, status=503) if _unlucky() else None
    command = [sys.executable, "-c", RUN, "--store", f"sqlite:{tmp_path}/killed.db", "import", "resultsdb"]
    lot = random.Random(3)

    def _unlucky() -> bool:
        return lot.random() < 0.05

    for goal in (5, 6, 6):
        remote.asked.clear()
        with subprocess.Popen(
            [*command, remote.url], env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while len(remote.asked) < goal and process.poll() is None:
                time.sleep(0.001)
            time.sleep(lot.uniform(0, 0.03))
            process.kill()
        assert process.returncode == -signal.SIGKILL
    last = subprocess.run([*command, remote.url], check=False, capture_output=True, text=True)
    assert last.returncode == 0, last.stdout
    command[4] = f"sqlite:{tmp_path}/quiet.db"
    subprocess.run([*command, remote.url], check=True, capture_output=True)
    with SqliteStore.open(tmp_path / "killed.db") as killed, SqliteStore.open(tmp_path / "quiet.db") as quiet:
        assert quiet.counts()["results"] == 4_000
        assert list(killed.dump(portable=True)) == list(quiet.dump(portable=True))
        assert [killed.group(f"g{n}") for n in range(900)] == [quiet.group(f"g{n}") for n in range(900)]
        assert killed.check() == []
