"""The policies in force: whole or not at all, new as soon as their files are, old where those are wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import requests

from ci_results.decide.builtin import RULE_TYPES
from ci_results.errors import ConfigError
from ci_results.operations.policies import LOOK_EVERY_S, FilePolicies
from ci_results.serve.app import application
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

TYPES = {kind.name: kind for kind in RULE_TYPES}
POLICY = "id: {}\nproduct_versions: ['*']\ndecision_context: push\nsubject_type: koji_build\nrules: []\n"
WRONG = POLICY.format("x").replace("[]", "[!NoSuchRule {}]")


class Clock:
    """A clock that stands until it is told to go on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def go_on(self) -> None:
        self.now += LOOK_EVERY_S


@pytest.fixture
def clock() -> Clock:
    return Clock()


def policies(folder: Path, clock: Clock, *patterns: str) -> FilePolicies:
    return FilePolicies(patterns or ("*.yaml",), folder, TYPES, monotonic=clock)


def ids(found: FilePolicies) -> list[str]:
    return [each.id for each in found.current().policies]


def soon(holds: Callable[[], bool]) -> bool:
    """Wait for a while until something holds; say whether it does."""
    for _ in range(1_000):
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_without_patterns_there_is_no_policy_and_requests_may_bring_their_own(
    tmp_path: Path, clock: Clock
) -> None:
    found = FilePolicies((), tmp_path, TYPES, monotonic=clock)
    clock.go_on()
    assert ids(found) == []
    rule = {"type": "PassingTestCaseRule", "test_case_name": "a"}
    assert found.current().on_demand({"rules": [rule]}).rules


@pytest.mark.parametrize(
    ("text", "said"), [(WRONG, r"a\.yaml:5: .*NoSuchRule"), (None, "no file is")], ids=["wrong", "absent"]
)
def test_a_server_does_not_start_with_files_that_cannot_be_used(
    tmp_path: Path, clock: Clock, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        policies(tmp_path, clock)


@pytest.mark.demand("S-094")
def test_a_file_that_changes_comes_or_goes_is_seen_within_a_second(tmp_path: Path, clock: Clock) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(POLICY.format("one"))
    found = policies(tmp_path, clock)
    before = found.state
    first.write_text(POLICY.format("other"))
    assert ids(found) == ["one"]  # not looked at yet
    clock.go_on()
    assert soon(lambda: ids(found) == ["other"])
    assert found.state.since > before.since
    second.write_text(POLICY.format("two"))
    clock.go_on()
    assert soon(lambda: ids(found) == ["other", "two"])
    first.unlink()
    clock.go_on()
    assert soon(lambda: ids(found) == ["two"])


@pytest.mark.demand("S-094")
def test_a_mistake_leaves_the_old_ones_in_force_and_says_where_it_is(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(POLICY.format("one"))
    found = policies(tmp_path, clock)
    before = found.state
    file.write_text(POLICY.format("two") + "---\n" + WRONG)
    assert found.reload() is False
    assert (found.state.policies, found.state.since) == (before.policies, before.since)
    assert found.state.problem is not None
    assert re.search(r"a\.yaml:11: .*NoSuchRule", found.state.problem)
    file.unlink()
    assert found.reload() is False
    assert ids(found) == ["one"]
    file.write_text(POLICY.format("one") + "# a remark\n")
    assert found.reload() is True
    assert found.state == (found.current(), before.since, None)  # the same policies, so in force since then


def test_files_that_did_not_change_are_not_read_again(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text(POLICY.format("one"))
    found = policies(tmp_path, clock)
    read: list[int] = []
    monkeypatch.setattr(found, "reload_soon", lambda: read.append(1))
    for _ in range(3):
        clock.go_on()
        found.current()
    assert read == []


def test_health_and_figures_tell_of_a_mistake(
    tmp_path: Path, clock: Clock, serve: Callable[..., AbstractContextManager[requests.Session]]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(POLICY.format("one"))
    found = policies(tmp_path, clock)
    with SqliteStore.open(tmp_path / "results.db") as store:
        app = application(Surroundings(store=store, policies=found), None)
        with serve(app) as client:
            assert client.get("/healthcheck").json() == {"message": "Health check OK"}
            assert figures(client) == {"": "1", "_refused": "0"}
            file.write_text(WRONG)
            found.reload()
            said = client.get("/healthcheck")
            assert said.status_code == 200
            assert "NoSuchRule" in said.json()["policies"]["problem"]
            assert figures(client) == {"": "1", "_refused": "1"}


def figures(client: requests.Session) -> dict[str, str]:
    text = client.get("/metrics").text
    return dict(re.findall(r"^ci_results_policies(_refused|) (\d+)\.0$", text, re.MULTILINE))


# -- a whole server ------------------------------------------------------------------------------


@contextmanager
def started(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `ci-results serve` in a folder; yield it and its address."""
    (folder / "ci-results.toml").write_text('store = "sqlite:r.db"\n[gate]\npolicies = ["*.yaml"]\n')
    server = subprocess.Popen(
        [sys.executable, "-m", "ci_results", "serve", "--port", "0", *options],
        cwd=folder, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert server.stderr is not None
    try:
        line = "x"
        while line and "serving" not in line:
            line = server.stderr.readline()
        address = re.search(r"http://\S+\d", line)
        yield server, "" if address is None else address[0]
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "several"])
def test_sighup_reads_them_anew_in_every_worker(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(POLICY.format("one"))
    with started(tmp_path, *options) as (server, root):
        assert soon(lambda: reached(root))
        before = os.stat(file)
        file.write_text("[" * before.st_size)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # so that nobody sees it but when told
        server.send_signal(signal.SIGHUP)
        assert soon(lambda: all(refused(root) for _ in range(20)))
        assert server.poll() is None


def reached(root: str) -> bool:
    try:
        return requests.get(f"{root}/healthcheck", timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


def refused(root: str) -> bool:
    return "policies" in requests.get(f"{root}/healthcheck", timeout=10).json()


def test_a_mistake_at_the_start_is_an_error_that_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WRONG)
    (tmp_path / "ci-results.toml").write_text('[gate]\npolicies = ["*.yaml"]\n')
    done = subprocess.run(
        [sys.executable, "-m", "ci_results", "serve", "--port", "0"],
        cwd=tmp_path, capture_output=True, text=True, timeout=25, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert re.search(r"a\.yaml:5: .*NoSuchRule", done.stderr)
