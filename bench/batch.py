"""Batches over HTTP against the store's own page insert of the same rows; and single POSTs beside them.

python bench/batch.py [--results 200000] [--batch 10000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import gc
import http.client
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psutil
from measure import compare, one_run, print_table

from ci_results.normalise.submitted import Gathering
from ci_results.serve.surroundings import vocabulary
from ci_results.store.sqlite import SqliteStore
from ci_results.wire.resultsdb_post import result_table, submission

START = datetime(2026, 1, 1, tzinfo=UTC)
BESIDE_S = 5.0
LOADED_S = 3.0
"""Until a server has loaded all it has: that is not what is measured."""
ALONE = "alone"


def body(n: int) -> dict[str, Any]:
    """Return a result as a reporter posts it: 200 of a build, 200 testcases, six attributes."""
    build, failed = n // 200, n % 11 == 0
    return {
        "testcase": f"team.suite.case_{n % 200}",
        "outcome": "FAILED" if failed else "PASSED",
        "ref_url": f"https://ci.example/{build}",
        "note": "AssertionError: 1 != 2" if failed else None,
        "submit_time": f"{START + timedelta(minutes=build):%Y-%m-%dT%H:%M:%S}.000000",
        "data": {
            "item": f"pkg{build % 500}-1.{build}-1.el10", "type": "koji_build", "arch": "x86_64",
            "scenario": "bios", "job": f"job{n % 25}", "build": str(build),
        },
    }  # fmt: skip


def batches(count: int, size: int) -> Iterator[list[bytes]]:
    """Yield the lines of each batch."""
    for start in range(0, count, size):
        yield [orjson.dumps(body(n)) for n in range(start, min(start + size, count))]


def by_store(folder: Path, count: int, size: int) -> dict[str, float]:
    """Commit pages whose results are made already."""
    table = result_table(vocabulary())
    pages = []
    for number, lines in enumerate(batches(count, size)):
        gathered = Gathering("api")
        for line, text in enumerate(lines):
            gathered.add(submission(orjson.loads(text), table, str), f"{number}#{line}")
        pages.append(gathered.page())
    with SqliteStore.open(folder / "results.db") as store:
        gc.freeze()  # what was prepared is not what is measured
        began, cpu = time.perf_counter(), time.process_time()
        for page in pages:
            store.commit_page(page)
        return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}


def by_http(folder: Path, count: int, size: int, kind: str) -> dict[str, float]:
    """Post them to a server; its CPU seconds count."""
    prepared = [joined(lines, kind) for lines in batches(count, size)]
    with served(folder) as (port, server):
        client = http.client.HTTPConnection("127.0.0.1", port)
        used = sum(server.cpu_times()[:2])
        began = time.perf_counter()
        for each in prepared:
            answer = post(client, "/api/ci/v1/results/batch", each, kind)
            assert answer["stored"] == min(size, count)
        wall = time.perf_counter() - began
        return {"wall": wall, "cpu": sum(server.cpu_times()[:2]) - used}


def singles(folder: Path, size: int, beside: str) -> dict[str, float]:
    """Post results one by one for five seconds, alone or beside a client that posts batches so."""
    batch = joined(next(batches(size, size)), "application/x-ndjson")
    with served(folder) as (port, _server):
        ended = threading.Event()
        other = threading.Thread(target=keep_posting, args=(port, batch, beside, ended))
        if beside != ALONE:
            other.start()
        client = http.client.HTTPConnection("127.0.0.1", port)
        took = []
        until = time.perf_counter() + BESIDE_S
        while (began := time.perf_counter()) < until:
            post(client, "/api/v2.0/results", orjson.dumps(body(len(took))), "application/json")
            took.append(time.perf_counter() - began)
        ended.set()
        if beside != ALONE:
            other.join()
    cuts = statistics.quantiles(took, n=100)
    return {"p50": cuts[49] * 1e3, "p99": cuts[98] * 1e3, "most": max(took) * 1e3, "n": len(took) / BESIDE_S}


def keep_posting(port: int, batch: bytes, mode: str, ended: threading.Event) -> None:
    """Post a batch again and again."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    while not ended.is_set():
        post(client, f"/api/ci/v1/results/batch?mode={mode}", batch, "application/x-ndjson")


def joined(lines: list[bytes], kind: str) -> bytes:
    """Return the body of a batch."""
    return b"[" + b",".join(lines) + b"]" if kind == "application/json" else b"\n".join(lines)


def post(client: http.client.HTTPConnection, path: str, data: bytes, kind: str) -> Any:
    """Post, and return the answer's value."""
    client.request("POST", path, data, {"Content-Type": kind})
    answer = client.getresponse()
    text = answer.read()
    assert answer.status == 201, text[:200]
    return orjson.loads(text)


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Serve a new store by the command that people use; yield its port and process."""
    (folder / "ci-results.toml").write_text('store = "sqlite:results.db"\n')
    command = [sys.executable, "-m", "ci_results", "--config", str(folder / "ci-results.toml")]
    with subprocess.Popen([*command, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        port = next(int(found[1]) for line in process.stderr if (found := re.search(r":(\d+)/", line)))
        time.sleep(LOADED_S)
        yield port, psutil.Process(process.pid)
        process.terminate()


def main() -> None:
    """Compare, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count, size = given.results, given.batch
        if given.one == "store":
            one_run(lambda: by_store(folder, count, size))
        elif given.one in ("ndjson", "list"):
            kind = "application/x-ndjson" if given.one == "ndjson" else "application/json"
            one_run(lambda: by_http(folder, count, size, kind))
        elif given.one:
            one_run(lambda: singles(folder, size, given.one))
        else:
            report(given)


def report(given: argparse.Namespace) -> None:
    """Run all and print."""
    arguments = ("--results", str(given.results), "--batch", str(given.batch))
    found = compare(__file__, ("store", "ndjson", "list"), arguments, given.rounds)
    base = found["store"]
    print_table(
        f"{given.results:,} results in batches of {given.batch:,}",
        ("", "results/s", "wall s", "CPU s", "speed of the store's (wall)", "(CPU)"),
        [
            (
                name, given.results / it["wall"], it["wall"], it["cpu"],
                f"{base['wall'] / it['wall']:.2f}", f"{base['cpu'] / it['cpu']:.2f}",
            )
            for name, it in found.items()
        ],
    )  # fmt: skip
    found = compare(__file__, (ALONE, "all", "each"), arguments, 1)
    print_table(
        f"single POSTs of one client, alone and beside one that posts batches of {given.batch:,} in mode",
        ("beside", "POST/s", "p50 ms", "p99 ms", "most ms"),
        [(name, it["n"], it["p50"], it["p99"], it["most"]) for name, it in found.items()],
    )


if __name__ == "__main__":
    main()
