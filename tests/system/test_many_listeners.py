"""Two listeners on one quorum queue into PostgreSQL store what one does into SQLite.

CI_RESULTS_MESSAGES=20000 sends so many.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results import Departure
from ci_results.bus.choosing import choose
from ci_results.cli.main import cli
from ci_results.store.opening import create_store, open_store

RUNS = int(os.environ.get("CI_RESULTS_MESSAGES", "300")) // 3
"""Each is told of by two messages, and a part of them comes twice."""

HERE = "amqp://127.0.0.1/"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONG_S = 80
POLICY = """
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.tier0.functional}
"""

pytestmark = [
    pytest.mark.needs("rabbitmq"),
    pytest.mark.needs("postgresql"),
    pytest.mark.timeout(4 * LONG_S),
]


def ci_message(number: int, state: str, result: str, minute: int) -> dict[str, Any]:
    """Return the body of a CI message of one run: that it runs, or how it ended."""
    return {
        "contact": {"name": "ci", "team": "t", "docs": "https://ci.example", "email": "a@ci.example"},
        "run": {"url": f"https://ci.example/{number}", "log": "https://ci.example/log"},
        "artifact": {
            "type": "koji-build", "id": number, "component": "widget", "issuer": "jdoe", "scratch": False,
            "nvr": f"widget-1.4-{number // 2}.fc43", "source": "s",
        },
        "pipeline": {"id": f"p{number}", "name": "tier0"},
        "test": {"category": "functional", "namespace": "ns", "type": "tier0", "result": result},
        "system": [{"os": "f43", "provider": "p", "architecture": ("x86_64", "aarch64")[number % 2]}],
        "generated_at": f"{NOON + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}", "version": "1.1.14",
    }  # fmt: skip


def messages(mark: str) -> Iterator[Departure]:
    """Yield builds, runs that begin and end, bulks, what cannot be read, and repeats, in any order."""
    chance = random.Random(7)
    said: list[tuple[str, str, Any]] = []
    for number in range(RUNS):
        topic = f"{mark}.ci.koji-build.test"
        result = "failed" if number % 7 == 0 else "passed"
        said += [
            (f"{topic}.running", f"r{number}", ci_message(number, "running", "", number)),
            (f"{topic}.complete", f"c{number}", ci_message(number, "complete", result, number + 5)),
        ]
        if number % 10 == 0:
            build = {"new": 1, "name": "widget", "version": "1.4", "release": f"{number // 2}.fc43"}
            bulk = {
                "ref_url": f"https://ci.example/bulk/{number}",
                "results": {
                    f"bulk.t{n}": {"outcome": "PASSED", "data": {"item": "w-1-1.fc43", "batch": number}}
                    for n in range(3)
                },
            }
            said += [
                (f"{mark}.buildsys.build.state.change", f"k{number}", build),
                (f"{mark}.bulk", f"b{number}", bulk),
                (f"{topic}.complete", f"x{number}", ci_message(number, "complete", "purple", number)),
            ]
    said += [each for each in said if chance.random() < 0.1]
    chance.shuffle(said)
    for number, (topic, key, body) in enumerate(said):
        moment = NOON if key[0] in "kb" else NOON + timedelta(seconds=number)
        yield Departure(topic=topic, body=json.dumps(body).encode(), id=f"{mark}-{key}", sent_at=moment)


class Listener:
    """A `listen` in a process of its own; `received` is what it said last."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def wait_until_it_listens(self) -> None:
        assert self._process.stderr is not None
        assert any("state=listening" in line for line in self._process.stderr)

    def stop(self) -> int:
        """End it as an operator does; return how many messages it took."""
        self._process.terminate()
        _out, told = self._process.communicate(timeout=LONG_S)
        assert self._process.returncode == 0, told
        return int(re.findall(r"state=stopped received=(\d+)", told)[-1])


@contextmanager
def listening(folder: Path, store: str) -> Iterator[Listener]:
    words = [sys.executable, "-m", "ci_results", "--store", store, "listen"]
    process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield Listener(process)
    finally:
        process.kill()
        process.communicate()


def run(folder: Path, store: str, *words: str) -> None:
    """Run a command here, for a process would cost a second."""
    called = ["--config", str(folder / "ci-results.toml"), "--store", store, *words]
    assert not cli(called, standalone_mode=False)


def configure(folder: Path, mark: str, queue: str, *, quorum: bool) -> None:
    """Write a configuration, and make the queue, so that nothing is sent before it is there."""
    folder.mkdir()
    topics = [f"{mark}.#"]
    (folder / "p.yaml").write_text(POLICY)
    (folder / "ci-results.toml").write_text(
        f'[gate]\npolicies = ["p.yaml"]\n[listen]\ngroup = 20\nlinger_ms = 5\n'
        f'[bus.in]\nurl = "{HERE}"\nqueue = "{queue}"\ntopics = {topics}\nprefetch = 20\n'
        f"quorum = {str(quorum).lower()}\n"
    )
    choose(HERE, keys={"queue": queue, "topics": topics, "quorum": quorum}).inlet().close()


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; what it does not hold for after long, the test will say."""
    late = time.monotonic() + LONG_S
    while not holds() and time.monotonic() < late:
        time.sleep(0.3)


def facts(store: str) -> list[str]:
    """Return the dump of a store, sorted by source and key."""
    with closing(open_store(store, create=False)) as opened:
        return list(opened.dump(portable=True))


def waiting(queue: str) -> int:
    """Return how many messages nobody has taken."""
    with closing(choose(HERE, keys={"queue": queue, "quorum": True, "prefetch": 1}).inlet()) as inlet:
        return inlet.backlog() or 0


@pytest.mark.demand("S-019", "S-112")
def test_two_listeners_on_postgresql_store_what_one_does_on_sqlite(
    tmp_path: Path, rabbitmq: str, postgresql: Callable[[str], str]
) -> None:
    alone, many = tmp_path / "alone", tmp_path / "many"
    one, both = f"sqlite:{alone / 'r.db'}", postgresql("both")
    configure(alone, rabbitmq, f"{rabbitmq}.out", quorum=False)
    configure(many, rabbitmq, rabbitmq, quorum=True)
    create_store(both)
    said = list(messages(rabbitmq))
    with ExitStack() as held:
        listeners = [held.enter_context(listening(many, both)) for _ in range(2)]
        for each in listeners:
            each.wait_until_it_listens()
        with closing(choose(HERE).outlet()) as outlet:
            outlet.publish(said)
        run(many, both, "follow", "--once")
        run(alone, one, "listen", "--once")
        told = len(facts(one))
        until(lambda: sum('"fact":"decision"' not in line for line in facts(both)) == told)
        took = [each.stop() for each in listeners]
    assert min(took) > 0, took
    until(lambda: sum(took) + waiting(rabbitmq) == len(said))  # what is left are repeats
    assert sum(took) + waiting(rabbitmq) == len(said)
    for folder, store in ((alone, one), (many, both)):
        run(folder, store, "follow", "--once")
    expected = facts(one)
    assert {json.loads(line)["fact"] for line in expected} >= {
        *("result", "quarantine", "expectation", "decision")
    }
    assert facts(both) == expected
