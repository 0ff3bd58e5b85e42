"""kill -9 under sixteen posting clients: every acknowledged result is there, and none twice."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ci_results.domain.search import Search
from ci_results.store.sqlite import SqliteStore

KILLS = int(os.environ.get("KILLS", "3"))
"""How often the server is killed; all of it is KILLS=50."""

CLIENTS = 16


class Client:
    """Posts one result after the other; after a kill it posts the one that was not answered again."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._next = 0
        self.posting = False
        self.acknowledged: dict[str, int] = {}

    def post_until(self, port: int, end: threading.Event) -> None:
        """Post to the server at `port` until it is gone, or until the end."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with suppress(OSError, http.client.HTTPException):
            while not end.is_set():
                name = f"{self._number}-{self._next}"
                body = json.dumps(
                    {
                        "outcome": "PASSED",
                        "testcase": "ns.killed",
                        "data": {"item": name},
                        "groups": [f"g{self._number}"],
                    }
                )
                headers = {"Content-Type": "application/json", "Idempotency-Key": name}
                connection.request("POST", "/api/v2.0/results", body, headers)
                answer = connection.getresponse()
                said = json.loads(answer.read())
                assert answer.status == 201, said
                self.posting = True
                self.acknowledged[name] = said["id"]
                self._next += 1
        self.posting = False
        connection.close()


@contextmanager
def server(config: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server; yield it and its port; it is killed in the end."""
    words = [sys.executable, "-m", "ci_results", "--config", str(config), "serve", "--port", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            port = next(
                int(found[1]) for line in process.stderr if (found := re.search(r"127\.0\.0\.1:(\d+)", line))
            )
            yield process, port
        finally:
            process.kill()


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
