"""The server as people run it: several processes, ends that answer, deaths that are seen."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from ci_results.query.results import MAX_LIMIT, ResultQuery
from ci_results.store.opening import open_store

JSON = {"Content-Type": "application/json"}
WORKERS = pytest.mark.parametrize("workers", [1, 3])


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def children(self) -> list[psutil.Process]:
        """The writer, then the workers."""
        return sorted(psutil.Process(self.process.pid).children(), key=lambda each: each.pid)

    def well(self) -> Served:
        """Wait for the first answer."""
        assert requests.get(f"{self.url}/healthcheck", timeout=20).status_code == 200
        return self


def command(store: str) -> list[str]:
    return [sys.executable, "-m", "ci_results", "--store", store, "serve", "--port", "0"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store that is not there yet."""
    return f"sqlite:{tmp_path / 'results.db'}"


@contextmanager
def served(url: str, *words: str) -> Iterator[Served]:
    """Run `ci-results serve` over the store at `url`."""
    with subprocess.Popen([*command(url), *words], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found is not None, line + process.stderr.read()
        try:
            yield Served(process, int(found[1]))
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


def a_result(item: str) -> bytes:
    return json.dumps({"testcase": "dist.case", "outcome": "PASSED", "data": {"item": item}}).encode()


def post(server: Served, item: str) -> requests.Response:
    return requests.post(f"{server.url}/api/v2.0/results", a_result(item), headers=JSON, timeout=20)


def stored_items(url: str) -> list[str]:
    """Return the item of each result that the store holds."""
    with closing(open_store(url)) as store:
        return [one.item for one in store.results(ResultQuery(limit=MAX_LIMIT))]


class Poster(threading.Thread):
    """A client that posts one result after the other, until it cannot connect.

    Every other client knocks anew for each request, as `requests.post` does.
    """

    def __init__(self, number: int, port: int) -> None:
        super().__init__(name=f"client{number}", daemon=True)
        self._port = port
        self._keeps = number % 2 == 0
        self.acknowledged: list[str] = []
        self.unanswered: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        for number in range(100_000):
            item = f"{self.name}-{number}"
            try:
                if connection.sock is None:
                    connection.connect()
            except OSError:
                return
            try:
                connection.request("POST", "/api/v2.0/results", a_result(item), JSON)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.unanswered.append(item)
                return
            assert answer.status == 201
            self.acknowledged.append(item)
            if not self._keeps:
                connection.close()


def posting(port: int, clients: int = 16) -> list[Poster]:
    posters = [Poster(number, port) for number in range(clients)]
    for poster in posters:
        poster.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not all(len(poster.acknowledged) > 5 for poster in posters):
        time.sleep(0.01)
    return posters


def ended_under_load(url: str, workers: int) -> None:
    with served(url, "--workers", str(workers)) as server:
        posters = posting(server.port)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        for poster in posters:
            poster.join(20)
    acknowledged = [item for poster in posters for item in poster.acknowledged]
    assert len(acknowledged) > 80
    assert [item for poster in posters for item in poster.unanswered] == []
    assert sorted(stored_items(url)) == sorted(acknowledged)


@pytest.mark.timeout(120)
@pytest.mark.demand("S-004")
@WORKERS
def test_an_end_answers_what_was_sent_whole_and_keeps_what_it_answered(url: str, workers: int) -> None:
    ended_under_load(url, workers)


@pytest.mark.timeout(120)
@pytest.mark.needs("postgresql")
@WORKERS
def test_an_end_loses_nothing_on_postgresql(postgresql: Callable[[str], str], workers: int) -> None:
    ended_under_load(postgresql("served"), workers)


@pytest.mark.timeout(120)
@pytest.mark.needs("postgresql")
def test_on_postgresql_there_is_no_view_and_no_writer(postgresql: Callable[[str], str]) -> None:
    with served(postgresql("served"), "--workers", "2") as server:
        assert post(server, "a").status_code == 201
        assert len(server.children) == 2
        page = requests.get(server.url, timeout=20)
        assert "ci-results db copy postgresql://" in page.text
        text = requests.get(f"{server.url}/metrics", timeout=20).text
    assert "ci_results_results_stored 1.0" in text


@pytest.mark.timeout(120)
@WORKERS
def test_ctrl_c_ends_all_with_success_and_silence(url: str, workers: int) -> None:
    with served(url, "--workers", str(workers)) as server:
        assert requests.get(f"{server.url}/healthcheck", timeout=20).status_code == 200
        everybody = [server.process.pid, *(each.pid for each in server.children)]
        for pid in everybody:  # as a terminal does
            with suppress(ProcessLookupError):
                psutil.Process(pid).send_signal(signal.SIGINT)
        _, errors = server.process.communicate(timeout=20)
        assert server.process.returncode == 0
        assert errors == ""
        assert not any(psutil.pid_exists(pid) for pid in everybody)


@pytest.mark.timeout(60)
@pytest.mark.demand("S-005", "S-014")
def test_workers_that_nobody_asks_do_nothing(url: str) -> None:
    with served(url, "--workers", "2") as server:
        requests.get(f"{server.url}/healthcheck", timeout=20).close()
        before = stored_items(url)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            for each in server.children:
                assert [
                    one for one in each.net_connections() if one.raddr and one.raddr.ip != "127.0.0.1"
                ] == []
            time.sleep(0.1)
        assert stored_items(url) == before
        assert len(server.children) == 3


@pytest.mark.timeout(60)
def test_a_worker_that_dies_is_replaced(url: str) -> None:
    with served(url, "--workers", "2") as server:
        _writer, *workers = server.well().children
        for worker in workers:
            worker.kill()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(requests.ConnectionError):
                answer = requests.post(
                    f"{server.url}/api/v2.0/results", a_result("a"), headers=JSON, timeout=20
                )
                break
        assert answer.status_code == 201
        assert len(server.children) == 3


@pytest.mark.timeout(60)
def test_a_writer_that_dies_ends_all_with_an_error(url: str) -> None:
    with served(url, "--workers", "2") as server:
        assert post(server, "a").ok
        writer, *workers = server.children
        writer.kill()
        assert server.process.wait(20) == 3
        assert "the process that writes died" in (
            server.process.stderr.read() if server.process.stderr else ""
        )
        psutil.wait_procs(workers, 20)
        assert not any(each.is_running() for each in workers)
    assert stored_items(url) == ["a"]


@pytest.mark.timeout(60)
def test_workers_without_a_parent_end(url: str) -> None:
    with served(url, "--workers", "2") as server:
        assert post(server, "a").ok
        children = server.children
        server.process.kill()
        _, alive = psutil.wait_procs(children, 20)
        assert alive == []
    with closing(open_store(url)) as store:
        assert store.check() == []
        assert store.counts()["results"] == 1


@pytest.mark.timeout(60)
def test_workers_add_their_figures_up(url: str) -> None:
    with served(url, "--workers", "3") as server:
        for _ in range(30):
            requests.get(f"{server.url}/healthcheck", timeout=20).close()
        text = requests.get(f"{server.url}/metrics", timeout=20).text
    assert 'ci_results_http_requests_total{method="GET",route="/healthcheck",status="200"} 30.0' in text


@pytest.mark.timeout(60)
def test_two_servers_do_not_share_a_store(url: str) -> None:
    with served(url, "--workers", "2"):
        second = subprocess.run(command(url), capture_output=True, text=True, check=False)
    assert second.returncode == 3
    assert "another server has" in second.stderr


@pytest.mark.timeout(60)
def test_the_access_log_is_json_on_stderr(url: str) -> None:
    with served(url, "--access-log") as server:
        requests.get(f"{server.url}/healthcheck", timeout=20).close()
        server.process.send_signal(signal.SIGTERM)
        _, errors = server.process.communicate(timeout=20)
    line = json.loads(errors)
    assert line["path"] == "/healthcheck"
    assert line["user_agent"].startswith("python-requests/")
