"""What every request pays for limits, figures, security headers and log, beside the same route bare.

    python bench/layers.py [--seconds 3] [--rounds 5]

"bare" is the route in Starlette under uvicorn as it comes; "ours" is the same route in the whole
application under our server. Needs wrk.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import requests
import uvicorn
from browse import free_port
from loads import Load, Server, started
from measure import print_table
from serve import BODY, load
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ci_results.config import Serving
from ci_results.serve import app
from ci_results.serve.address import listen
from ci_results.serve.server import Server as OurServer
from ci_results.serve.surroundings import Surroundings
from ci_results.store.sqlite import SqliteStore

KINDS = {
    "bare": "",
    "ours": "",
    "ours, 429 armed": "rate",
    "ours, access log": "log",
}
Loads = dict[tuple[str, str, int], list[Load]]
CASES = [("GET", 1), ("GET", 16), ("POST", 1), ("POST", 16)]


async def trivial(request: Request) -> Response:
    """Read what was posted, answer a few bytes."""
    await request.body()
    return Response(b'{"a":1}', media_type="application/json")


ROUTES = [Route("/trivial", trivial, methods=["GET", "POST"])]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        serve(given.one[0], int(given.one[1]))
        return
    loads: Loads = {}
    with ExitStack() as held:
        servers = {kind: held.enter_context(server(kind)) for kind in KINDS}
        for _ in range(given.rounds):
            for method, clients in CASES:
                for kind, target in servers.items():
                    one = load(
                        target, ["/trivial"], clients, given.seconds, BODY if method == "POST" else None
                    )
                    loads.setdefault((method, kind, clients), []).append(one)
    rows = [row(loads, method, clients, kind) for method, clients in CASES for kind in KINDS]
    columns = ["", "clients", "requests/s", "p50 ms", "p99 ms", "CPU us", "more than bare, us"]
    print_table("A trivial route", columns, rows)


def row(loads: Loads, method: str, clients: int, kind: str) -> tuple[object, ...]:
    """Return one line of the table, medians of the rounds."""

    def median(kind: str, figure: str) -> float:
        return statistics.median(getattr(one, figure) for one in loads[method, kind, clients])

    cpu_us, bare_us = 1000 * median(kind, "cpu_ms"), 1000 * median("bare", "cpu_ms")
    figures = [median(kind, name) for name in ("rate", "p50_ms", "p99_ms")]
    return (f"{method} {kind}", clients, *figures, cpu_us, cpu_us - bare_us)


def server(kind: str) -> AbstractContextManager[Server]:
    """Start one kind in a process of its own."""
    port = free_port()
    command = [sys.executable, __file__, "--one", kind, str(port)]
    return started(command, port, lambda root: requests.get(f"{root}/trivial", timeout=5))


def serve(kind: str, port: int) -> None:
    """Serve the trivial route, bare or in our application, until SIGTERM."""
    with listen("127.0.0.1", port) as listening:
        if kind == "bare":
            config = uvicorn.Config(Starlette(routes=ROUTES), access_log=False, log_level="error")
            uvicorn.Server(config).run(sockets=[listening])
            return
        app.api_routes = lambda around: list(ROUTES)
        settings = Serving(access_log=KINDS[kind] == "log")
        with tempfile.TemporaryDirectory() as folder, SqliteStore.open(Path(folder) / "a.db") as store:
            around = Surroundings(store=store, settings=settings)
            whole = app.application(around, store.path, rate_per_s=1e9 if KINDS[kind] == "rate" else 0)
            if settings.access_log:
                from ci_results.cli.logs import access_log_to_stderr

                with access_log_to_stderr():
                    OurServer(whole, settings).serve_on(listening)
            else:
                OurServer(whole, settings).serve_on(listening)


if __name__ == "__main__":
    main()
