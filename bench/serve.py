"""The ResultsDB API under load, beside the floor: a bare handler with the same SQL and the same bytes.

    python bench/serve.py [--sizes 100000,1000000] [--stores sqlite,postgresql] [--seconds 3]

Servers are started here, each alone; wrk loads them over loopback, ours and the floor in turn. The
floor knows each request's statements and answer beforehand: it does nothing but route, ask and send.
Growth is log10 of CPU a request at one size against the size before, the same 1,000 keys at each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from math import log10
from pathlib import Path
from shutil import copyfile, which

import requests
from browse import free_port
from loads import Load, Server, median, started, wrk
from measure import print_table
from posted import END, generate, group_uuid, item_name, item_type, testcase_name

HERE = Path(__file__).parent
DATA = HERE / "data"
API = "/api/v2.0"
DAY_US = 86_400_000_000
KEYS = 1000
LUA = """
local paths = {}
for line in io.lines(os.getenv("LINES")) do paths[#paths + 1] = line end
local number = 0
request = function() number = number % #paths + 1; return wrk.format(METHOD, paths[number], HEADERS, BODY) end
"""
BODY = json.dumps(
    {
        "testcase": "team07.suite001.case", "outcome": "PASSED", "ref_url": "https://ci.example/1",
        "groups": [group_uuid(1)], "note": None,
        "data": {
            "item": [item_name(7)], "type": [item_type(7)], "scenario": ["s07"],
            "system_architecture": ["x86_64"],
        },
    }
)  # fmt: skip


def asked() -> dict[str, list[str]]:
    """Return for each question the paths that ask it, with other keys in turn."""
    keys = range(KEYS)
    since = [
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((END - n % 30 * DAY_US) / 1e6 - 86_400)) for n in keys
    ]
    return {
        "by id": [f"/results/{n * 37 + 1}" for n in keys],
        "item+type": [f"/results?item={item_name(n)}&type={item_type(n)}" for n in keys],
        "testcases:like=prefix*": [f"/results?testcases:like=team{n % 40:02d}.suite0*" for n in keys],
        "latest?item": [f"/results/latest?item={item_name(n)}" for n in keys],
        "latest?item, distinct": [f"/results/latest?item={item_name(n)}&_distinct_on=scenario" for n in keys],
        "since, first page": [f"/results?since={one}" for one in since],
        "page 500": ["/results?page=500"],
        "groups": [f"/groups?page={n % 10}" for n in keys],
        "testcases": [f"/testcases?page={n % 10}" for n in keys],
        "one testcase": [f"/results?testcases={testcase_name(n)}" for n in keys],
    }


def main() -> None:
    """Measure every question on every store and size; print a table for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--stores", default="sqlite")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=1, help="for reads; posts take 1, 16 and 64")
    given = parser.parse_args()
    if which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    for kind in given.stores.split(","):
        before: dict[str, float] = {}
        for size in map(int, given.sizes.split(",")):
            with stored(kind, size) as url:
                found = reads(url, given)
                rows = [row(name, ours, floor, before) for name, (ours, floor) in found.items()]
                before = {name: ours.cpu_ms for name, (ours, _floor) in found.items()}
                columns = (
                    "",
                    "req/s",
                    "p50 ms",
                    "p99 ms",
                    "CPU ms",
                    "floor req/s",
                    "floor CPU ms",
                    "rate / floor",
                    "growth",
                )
                print_table(f"{kind}, {size:,} results, {given.clients} clients", columns, rows)
                columns = (
                    "",
                    "req/s",
                    "p50 ms",
                    "p99 ms",
                    "CPU ms",
                    "floor req/s",
                    "floor CPU ms",
                    "rate / floor",
                    "failed",
                )
                print_table(f"{kind}, {size:,} results, POST, durable", columns, posts(url, given))


def row(name: str, ours: Load, floor: Load, before: Mapping[str, float]) -> tuple[object, ...]:
    """Return one line of the table of reads."""
    growth = f"{log10(ours.cpu_ms / before[name]):+.2f}" if name in before else "-"
    failed = f" ({ours.failed} failed)" if ours.failed else ""
    return (
        name + failed, ours.rate, ours.p50_ms, ours.p99_ms, ours.cpu_ms, floor.rate, floor.cpu_ms,
        f"{ours.rate / floor.rate:.2f}", growth,
    )  # fmt: skip


def reads(url: str, given: argparse.Namespace) -> dict[str, tuple[Load, Load]]:
    """Load ours and the floor with each question, in turn; return medians."""
    found: dict[str, tuple[list[Load], list[Load]]] = {name: ([], []) for name in asked()}
    with server("ours", url) as ours, server("floor", url) as floor:
        for name, paths in asked().items():
            for one in (ours, floor):
                load(one, [f"{API}{path}" for path in paths], given.clients, 1)
            for _round in range(given.rounds):
                for number, one in enumerate((ours, floor)):
                    found[name][number].append(
                        load(one, [f"{API}{path}" for path in paths], given.clients, given.seconds)
                    )
    return {name: (median(mine), median(bare)) for name, (mine, bare) in found.items()}


def posts(url: str, given: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    """Load ours and the floor with submissions, by 1, 16 and 64 clients."""
    for clients in (1, 16, 64):
        loads: dict[str, list[Load]] = {"ours": [], "floor": []}
        for _round in range(given.rounds):
            for kind, many in loads.items():
                with server(kind, url) as one:
                    load(one, [f"{API}/results"], clients, 1, BODY)
                    many.append(load(one, [f"{API}/results"], clients, given.seconds, BODY))
        ours, floor = median(loads["ours"]), median(loads["floor"])
        yield (
            f"{clients} clients", ours.rate, ours.p50_ms, ours.p99_ms, ours.cpu_ms, floor.rate, floor.cpu_ms,
            f"{ours.rate / floor.rate:.2f}", ours.failed,
        )  # fmt: skip


def server(kind: str, url: str) -> AbstractContextManager[Server]:
    """Start "ours" or the "floor" over the store at `url`."""
    port = free_port()
    if kind == "ours":
        command = [sys.executable, "-m", "ci_results", "--store", url, "serve", "--port", str(port)]
    else:
        command = [sys.executable, str(HERE / "floor.py"), url, str(port)]
    return started(command, port, lambda root: requests.get(f"{root}{API}", timeout=5))


def load(target: Server, paths: list[str], clients: int, seconds: int, body: str | None = None) -> Load:
    """Load a server with questions in turn, or with a submission."""
    method, headers, sent = "GET", "nil", "nil"
    if body is not None:
        method, headers, sent = "POST", '{["Content-Type"]="application/json"}', f"[[{body}]]"
    script = f"METHOD = '{method}' HEADERS = {headers} BODY = {sent}\n{LUA}"
    return wrk(target, script, paths, clients, seconds)


@contextmanager
def stored(kind: str, size: int) -> Iterator[str]:
    """Yield the URL of a store of `size` results: a copy, for posts go into it."""
    source = DATA / f"posted-{size}.db"
    if not source.exists():
        print(f"making {source}", flush=True)
        generate(source, size)
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(dir=DATA) as folder:
            copyfile(source, Path(folder) / "results.db")
            yield f"sqlite:{folder}/results.db"
        return
    name = f"ci_results_bench_{size}"
    base = "postgresql://postgres@127.0.0.1:5432"
    copied = DATA / f"{name}.copied"
    if not copied.exists():
        subprocess.run(["dropdb", "-h", "127.0.0.1", "-U", "postgres", "--if-exists", name], check=True)
        subprocess.run(["createdb", "-h", "127.0.0.1", "-U", "postgres", name], check=True)
        command = [sys.executable, "-m", "ci_results", "db", "copy", f"sqlite:{source}", f"{base}/{name}"]
        subprocess.run(command, check=True)
        copied.touch()
    yield f"{base}/{name}"


if __name__ == "__main__":
    main()
