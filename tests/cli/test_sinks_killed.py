"""A delivery that is killed with -9 and run again: nothing is lost, nothing twice where keys are honoured."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from resultsdb_lookalike import Fault, Lookalike

from ci_results.domain.delivery import START
from ci_results.domain.page import Page
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

RUN = "from ci_results.cli.main import main; main()"
RESULTS = 400


@pytest.mark.timeout(120)
@pytest.mark.demand("S-035")
@pytest.mark.parametrize("honours_keys", [True, False], ids=["ci-results", "ResultsDB"])
def test_kill_9_in_the_middle_loses_nothing(tmp_path: Path, honours_keys: bool) -> None:
    with SqliteStore.open(tmp_path / "r.db") as store:
        for part in range(4):
            page = [result(f"{part}-{n}", testcase=f"ns.t{part}-{n}") for n in range(RESULTS // 4)]
            store.commit_page(Page(source="ci", results=page))
    lot = random.Random(1)
    with Lookalike(honours_keys=honours_keys).serve() as remote:
        remote.fault_of = lambda method, path, body: (  # and some answers are lost on the way
            Fault(drop=True, stored=True) if method == "POST" and lot.random() < 0.01 else None
        )
        config = tmp_path / "ci-results.toml"
        config.write_text(
            f'store = "sqlite:r.db"\n[sink.far]\nkind = "resultsdb"\nurl = "{remote.url}"\nbatch = 20\n'
        )
        command = [sys.executable, "-c", RUN, "--config", str(config), "deliver"]
        for goal in (50, 150, 250):
            with subprocess.Popen(
                command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                while len(remote.results) < goal and process.poll() is None:
                    time.sleep(0.001)
                process.kill()
            assert process.returncode == -signal.SIGKILL
        for _ in range(20):  # a pass may give up where answers get lost again and again
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                break
    arrived = [one["testcase"] for one in remote.results]
    wanted = [f"ns.t{part}-{n}" for part in range(4) for n in range(RESULTS // 4)]
    assert sorted(set(arrived)) == sorted(wanted)
    if honours_keys:
        assert arrived == wanted
    else:  # at least once: a batch for each kill, one for each lost answer
        assert len(wanted) <= len(arrived) <= len(wanted) + 3 * 20 + 60
    with SqliteStore.open(tmp_path / "r.db") as store:
        (state,) = store.outbox.states()
        assert (state.waiting, state.sent, state.parked) == (0, RESULTS, 0)


@pytest.mark.timeout(120)
@pytest.mark.demand("S-035", "S-143")
def test_kill_9_leaves_each_result_once_in_a_file(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "r.db") as store:
        page = [result(f"{n}", testcase=f"ns.t{n}") for n in range(RESULTS)]
        store.commit_page(Page(source="ci", results=page))
    config, feed = tmp_path / "ci-results.toml", tmp_path / "feed.jsonl"
    config.write_text(
        'store = "sqlite:r.db"\n[sink.feed]\nkind = "jsonlines"\npath = "feed.jsonl"\nbatch = 2\n'
    )
    command = [sys.executable, "-c", RUN, "--config", str(config), "deliver"]
    for goal in (1, 40_000, 80_000):
        with subprocess.Popen(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while (not feed.exists() or feed.stat().st_size < goal) and process.poll() is None:
                time.sleep(0.001)
            process.kill()
    assert subprocess.run(command, cwd="/", check=False, capture_output=True).returncode == 0
    with SqliteStore.open(tmp_path / "r.db") as store:
        positions = store.outbox.after(START, RESULTS + 1).positions
    told = [json.loads(line) for line in feed.read_bytes().splitlines()]
    assert [(one["seq"], one["id"]) for one in told] == list(positions)
    assert [one["testcase"] for one in told] == [f"ns.t{n}" for n in range(RESULTS)]
