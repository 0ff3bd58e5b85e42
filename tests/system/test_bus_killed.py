"""`listen` and `deliver` are killed with -9 at random beside a real RabbitMQ: nothing lost, nothing twice.

They are forked off a process that has imported all, for an import takes longer than what they do.
CI_RESULTS_KILLS=20 kills so often, over 5,000 messages.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from ci_results import Departure
from ci_results.bus.choosing import choose
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

KILLS = int(os.environ.get("CI_RESULTS_KILLS", "3"))
MESSAGES = 5_000 if KILLS > 3 else 300
SUBJECTS = 20
HERE = "amqp://127.0.0.1/"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONG_S = 30 + 20 * KILLS

pytestmark = [pytest.mark.needs("rabbitmq"), pytest.mark.timeout(2 * LONG_S)]


def message(mark: str, number: int) -> Departure:
    """Return a message of one result, about one of a few builds."""
    nvr = f"widget-{number % SUBJECTS}-1.fc43"
    body = {
        "testcase": f"ns.t{number:05}", "outcome": "PASSED", "ref_url": f"https://ci.example/{number}",
        "data": {"item": nvr, "type": "koji_build"},
    }  # fmt: skip
    moment = NOON + timedelta(seconds=number)
    return Departure(topic=f"{mark}.in", body=orjson.dumps(body), id=f"{mark}-{number}", sent_at=moment)


FORKS = """
import json, os, sys
import pika
from ci_results.cli.main import cli
from ci_results.operations import deliver, listen
for line in sys.stdin:
    child = os.fork()
    if not child:
        sys.stdout = sys.stderr
        try:
            code = cli(json.loads(line), standalone_mode=False) or 0
        except BaseException as err:
            print(repr(err), file=sys.stderr)
            code = 99
        os._exit(code if isinstance(code, int) else 0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forks:
    """Runs commands as children of one process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def start(self, *words: str) -> int:
        self._stdin.write(json.dumps(words) + "\n")
        self._stdin.flush()
        return int(self._stdout.readline())

    def ended(self) -> int:
        return int(self._stdout.readline())


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    words = [sys.executable, "-c", FORKS]
    with subprocess.Popen(
        words,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Forks(process)
        process.stdin.close()  # type: ignore[union-attr]


def killed(forks: Forks, command: str, done: Callable[[], int], goal: int, *more: str) -> int:
    """Run a command again and again, and kill it KILLS times; return how often it was alive then."""
    caught = 0
    for number in range(KILLS):
        aim = goal * (number + random.random()) / KILLS
        child = forks.start(command, *more)
        until = time.monotonic() + LONG_S
        while done() < aim and time.monotonic() < until:
            time.sleep(0.002)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        caught += forks.ended() == -signal.SIGKILL
    forks.start(command, *more)
    assert forks.ended() == 0
    return caught


def count(store: SqliteStore) -> int:
    return store.counts()["results"]


@pytest.mark.demand("S-035", "S-057", "S-004")
def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path: Path, rabbitmq: str, forks: Forks) -> None:
    came, went = rabbitmq, f"{rabbitmq}.out"
    (tmp_path / "ci-results.toml").write_text(
        f'store = "sqlite:r.db"\n[listen]\ngroup = 20\nlinger_ms = 5\n'
        f'[bus.in]\nurl = "{HERE}"\nqueue = "{came}"\ntopics = ["{rabbitmq}.in"]\nprefetch = 60\n'
        f'[sink.out]\nkind = "bus"\nbatch = 25\nurl = "{HERE}"\nprefix = "{went}"\n'
    )
    for queue, topic in ((came, f"{rabbitmq}.in"), (went, f"{went}.%23")):
        choose(f"{HERE}?queue={queue}&topics={topic}").inlet().close()
    with closing(choose(HERE).outlet()) as outlet:
        outlet.publish([message(rabbitmq, number) for number in range(MESSAGES)])
    with SqliteStore.open(tmp_path / "r.db") as store:
        caught = killed(forks, "listen", lambda: count(store), MESSAGES, "--once")
        results = store.results(ResultQuery(limit=2 * MESSAGES))
        assert caught
        assert sorted(each.testcase for each in results) == [f"ns.t{n:05}" for n in range(MESSAGES)]
        assert {key.key for one in results for key in store.bus.of_result(one.id)} == {
            f"{rabbitmq}-{number}" for number in range(MESSAGES)
        }
        assert store.quarantined() == []
        assert list(store.check()) == []

        def sent() -> int:
            return store.outbox.states(["out"])[0].sent

        caught = killed(forks, "deliver", sent, MESSAGES)
        assert caught
        stored = sorted(results, key=lambda each: each.id)
    arrived = read_all(went)
    ids = {given for given, _body in arrived}
    first: dict[str, dict[str, Any]] = {}
    for given, body in arrived:
        assert first.setdefault(given, body) == body  # the same id says the same
    assert (len(ids), len({body["id"] for body in first.values()})) == (MESSAGES, MESSAGES)
    assert {body["testcase"]["name"] for body in first.values()} == {each.testcase for each in stored}
    told: dict[str, list[int]] = defaultdict(list)
    for body in first.values():  # in the order in which each came first
        told[body["data"]["item"][0]].append(body["id"])
    assert len(told) == SUBJECTS
    assert all(numbers == sorted(numbers) for numbers in told.values())
    print(f"{len(arrived) - MESSAGES} of {len(arrived)} messages came again, by {KILLS} kills")  # noqa: T201


def read_all(queue: str) -> list[tuple[str, dict[str, Any]]]:
    """Return id and body of all that waits in a queue."""
    with closing(choose(f"{HERE}?queue={queue}").inlet()) as inlet:
        found: list[tuple[str, dict[str, Any]]] = []
        while arrivals := inlet.receive(500, 1, 0):
            found += [(str(each.id), orjson.loads(each.raw)) for each in arrivals]
            inlet.ack(arrivals)
        return found
