"""How long the server takes for the pages that people look at, beside plain Datasette with its defaults.

    python bench/browse.py [--rows 10000000] [--database FILE]

Each page is asked once to warm up, then several times, ours and the peer's in turn, over one
kept-alive connection each; the figure is the median time to the last byte, in milliseconds.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from generated import generate, item_name, testcase_name

DATA = Path(__file__).parent / "data"
ROUNDS = 7
TARGET_MS = 100
TESTCASE = testcase_name(5)
ITEM, BEFORE = item_name(20), item_name(10)
RESULTS, NEWEST = "/browse/results/result", "_sort_desc=time"
TREND = (
    "select date(rank / 1000000, 'unixepoch') as day, o.word as outcome, count(*) as results"
    " from _result join _outcome o on o.id = _result.outcome"
    " where rank > (select max(rank) from _result) - 2592000000000 group by 1, 2"
)
FLAKY = (
    "select t.name, count(*), sum(outcome in (3, 5)) from _result join _testcase t on t.id = testcase"
    " where rank > (select max(rank) from _result) - 1209600000000 group by 1 order by 3 desc limit 50"
)
ASKED = [
    # what, our path (under the root), the path a user of plain Datasette would take (under the database)
    ("first page", "/", None),
    ("table page, newest first", RESULTS, f"/result?{NEWEST}"),
    ("table page, outcome = FAILED", f"{RESULTS}?outcome=FAILED", f"/result?outcome=FAILED&{NEWEST}"),
    ("table page, one testcase", f"{RESULTS}?testcase={TESTCASE}", f"/result?testcase={TESTCASE}&{NEWEST}"),
    ("table page, one item", f"{RESULTS}?item={ITEM}", f"/result?item={ITEM}&{NEWEST}"),
    ("latest results", "/browse/results/latest_result", f"/latest_result?{NEWEST}"),
    ("question: what failed since", "/browse/results/failed_since", None),
    ("question: an item against another", f"/browse/results/new_failures?item={ITEM}&against={BEFORE}", None),
    ("question: flaky (14 days)", "/browse/results/flaky", "?sql=" + FLAKY),
    ("question: slowest (14 days)", "/browse/results/slowest", None),
    ("30-day trend, page with chart", "/browse/results/outcomes_by_day", "?sql=" + TREND),
    ("item page", f"/item/{ITEM}", None),
    ("coverage", "/coverage", None),
    ("database page", "/browse/results", ""),
]  # fmt: skip
OURS = "import sys; from ci_results.config import Serving; from ci_results.serve.run import serve; " \
    "serve(sys.argv[1], Serving(port=int(sys.argv[2])), announce=lambda line: None)"  # fmt: skip

PLAIN = """
from datasette.cli import cli
from datasette.plugins import pm
from ci_results.serve.browse import plugin
pm.unregister(plugin)  # 0.65 has no other way to leave an installed plugin out
cli()
"""


def main() -> None:
    """Measure every page and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument(
        "--database", type=Path, help="a database made before; default: make one in bench/data"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    database = asked.database or DATA / f"browse-{asked.rows}.db"
    if not database.exists():
        print(f"making {database} with {asked.rows:,} results", flush=True)
        generate(database, asked.rows)
    with ours(database) as (mine, start_s), plain(database) as (peer, peer_start_s):
        print(f"{asked.rows:,} results, {database.stat().st_size / 1e9:.1f} GB; median of {asked.rounds}, ms")
        print(f"start to first answer: ours {start_s:.2f} s, plain Datasette {peer_start_s:.2f} s\n")
        print(f"{'page':34} {'ours':>8} {'plain':>9} {'ratio':>7}")
        slow = [row for row in ASKED if compare(row, mine, peer, asked.rounds) > TARGET_MS]
    print(f"\nover the target of {TARGET_MS} ms: {', '.join(name for name, *_ in slow) or 'none'}")


def compare(row: tuple[str, str, str | None], mine: str, peer: str, rounds: int) -> float:
    """Measure one page on both servers, taking turns, and print its line; return our median in ms."""
    name, path, peer_path = row
    own: list[float] = []
    theirs: list[float] = []
    said = ""
    with requests.Session() as session, requests.Session() as other:
        for number in range(rounds + 1):
            took, status = timed(session, mine + path)
            if status != 200:
                raise SystemExit(f"{name}: HTTP {status} from {mine + path}")
            own += [took] if number else []
            if peer_path is not None and (number < 4 or theirs[-1] < 2000):
                took, status = timed(other, peer + peer_path)
                said = "" if status == 200 else f" (HTTP {status}: stopped by its time limit)"
                theirs += [took] if number else []
    median = statistics.median(own)
    if theirs:
        against = statistics.median(theirs)
        print(f"{name:34} {median:8.1f} {against:9.1f} {against / median:6.1f}x{said}", flush=True)
    else:
        print(f"{name:34} {median:8.1f} {'-':>9}", flush=True)
    return median


def timed(session: requests.Session, url: str) -> tuple[float, int]:
    """Return milliseconds to the last byte, and the status."""
    began = time.perf_counter()
    answer = session.get(url, timeout=120)
    return (time.perf_counter() - began) * 1000, answer.status_code


@contextmanager
def ours(database: Path) -> Iterator[tuple[str, float]]:
    """Our server, as `ci-results serve` runs it."""
    port = free_port()
    command = [sys.executable, "-c", OURS, str(database), str(port)]
    with running(command, f"http://127.0.0.1:{port}", "/") as found:
        yield found


@contextmanager
def plain(database: Path) -> Iterator[tuple[str, float]]:
    """Datasette as it comes: no plugins, no metadata, default settings."""
    port = free_port()
    command = [sys.executable, "-c", PLAIN, "serve", str(database), "-p", str(port)]
    with running(command, f"http://127.0.0.1:{port}", "/-/versions.json") as found:
        if requests.get(f"{found[0]}/-/plugins.json", timeout=60).json():
            raise SystemExit("the peer has plugins: it is not plain")
        yield f"{found[0]}/{database.stem}", found[1]


@contextmanager
def running(command: list[str], root: str, first: str) -> Iterator[tuple[str, float]]:
    """Run a server; yields its root and the seconds from its start to its first answer."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                requests.get(root + first, timeout=60)
                break
            except requests.ConnectionError:
                if process.poll() is not None:
                    raise SystemExit(f"{command[:4]} ended with {process.returncode}") from None
                time.sleep(0.01)
        yield root, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """Return a port of loopback that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
