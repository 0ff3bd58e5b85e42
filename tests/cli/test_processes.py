"""What only real processes show: what is imported, signals, two at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_results.cli.reference import pages

SCRIPTED = Path(__file__).parents[1] / "scripted"
DOCS = Path(__file__).parents[2] / "docs"
HEAVY = (
    "confluent_kafka",
    "datasette",
    "granian",
    "pika",
    "psycopg",
    "requests",
    "sqlite_utils",
    "stomp",
    "rich",
    "cattrs",
    "uvicorn",
    "starlette",
    "junitparser",
)
Configured = Callable[..., None]


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from ci_results.cli.main import main; main()", *words],
        env={**os.environ, "PYTHONPATH": str(SCRIPTED)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.01)


def slow(folder: Path) -> list[dict[str, Any]]:
    """A source that tells when it is in its first page, and takes long for many."""
    lines: list[dict[str, Any]] = [{"touch": str(folder / "begun")}]
    for number in range(200):
        lines += [{"see": {"key": str(number), "outcome": "SUCCESS"}}, {"sleep": 0.05}, {"checkpoint": ""}]
    return lines


@pytest.mark.parametrize("words", [("--help",), ("harvest", "--help"), ("serve", "--help")])
def test_help_imports_nothing_heavy_and_is_quick(words: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom ci_results.cli.main import cli\n"
        f"cli.main({list(words)!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.monotonic() - begin < 2  # 0.15 s on a quiet machine; tests share theirs


def test_ctrl_c_ends_at_a_checkpoint_and_the_next_harvest_goes_on(
    folder: Path, configured: Configured
) -> None:
    configured(one=slow(folder))
    process = start("harvest", "--json")
    wait_for(folder / "begun")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=20)
    assert process.returncode == 2, complained
    assert "stopping at the next safe point" in complained
    (report,) = json.loads(said)
    assert report["state"] == "stopped"
    assert 0 < report["new"] < 200


def test_a_second_ctrl_c_stops_at_once(folder: Path, configured: Configured) -> None:
    configured(one=[{"touch": str(folder / "begun")}, {"sleep": 60}])
    process = start("harvest")
    wait_for(folder / "begun")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert "interrupted" in process.communicate(timeout=10)[1]
    assert process.returncode == 130


def test_two_harvests_at_once_are_refused_with_a_clear_message(folder: Path, configured: Configured) -> None:
    configured(one=slow(folder))
    first = start("harvest")
    try:
        wait_for(folder / "begun")
        second = start("harvest", "one")
        said, _ = second.communicate(timeout=20)
        assert second.returncode == 3
        assert "state=busy" in said
        assert "another harvest of source one is running" in said
    finally:
        first.kill()
        first.communicate()


def test_a_closed_pipe_is_met_without_complaint(folder: Path, configured: Configured) -> None:
    lines = [{"see": {"key": str(number), "outcome": "SUCCESS"}} for number in range(3_000)]
    configured(one=[*lines, {"checkpoint": ""}])
    with start("harvest") as filling:
        filling.communicate()
    with start("result", "export") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""


def test_the_documented_commands_are_the_commands() -> None:
    written = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert written == "\n".join(pages()), "run: python -m ci_results.cli.reference > docs/cli.md"
