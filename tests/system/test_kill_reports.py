"""Reports posted to a server of two workers: by many at once, and killed with -9 in the middle."""

from __future__ import annotations

import gzip
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from ci_results.store.sqlite import SqliteStore

QUERY = "item=bash-5.2-1.fc40&testcase_prefix=baseos"
CASES = 20_000


def junit(cases: int) -> bytes:
    inner = "".join(f'<testcase classname="c{n % 7}" name="t{n}" time="1"/>\n' for n in range(cases))
    return gzip.compress(f'<testsuite name="s">{inner}</testsuite>'.encode(), 1)


@contextmanager
def server(config: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Start a server; yield it and where reports go; what is left of it is killed in the end."""
    words = [
        sys.executable,
        "-m",
        "ci_results",
        "--config",
        str(config),
        "serve",
        "--port",
        "0",
        "--workers",
        "2",
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stderr is not None
            port = next(
                found[1] for line in process.stderr if (found := re.search(r"127\.0\.0\.1:(\d+)", line))
            )
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield psutil.Process(process.pid), f"http://127.0.0.1:{port}/api/ci/v1/reports?{QUERY}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def post(url: str, body: bytes) -> requests.Response:
    """Post until somebody listens."""
    for _ in range(200):
        with suppress(requests.ConnectionError):
            return requests.post(url, data=body, headers={"Content-Type": "application/gzip"}, timeout=60)
        time.sleep(0.05)
    raise AssertionError("nobody answers")


def stored(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from _result").fetchone()[0])


@pytest.mark.timeout(180)
def test_a_report_is_stored_once_by_many_at_once_and_after_kill_9(tmp_path: Path) -> None:
    config, path = tmp_path / "ci-results.toml", tmp_path / "results.db"
    config.write_text('store = "sqlite:results.db"\n')
    small, large = junit(1_500), junit(CASES)
    with server(config) as (process, url):
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: post(url, small), range(6)))
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert sum(answer.json()["stored"] for answer in answers) == 1_501
        with ThreadPoolExecutor(1) as pool:
            lost = pool.submit(requests.post, url, data=large, headers={"Content-Type": "application/gzip"})
            while stored(path) < 1_501 + CASES // 4 and not lost.done():
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)
            with pytest.raises(requests.ConnectionError):
                lost.result()
    begun = stored(path)
    assert begun < CASES + 1_502
    with server(config) as (_, url):
        again = post(url, large)
        assert again.status_code == 201
        assert again.json()["stored"] == CASES + 1_502 - begun
        assert post(url, large).json()["files"][0]["state"] == "same"
    with SqliteStore.open(path) as store:
        assert store.counts()["results"] == CASES + 1_502
        assert store.cursor("report") == "[]"
        assert store.check() == []
