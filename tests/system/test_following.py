"""Followers as processes: of their own, and beside a server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ci_results.domain.recorded import GatingPoint
from ci_results.domain.subject import Subject
from ci_results.errors import BusyError
from ci_results.store.sqlite import SqliteStore

POINT = GatingPoint(Subject("koji_build", "bash-5.2-1.fc40"), "fedora-40", "push")
LONG_S = 80
"""For processes to start, on a busy machine."""

POLICY = """
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: baseos.tier1}
"""
EVENT = {
    "id": "b1", "source": "koji", "type": "build.complete", "owner": "jdoe",
    "subject_type": "koji_build", "subject_identifier": "bash-5.2-1.fc40",
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a configuration, and a store that knows of an event."""
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["p.yaml"]\n')
    _run(tmp_path, "event", "-", said=json.dumps(EVENT))
    return tmp_path


def _words(*words: str) -> list[str]:
    return [sys.executable, "-m", "ci_results", "--config", "ci-results.toml", *words]


def _run(here: Path, *words: str, said: str = "") -> None:
    subprocess.run(_words(*words), cwd=here, input=said, text=True, check=True, timeout=LONG_S)


def _started(here: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(_words(*words), cwd=here)


def _until(here: Path, verdicts: list[str]) -> None:
    """Wait until these were recorded."""
    deadline, told = time.monotonic() + LONG_S, []
    with SqliteStore.open(here / "r.db") as store:
        while time.monotonic() < deadline:
            told = [each.verdict for each in reversed(store.decisions.history(POINT))]
            if told == verdicts:
                return
            time.sleep(0.1)
    raise AssertionError(told)


def _lease_is_free(here: Path) -> bool:
    with SqliteStore.open(here / "r.db") as store:
        try:
            with store.decisions.lease():
                return True
        except BusyError:
            return False


@pytest.mark.timeout(4 * LONG_S)
def test_a_follower_sees_policies_that_change_and_ends_when_it_is_told(here: Path) -> None:
    with _started(here, "follow", "--every", "0.1") as process:
        try:
            _until(here, ["wait"])
            (here / "p.yaml").write_text("nothing good\n")
            time.sleep(2.5)
            assert process.poll() is None
            (here / "p.yaml").write_text(POLICY.split("- !")[0].replace("rules:", "rules: []"))
            _until(here, ["wait", "go"])
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONG_S) == 0
        finally:
            process.kill()


@pytest.mark.demand("S-005")
@pytest.mark.timeout(4 * LONG_S)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_follows_where_it_is_told_to_and_takes_its_follower_along(here: Path, workers: int) -> None:
    with _started(here, "serve", "--port", "0", "--follow", "--workers", str(workers)) as process:
        try:
            _until(here, ["wait"])
            assert not _lease_is_free(here)
            process.kill()
            process.wait(LONG_S)
            deadline = time.monotonic() + LONG_S
            while not _lease_is_free(here) and time.monotonic() < deadline:
                time.sleep(0.2)
            assert _lease_is_free(here), "the follower outlives the server"
        finally:
            process.kill()
