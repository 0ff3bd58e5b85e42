"""What all tests share: skips that are counted by name, and a place on PostgreSQL for each test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent / "clients"), str(Path(__file__).parent / "remote")]
import environments
from hypothesis import HealthCheck, settings
from resultsdb_lookalike import Lookalike

# What the pytest of a test need not import: plugins of tools that only we have here.
os.environ["PYTEST_ADDOPTS"] = "-p no:schemathesis -p no:anyio -p no:hypothesispytest"
# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A machine that does much else is no fault of a test.
settings.register_profile(
    "ci_results", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci_results")

SERVER = "postgresql://postgres@127.0.0.1:5432"
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672/%2F?connection_attempts=1&socket_timeout=2"
STOMP_PORT = 61613


def _answers(url: str) -> bool:
    if not find_spec("psycopg"):
        return False
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def _rabbitmq() -> bool:
    if not find_spec("pika"):
        return False
    import pika
    from pika.exceptions import AMQPError

    try:
        pika.BlockingConnection(pika.URLParameters(RABBITMQ)).close()
    except (AMQPError, OSError):
        return False
    return True


def _stomp() -> bool:
    """Say whether RabbitMQ speaks STOMP here: rabbitmq-plugins enable rabbitmq_stomp."""
    if not find_spec("stomp") or not _rabbitmq():
        return False
    try:
        socket.create_connection(("127.0.0.1", STOMP_PORT), 2).close()
    except OSError:
        return False
    return True


def tool(name: str) -> str | None:
    """Find a program beside our Python, where pip puts it, or on the PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    there = beside if os.access(beside, os.X_OK) else shutil.which(name)
    return str(environments.tool(name) or there or "") or None


def _perl_has(module: str) -> bool:
    perl = shutil.which("perl")
    return (
        bool(perl) and subprocess.run([perl, f"-M{module}", "-e", "1"], capture_output=True).returncode == 0
    )


NEEDS = "needs "
FOUND = {
    "postgresql": cache(lambda: _answers(f"{SERVER}/postgres")),
    "rabbitmq": cache(_rabbitmq),
    "stomp": cache(_stomp),
    "kafka": lambda: find_spec("confluent_kafka"),
    "curl": lambda: shutil.which("curl"),
    "systemd-analyze": lambda: shutil.which("systemd-analyze"),
    "pg_dump": lambda: shutil.which("pg_dump"),
    "clients": environments.built,
    "fedora-messaging": lambda: environments.tool("fedora-messaging"),
    "TAP::Harness::Archive": cache(lambda: _perl_has("TAP::Harness::Archive")),
    "atheris": lambda: find_spec("atheris"),
    "chromium": lambda: shutil.which("chromium") and shutil.which("chromedriver"),
    **{
        name: (lambda name=name: tool(name))
        for name in (
            *("avocado", "cppcheck", "ctest", "gcc", "jenkins-jobs", "mocha", "moto_server", "node", "prove"),
            *("robot", "rpmlint", "ruff", "tmt", "tox", "valgrind"),
        )
    },
}
"""What a test may need that a machine may lack, and how to look for it."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run twice as many tests at once as there are processors: half of their time they wait."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("needs"):
            for name in marker.args:
                if not FOUND[name]():
                    item.add_marker(pytest.mark.skip(reason=f"{NEEDS}{name}"))


@pytest.fixture
def remote() -> Iterator[Lookalike]:
    """A ResultsDB look-alike on loopback that stores once what comes twice under one key."""
    with Lookalike().serve() as serving:
        yield serving


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count what was skipped by what it needs; from the reports, for workers collect on their own."""
    reasons = (str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    missing = Counter(reason.partition(NEEDS)[2] for reason in reasons if NEEDS in reason)
    for name, count in missing.items():
        terminalreporter.write_line(f"skipped for want of {name}: {count}")


@pytest.fixture
def rabbitmq() -> Iterator[str]:
    """Give a name that no queue or topic begins with yet; queues that begin so are deleted afterwards."""
    import pika

    mark = f"ci_results_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    yield mark
    with pika.BlockingConnection(pika.URLParameters(RABBITMQ)) as connection:
        for end in ("", ".out", ".dead"):
            connection.channel().queue_delete(mark + end)


@pytest.fixture
def postgresql() -> Iterator[Callable[[str], str]]:
    """Give the URL of an empty place by its name; the same name gives the same place."""
    with places() as place:
        yield place


@pytest.fixture(scope="module")
def postgresql_of_module() -> Iterator[Callable[[str], str]]:
    """The same, for all tests of a module."""
    with places() as place:
        yield place


@contextmanager
def places() -> Iterator[Callable[[str], str]]:
    """Yield what gives a schema of its own for each name; all of them are gone afterwards."""
    import psycopg

    mark = f"ci_results_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    made: dict[str, str] = {}

    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:

        def place(name: str) -> str:
            if name not in made:
                schema = f"{mark}_{len(made)}"
                connection.execute(f"create schema {schema}".encode())
                made[name] = f"{SERVER}/postgres?options=-csearch_path%3D{schema}&application_name={schema}"
            return made[name]

        yield place
        for number in range(len(made)):
            connection.execute(f"drop schema {mark}_{number} cascade".encode())
