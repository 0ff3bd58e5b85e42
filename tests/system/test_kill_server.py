"""kill -9 under sixteen posting clients: every acknowledged result is there, and none twice."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from posting import Client, server

from ci_results.domain.search import Search
from ci_results.store.sqlite import SqliteStore

KILLS = int(os.environ.get("KILLS", "3"))
"""How often the server is killed; all of it is KILLS=50."""

CLIENTS = 16


@pytest.mark.demand("S-004")
@pytest.mark.timeout(60 + 12 * KILLS)
def test_what_was_acknowledged_is_there_once_after_every_kill(tmp_path: Path) -> None:
    config = tmp_path / "ci-results.toml"
    config.write_text('store = "sqlite:results.db"\n')
    clients = [Client(number) for number in range(CLIENTS)]
    lot = random.Random(9)
    for _ in range(KILLS):
        with server(config) as (process, port):
            end = threading.Event()
            posting = [threading.Thread(target=client.post_until, args=(port, end)) for client in clients]
            for thread in posting:
                thread.start()
            while not any(client.posting for client in clients):
                time.sleep(0.005)
            time.sleep(lot.uniform(0, 0.4))
            process.kill()
            end.set()
            for thread in posting:
                thread.join()
        assert process.returncode == -signal.SIGKILL
    acknowledged = {name: number for client in clients for name, number in client.acknowledged.items()}
    assert len(acknowledged) > 5 * KILLS
    with SqliteStore.open(tmp_path / "results.db") as store:
        found = store.search(Search(limit=1_000_000))
        stored = {json.loads(fact.own or "{}")["item"][0]: fact.id for fact in found}
        assert max(Counter(json.loads(fact.own or "{}")["item"][0] for fact in found).values()) == 1
        assert acknowledged.items() <= stored.items()
        assert len(stored) - len(acknowledged) <= CLIENTS
        assert sum(store.group(f"g{number}").results for number in range(CLIENTS)) == len(stored)
        assert store.check() == []
