"""Decisions over HTTP, beside the floor: a bare handler with the same statements and the same bytes.

    python bench/decide_http.py [--sizes 1000000] [--stores sqlite,postgresql] [--clients 1,4] [--many 500]

One decision about one build with ten required testcases, other builds in turn, loaded by wrk over
loopback, ours and the floor in turn; then requests for many builds at once, one after the other. One
client lets the server sleep between requests, and waking costs CPU as well; four keep it busy. The
floor has learned what our application asks of the database for each body, on a connection of its own,
and what it answers: it routes, runs those statements and sends. Both are one process of uvicorn (uvloop,
httptools) without an access log; CPU is of that process, a request. No answer of ours is remembered.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from browse import free_port
from loads import Load, Server, cpu, median, started, wrk
from measure import print_table
from posted import item_name, item_type, testcase_name
from serve import stored

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
for line in io.lines(os.getenv("LINES")) do bodies[#bodies + 1] = line end
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


JSON = {"Content-Type": "application/json"}


@contextmanager
def server(kind: str, url: str) -> Iterator[Server]:
    """Start "ours" or the "floor" over the store at `url`, with the policy."""
    port = free_port()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "policy.yaml").write_text(POLICY + RULES)
        (folder / "ci-results.toml").write_text('[gate]\npolicies = ["policy.yaml"]\n')
        command = [sys.executable, "-m", "ci_results", "--store", url, "serve", "--port", str(port)]
        if kind == "floor":
            floor = Path(__file__).with_name("decide_floor.py")
            command = [sys.executable, str(floor), url, str(port), made]

        def ask(root: str) -> None:
            requests.post(root + DECISION, data=body("x-1-1"), timeout=5, headers=JSON)

        with started(command, port, ask, folder) as one:
            yield one


def load(target: Server, bodies: list[str], clients: int, seconds: int) -> Load:
    """Load a server with requests in turn."""
    return wrk(target, f"PATH = '{DECISION}'\n{BODIES}", bodies, clients, seconds)


def single(url: str, size: int, given: argparse.Namespace) -> Iterator[tuple[int, Load, Load]]:
    """Ask about one build at a time, ours and the floor in turn; yield medians by number of clients."""
    bodies = [body(item) for item in builds(size)]
    with server("ours", url) as ours, server("floor", url) as floor:
        for one in (ours, floor):
            for each in bodies:  # so that the floor has learned, and both have read
                requests.post(one.root + DECISION, data=each, timeout=20, headers=JSON).raise_for_status()
        for clients in map(int, given.clients.split(",")):
            found: tuple[list[Load], list[Load]] = ([], [])
            for _round in range(given.rounds):
                for number, one in enumerate((ours, floor)):
                    found[number].append(load(one, bodies, clients, given.seconds))
            yield clients, median(found[0]), median(found[1])


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
    parser.add_argument("--clients", default="1,4")
    parser.add_argument("--many", type=int, default=500)
    parser.add_argument("--requests", type=int, default=20)
    given = parser.parse_args()
    for kind in given.stores.split(","):
        for size in map(int, given.sizes.split(",")):
            with stored(kind, size) as url:
                columns = ("", "req/s", "p50 ms", "p99 ms", "CPU ms", "CPU / floor", "rate / floor", "failed")
                rows = [
                    (
                        f"{name}, {clients} client{'s'[: clients - 1]}",
                        one.rate,
                        one.p50_ms,
                        one.p99_ms,
                        one.cpu_ms,
                        f"{one.cpu_ms / floor.cpu_ms:.2f}",
                        f"{one.rate / floor.rate:.2f}",
                        one.failed,
                    )
                    for clients, ours, floor in single(url, size, given)
                    for name, one in (("ours", ours), ("floor", floor))
                ]
                print_table(f"{kind}, {size:,} results, one build x {REQUIRED}", columns, rows)
                found = many(url, size, given)
                wall = sorted(found["wall"])
                p95 = wall[min(len(wall) - 1, int(len(wall) * 0.95))]
                row = (f"{given.many} builds", statistics.median(wall), p95, statistics.median(found["cpu"]))
                columns = ("", "p50 ms", "p95 ms", "CPU ms")
                print_table(f"{kind}, {size:,} results, many x {REQUIRED}", columns, [row])


if __name__ == "__main__":
    main()
