"""kill -9 in the middle of a prune beside a server that takes posts: each page left whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from posting import Client, server

from ci_results.domain.page import Page
from ci_results.domain.search import Search
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import NOON, result

KILLS = int(os.environ.get("KILLS", "3"))
"""How often a prune is killed; all of it is KILLS=50."""

PAGES, ROWS = 12, 500
"""Commits of old results, and results in each."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a configuration of each kind of store."""
    url = "sqlite:results.db"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("one")
    path = tmp_path / "ci-results.toml"
    path.write_text(f'store = "{url}"\n')
    return path


@contextmanager
def store_of(config: Path) -> Iterator[Store]:
    url = config.read_text().split('"')[1]
    store = open_store(url.replace("sqlite:", f"sqlite:{config.parent}/"))
    try:
        yield store
    finally:
        store.close()


def fill(store: Store) -> None:
    """Store old results of many testcases, each newer than the one before."""
    for page in range(PAGES):
        time_of_page = NOON + timedelta(hours=page)
        results = [
            result(f"k{n}", source=f"s{page}", testcase=f"ns.t{n}", time=time_of_page, run=None)
            for n in range(ROWS)
        ]
        store.commit_page(Page(source=f"s{page}", results=results))


def prune(config: Path) -> subprocess.Popen[str]:
    words = [
        sys.executable,
        "-m",
        "ci_results",
        "--config",
        str(config),
        "prune",
        "--older-than",
        "2026-06-01",
    ]
    return subprocess.Popen(
        [*words, "--comment", "room", "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def left(store: Store) -> int:
    return sum(page.results for page in store.pruning.pages(limit=10_000))


def wait_for_a_page(store: Store, process: subprocess.Popen[str], before: int) -> None:
    while process.poll() is None and left(store) == before:
        time.sleep(0.005)


@pytest.mark.timeout(120 + 12 * KILLS)
def test_kill_9_in_the_middle_leaves_a_store_that_is_sound_and_goes_on(config: Path) -> None:
    lot, client, end = random.Random(7), Client(1), threading.Event()
    with store_of(config) as store:
        fill(store)
    with server(config) as (_process, port):
        posting = threading.Thread(target=client.post_until, args=(port, end))
        posting.start()
        with store_of(config) as store:
            for _ in range(KILLS):
                before = left(store)
                process = prune(config)
                wait_for_a_page(store, process, before)
                time.sleep(lot.uniform(0, 0.05))
                process.kill()
                process.communicate()
                assert process.returncode in (0, -signal.SIGKILL)
                found = [each for each in store.check() if "roll-up" not in each]
                assert found == [], "days are counted after the posts that come meanwhile"
            process = prune(config)
            said = process.communicate(timeout=60)
            assert process.returncode == 0, said
            answer = requests.get(f"http://127.0.0.1:{port}/api/v2.0/results/1", timeout=10)
            assert (answer.status_code, answer.json()) == (404, {"message": "Result not found"})
        end.set()
        posting.join()
    with store_of(config) as store:
        assert store.check() == []
        assert left(store) == (PAGES - 1) * ROWS
        assert len(client.acknowledged) > KILLS
        found = store.search(Search(limit=1_000_000))
        assert {fact.id for fact in found} >= set(client.acknowledged.values())
        old = [fact for fact in found if fact.testcase != "ns.killed"]
        assert len(old) == ROWS, "the newest of each testcase"
        assert len(found) - len(old) - len(client.acknowledged) in (0, 1)
