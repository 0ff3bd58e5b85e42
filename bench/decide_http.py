"""Decisions over HTTP, beside the floor: a bare handler with the same statements and the same bytes.

    python bench/decide_http.py [--sizes 1000000] [--stores sqlite,postgresql] [--seconds 3] [--many 500]

One decision about one build with ten required testcases, other builds in turn, loaded by wrk over
loopback, ours and the floor in turn; then requests for many builds at once, one after the other. The
floor has learned what our application asks of the database for each body, on a connection of its own,
and what it answers: it routes, runs those statements and sends. Both are one process of uvicorn (uvloop,
httptools) without an access log; CPU is of that process, a request. No answer of ours is remembered.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests
from browse import free_port
from measure import print_table
from posted import item_name, item_type, testcase_name
from serve import Load, Server, cpu, median, stored
from serve import _ms as ms

DECISION = "/api/v1.0/decision"
KEYS = 1000
REQUIRED = 10
POLICY = """id: bench
product_versions: [rhel-*]
decision_context: push
subject_type: koji_build
rules:
"""
RULES = "".join(f"- !PassingTestCaseRule {{test_case_name: {testcase_name(n)}}}\n" for n in range(REQUIRED))
BODIES = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local number = 0
local headers = {["Content-Type"] = "application/json"}
request = function()
  number = number % #bodies + 1
  return wrk.format("POST", PATH, headers, bodies[number])
end
"""


def builds(size: int) -> list[str]:
    """Return builds that a store of `size` results has, spread over all of it.

    Those of odd numbers have twenty results of the required testcases each, the others none.
    """
    items = size // 1000 * 50
    step = max(2, items // KEYS // 2 * 2)
    return [item_name(n) for n in range(1, items, step) if item_type(n) == "koji_build"]


def body(*items: str) -> str:
    """Return a request for a decision."""
    subjects = [{"type": "koji_build", "item": item} for item in items]
    return json.dumps({"product_version": "rhel-10", "decision_context": "push", "subject": subjects})


@contextmanager
def server(kind: str, url: str) -> Iterator[Server]:
    """Start "ours" or the "floor" over the store at `url`, with the policy."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "policy.yaml").write_text(POLICY + RULES)
        (Path(folder) / "ci-results.toml").write_text('[gate]\npolicies = ["policy.yaml"]\n')
        if kind == "ours":
            command = [sys.executable, "-m", "ci_results", "--store", url, "serve", "--port", str(port)]
        else:
            command = [
                sys.executable,
                str(Path(__file__).with_name("decide_floor.py")),
                url,
                str(port),
                folder,
            ]
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            root = f"http://127.0.0.1:{port}"
            for _try in range(600):
                try:
                    requests.post(root + DECISION, data=body("x-1-1"), timeout=5, headers=JSON)
                    break
                except (requests.ConnectionError, requests.Timeout):
                    time.sleep(0.05)
            yield Server(root, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


JSON = {"Content-Type": "application/json"}


def load(target: Server, bodies: list[str], clients: int, seconds: int) -> Load:
    """Load a server with requests in turn."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder) / "bodies", Path(folder) / "load.lua"
        listed.write_text("\n".join(bodies))
        script.write_text(f"PATH = '{DECISION}'\n{BODIES}")
        before = cpu(target.process)
        said = subprocess.run(
            ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", script,
             target.root],
            env={**os.environ, "BODIES": str(listed)}, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        spent = cpu(target.process) - before
    number = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return Load(rate, ms(said, "50"), ms(said, "99"), 1000 * spent / max(number, 1), failed)


def single(url: str, size: int, given: argparse.Namespace) -> tuple[Load, Load]:
    """Ask about one build at a time, ours and the floor in turn; return medians."""
    bodies = [body(item) for item in builds(size)]
    found: tuple[list[Load], list[Load]] = ([], [])
    with server("ours", url) as ours, server("floor", url) as floor:
        for one in (ours, floor):
            for each in bodies:  # so that the floor has learned, and both have read
                requests.post(one.root + DECISION, data=each, timeout=20, headers=JSON).raise_for_status()
        for _round in range(given.rounds):
            for number, one in enumerate((ours, floor)):
                found[number].append(load(one, bodies, given.clients, given.seconds))
    return median(found[0]), median(found[1])


def many(url: str, size: int, given: argparse.Namespace) -> dict[str, list[float]]:
    """Ask about many builds at once, each time others; return milliseconds and CPU milliseconds."""
    items = builds(size)
    found: dict[str, list[float]] = {"wall": [], "cpu": []}
    with server("ours", url) as ours, requests.Session() as session:
        for number in range(given.requests):
            start = number * 37 % len(items)
            chosen = (items[start:] + items[:start])[: given.many]
            before, began = cpu(ours.process), time.perf_counter()
            answer = session.post(ours.root + DECISION, data=body(*chosen), timeout=60, headers=JSON)
            found["wall"].append(1000 * (time.perf_counter() - began))
            found["cpu"].append(1000 * (cpu(ours.process) - before))
            assert answer.status_code == 200, answer.text
            said = answer.json()
            assert len(said["satisfied_requirements"] + said["unsatisfied_requirements"]) >= 10 * len(chosen)
    return found


def main() -> None:
    """Print a table for each store and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--stores", default="sqlite")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--many", type=int, default=500)
    parser.add_argument("--requests", type=int, default=20)
    given = parser.parse_args()
    for kind in given.stores.split(","):
        for size in map(int, given.sizes.split(",")):
            with stored(kind, size) as url:
                ours, floor = single(url, size, given)
                columns = ("", "req/s", "p50 ms", "p99 ms", "CPU ms", "CPU / floor", "rate / floor", "failed")
                rows = [
                    (
                        name,
                        one.rate,
                        one.p50_ms,
                        one.p99_ms,
                        one.cpu_ms,
                        f"{one.cpu_ms / floor.cpu_ms:.2f}",
                        f"{one.rate / floor.rate:.2f}",
                        one.failed,
                    )
                    for name, one in (("ours", ours), ("floor", floor))
                ]  # fmt: skip
                print_table(f"{kind}, {size:,} results, one build x {REQUIRED}", columns, rows)
                found = many(url, size, given)
                wall = sorted(found["wall"])
                p95 = wall[min(len(wall) - 1, int(len(wall) * 0.95))]
                row = (f"{given.many} builds", statistics.median(wall), p95, statistics.median(found["cpu"]))
                columns = ("", "p50 ms", "p95 ms", "CPU ms")
                print_table(f"{kind}, {size:,} results, many x {REQUIRED}", columns, [row])


if __name__ == "__main__":
    main()
