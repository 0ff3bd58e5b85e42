"""Who listens is killed before it acknowledges what it stored: all comes again, and is known."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from ci_results import Departure
from ci_results.bus.choosing import choose
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
from clusters import cluster
from ears import listen_once

sys.path.pop(0)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNT = 30
POISON = 7
DIES = """
import os, signal, sys
from {module} import {inlet} as inlet
inlet.ack = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from ci_results.cli.main import cli
cli(sys.argv[1:])
"""


@pytest.fixture
def stomp(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """Return URLs that send and that read, and the topic."""
    mark = request.getfixturevalue("rabbitmq")
    choose(f"amqp://127.0.0.1/?queue={mark}&topics={mark}").inlet().close()
    here = "stomp://guest:guest@127.0.0.1/"
    return here, f"{here}?queue={mark}", mark


@pytest.fixture
def kafka() -> Iterator[tuple[str, str, str]]:
    with cluster() as made:
        yield made.url, made.reads("killed"), "killed"


def message(topic: str, number: int) -> Departure:
    """Return a message of one result, about one of a few builds; one of them nobody can read."""
    nvr = f"widget-{number % 5}-1.fc43"
    body = orjson.dumps({
        "testcase": f"ns.t{number:02}", "outcome": "PASSED", "ref_url": f"https://ci.example/{number}",
        "data": {"item": nvr, "type": "koji_build"},
    })  # fmt: skip
    said = b"poison" if number == POISON else body
    return Departure(topic=topic, body=said, id=f"m{number}", sent_at=NOON, about=nvr)


@pytest.mark.demand("S-057")
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("stomp", marks=pytest.mark.needs("stomp")),
        pytest.param("kafka", marks=pytest.mark.needs("kafka")),
    ],
)
def test_what_was_stored_and_not_acknowledged_comes_again_and_is_known(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    there, back, topic = request.getfixturevalue(kind)
    with closing(choose(there).outlet()) as outlet:
        outlet.publish([message(topic, number) for number in range(COUNT)])
    script = DIES.format(module=f"ci_results.bus.{kind}_in", inlet=f"{kind.capitalize()}Inlet")
    words = ["--store", f"sqlite:{tmp_path / 'r.db'}", "listen", back]
    died = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, timeout=60
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    with SqliteStore.open(tmp_path / "r.db") as store:
        before = store.counts()["results"]
        assert before  # it was killed after it had stored
        state = listen_once(back, store)
        assert (state.received, state.stored + before) == (COUNT, COUNT - 1)
        assert sorted(each.testcase for each in store.results(ResultQuery(limit=2 * COUNT))) == [
            f"ns.t{number:02}" for number in range(COUNT) if number != POISON
        ]
        (bad,) = store.quarantined()
        assert bad.reason.startswith("a message is no JSON")
        assert listen_once(back, store).received == 0  # all of it was acknowledged
