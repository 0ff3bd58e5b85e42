"""A harvest that is killed with -9 and run again ends where an undisturbed one ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ci_results.collect.source import Source
from ci_results.operations.harvest import harvest
from ci_results.plugin.manager import Plugins
from ci_results.store.sqlite import SqliteStore

SCRIPTED = Path(__file__).parents[1] / "scripted"
PAGES, ROWS = 40, 25
RUN = "from ci_results.cli.main import main; main()"


KILLED_AT = (3, 14, 27)


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    """A slow source of 1,000 runs in 40 pages, every third unreadable; files tell how far it came."""
    script: list[dict[str, Any]] = []
    for page in range(PAGES):
        for row in range(ROWS):
            outcome = ("SUCCESS", "FAILURE", "ODD")[row % 3]
            time = f"2026-01-{page % 28 + 1:02}T00:00:{row:02}+00:00"
            script.append({"see": {"key": f"{row}", "outcome": outcome, "time": time, "run": f"job#{page}"}})
        script += [{"sleep": 0.01}, {"touch": str(tmp_path / f"page{page}")}, {"checkpoint": ""}]
    return script


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_in_the_middle_leaves_no_trace_after_the_next_harvest(
    plugins: Plugins, script: Any, tmp_path: Path, seed: int
) -> None:
    path = script("one", *lines(tmp_path))
    config = tmp_path / "ci-results.toml"
    config.write_text(
        f'store = "sqlite:killed.db"\n[source.one]\ncollector = "scripted"\nscript = "{path}"\n'
    )
    command = [sys.executable, "-c", RUN, "--config", str(config), "harvest", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTED)}
    lot = random.Random(seed)
    for page in KILLED_AT:
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            while not (tmp_path / f"page{page}").exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(lot.uniform(0, 0.03))
            process.kill()
        assert process.returncode == -signal.SIGKILL
    with SqliteStore.open(tmp_path / "killed.db") as store:
        begun = store.counts()["results"]
    last = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr

    collector = plugins.collectors["scripted"]
    quiet = Source(name="one", collector=collector, options=collector.options(script=str(path)))
    with SqliteStore.open(tmp_path / "quiet.db") as whole, SqliteStore.open(tmp_path / "killed.db") as store:
        harvest([quiet], whole, plugins)
        assert 0 < begun < whole.counts()["results"]
        assert store.counts()["results"] == whole.counts()["results"]
        assert list(store.dump(portable=True)) == list(whole.dump(portable=True))
        assert store.check() == []
