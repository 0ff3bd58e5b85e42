"""The broker is away while results are posted: posts go on, nothing is lost, and all goes out afterwards.

CI_RESULTS_OUTAGE_S=60 leaves it away for a minute.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread
from typing import NamedTuple

import pytest

from ci_results.bus.choosing import choose
from ci_results.domain.delivery import DeliveryState
from ci_results.operations.doctor import examine_sinks
from ci_results.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parents[1] / "bus"))
from ears import listen_once
from roads import road

sys.path.pop(0)

OUTAGE_S = float(os.environ.get("CI_RESULTS_OUTAGE_S", "1.5"))
CLIENTS = 4
EVERY_S = 0.04
LONG_S = 60 + 4 * OUTAGE_S
NEVER = timedelta(days=1)
CONFIG = """store = "sqlite:from.db"
[sink.out]
kind = "bus"
url = "amqp://127.0.0.1:{port}/"
prefix = "{prefix}"
batch = 100
"""
pytestmark = [pytest.mark.needs("rabbitmq"), pytest.mark.timeout(3 * LONG_S)]


class Post(NamedTuple):
    """One post: its item, when it began, how long it took, and the status of its answer."""

    item: str
    began: float
    took_s: float
    status: int


def post(port: int, name: int, stop: Event, posts: list[Post]) -> None:
    """Post results at a steady rate."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(1_000_000):
        item = f"widget.{name}-1-{number}"
        said = {"testcase": "dist.case", "outcome": "PASSED", "data": {"item": item, "type": "koji_build"}}
        began = time.monotonic()
        connection.request(
            "POST", "/api/v2.0/results", json.dumps(said).encode(), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        answer.read()
        posts.append(Post(item, began, time.monotonic() - began, answer.status))
        if stop.wait(max(0.0, EVERY_S - posts[-1].took_s)):
            break
    connection.close()


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of ours beside us."""
    with (
        (folder / f"{words[0]}.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "ci_results", *words], cwd=folder, stdout=log, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def until(what: Callable[[], bool], within_s: float = LONG_S) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, "is not so in time"
        time.sleep(0.05)


def port_of(folder: Path) -> int:
    """Wait until the server says where it is."""
    log = folder / "serve.log"
    until(lambda: "http://127.0.0.1:" in log.read_text())
    found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.demand("S-059")
def test_posts_go_on_while_the_broker_is_away_and_all_goes_out_afterwards(
    tmp_path: Path, rabbitmq: str
) -> None:
    out = f"{rabbitmq}.out"
    choose(f"amqp://127.0.0.1/?queue={out}&topics={out}.%23").inlet().close()
    posts: list[Post] = []
    done = Event()
    with road() as way:
        (tmp_path / "ci-results.toml").write_text(CONFIG.format(port=way.port, prefix=out))
        with (
            running(tmp_path, "serve", "--port", "0"),
            running(tmp_path, "deliver", "--follow"),
            SqliteStore.open(tmp_path / "from.db") as store,
        ):
            port = port_of(tmp_path)

            def state() -> DeliveryState:
                return store.outbox.states(["out"])[0]

            clients = [Thread(target=post, args=(port, number, done, posts)) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            began = time.monotonic()
            until(lambda: state().sent > 20)
            time.sleep(OUTAGE_S / 3)

            way.open, cut = False, time.monotonic()
            time.sleep(OUTAGE_S)
            until(lambda: state().last_error is not None)
            (told,) = examine_sinks(store, {"out": NEVER})
            waited = state().waiting
            way.open, mended = True, time.monotonic()

            time.sleep(OUTAGE_S / 3)
            done.set()
            for client in clients:
                client.join()
            until(lambda: not state().waiting)
            drained = time.monotonic()
            assert (store.counts()["results"], state().parked) == (len(posts), 0)
    assert (str(told.health), told.about) == ("bad", "sink out")
    assert re.match(r"\d+ results wait since .*: 127\.0\.0\.1:\d+: ", told.says)
    assert waited > 0
    assert {each.status for each in posts} == {201}
    assert arrived(tmp_path, out) == sorted(each.item for each in posts)
    for name, start, end in (("before", began, cut), ("during", cut, mended), ("after", mended, drained)):
        took_ms = [each.took_s * 1000 for each in posts if start <= each.began < end]
        marks = quantiles(took_ms, n=100)
        print(f"{name}: {len(took_ms)} posts, p50 {marks[49]:.1f} ms, p99 {marks[98]:.1f} ms")  # noqa: T201
    print(f"{waited} waited after {mended - cut:.1f} s; all out {drained - mended:.1f} s after")  # noqa: T201


def arrived(folder: Path, queue: str) -> list[str]:
    """Return the item of each result that who listens stores, in order."""
    with SqliteStore.open(folder / "to.db") as store:
        state = listen_once(f"amqp://127.0.0.1/?queue={queue}", store, origin="another", announced=True)
        assert (state.state, state.quarantined) == ("stopped", 0)
    with closing(sqlite3.connect(folder / "to.db")) as rows:
        return sorted(item for (item,) in rows.execute("select item from result"))
