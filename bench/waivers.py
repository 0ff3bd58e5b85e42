"""WaiverDB's API under load, beside the floor: a bare handler with the same SQL and the same bytes.

    python bench/waivers.py [--waivers 200000] [--stores sqlite,postgresql] [--seconds 3]

The floor of a read learns once what our own application asks of the database for an address; from then on
it runs those statements on a connection of its own and sends the answer that it learned. The floor of a POST
is the row, its hash and its commit in a transaction of its own with one fsync: what any chain must do.
CPU is of the server, a request; --clients is for reads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from browse import free_port
from floor import Postgres, Sqlite, _send
from loads import Load, Server, median, started
from measure import print_table
from serve import load

from ci_results.config import Serving
from ci_results.query.dialect import SQLITE
from ci_results.serve.api_v1_0 import Dispatching
from ci_results.serve.surroundings import Surroundings
from ci_results.serve.waiverdb_v1 import service
from ci_results.store.waivers import WaiverLog

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "fakes"))
import many_waivers  # noqa: E402

API = "/api/v1.0"
KEYS = 1_000
BASE = "postgresql://postgres@127.0.0.1:5432"
WISH = {
    "subject_type": "koji_build", "subject_identifier": "new-1-1", "testcase": "dist.t7",
    "product_version": "fedora-40", "comment": "infra, bug 4711",
}  # fmt: skip
ASKED = {
    "of a subject": "/waivers/?subject_identifier=pkg-1-{}&subject_type=koji_build",
    "of a testcase": "/waivers/?testcase=dist.t{}&limit=5",
    "one": "/waivers/{}",
}


class Floor:
    """Answers what it learned, after the statements that it learned."""

    def __init__(self, base: Sqlite | Postgres) -> None:
        self._base = base
        self._statements: list[tuple[str, Any]] = []
        self._known: dict[bytes, tuple[list[tuple[Any, Any]], bytes]] = {}
        base.store.waivers = WaiverLog(self._tracing, lambda operation: None, base.dialect)
        around = Surroundings(store=base.store, settings=Serving())
        self._app = Dispatching(service(around).endpoints)
        self._threads = ThreadPoolExecutor(1)
        self._writer: Any = None

    def _tracing(self, sql: str, values: Any) -> list[Any]:
        self._statements.append((sql, dict(values)))
        return self._base.run([self._base.prepared(sql, dict(values))])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        loop = asyncio.get_running_loop()
        if scope["method"] == "POST":
            body = (await receive())["body"]
            await _send(send, 201, await loop.run_in_executor(self._threads, self._store, body))
            return
        address = scope["raw_path"] + b"?" + scope["query_string"]
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = await self._learn(scope, receive)
        statements, body = known
        if self._base.threads is None:
            self._base.run(statements)
        else:
            await loop.run_in_executor(self._base.threads, self._base.run, statements)
        await _send(send, 200, body)

    async def _learn(self, scope: Any, receive: Any) -> tuple[list[tuple[Any, Any]], bytes]:
        self._statements.clear()
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await self._app({**scope, "below": API}, receive, keep)
        found = [self._base.prepared(sql, values) for sql, values in self._statements]
        return found, b"".join(each.get("body", b"") for each in sent)

    def _store(self, body: bytes) -> bytes:
        """Append one event: head, commit, event, outbox; a transaction for each, as the head is one row."""
        said = json.loads(body)
        if self._writer is None:
            self._writer = self._base.connect()
        db, mark = self._writer, ":" if self._base.dialect is SQLITE else "%("
        end = "" if mark == ":" else ")s"
        run: Callable[..., Any] = db.execute
        if mark == ":":
            run("begin immediate")
        number, before = run("update _waiver_head set id = id + 1 returning id, hash").fetchone()
        (seq,) = run("select max(seq) + 1 from _commit").fetchone()
        digest = sha256(before.encode() + body).hexdigest()
        now = time.time_ns() // 1000
        rows = {"n": number, "s": seq, "t": now, "h": digest, "i": said["subject_identifier"]}

        def named(text: str) -> str:
            for name in rows:
                text = text.replace(f"<{name}>", f"{mark}{name}{end}")
            return text

        run(named("insert into _commit (seq, received_at, door, last_result, results, quarantined)"
                  " values (<s>, <t>, 'waiver', 0, 0, 0)"), rows)  # fmt: skip
        run(named(EVENT), rows)
        run(named("update _waiver_head set hash = <h>"), rows)
        run(named("insert into _outbox (seq, kind) values (<s>, 'waiver')"), rows)
        run("commit") if mark == ":" else db.commit()
        return json.dumps({"id": number, **said}).encode()


EVENT = """
insert into _waiver_event (id, seq, time, waiver, step, turn, username, via, comment, subject_type, subject,
    testcase, product_version, lenient, waived, hash)
values (<n>, <s>, <t>, <n>, 'grant', 'opens', 'dev', 'api', 'infra', 'koji_build', <i>, 'dist.t7',
    'fedora-40', 1, 1, <h>)
"""


def main() -> None:
    """Measure on each store; print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--waivers", type=int, default=200_000)
    parser.add_argument("--stores", default="sqlite")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--floor", nargs=2, metavar=("URL", "PORT"), help="serve the floor")
    given = parser.parse_args()
    if given.floor:
        serve_floor(*given.floor)
        return
    columns = (
        "", "req/s", "p50 ms", "p99 ms", "CPU ms", "floor req/s", "floor CPU ms", "CPU / floor", "failed",
    )  # fmt: skip
    for kind in given.stores.split(","):
        with stored(kind, given.waivers) as url:
            rows = [row(name, *found) for name, found in measured(url, given).items()]
            print_table(f"{kind}, {given.waivers:,} waivers, {given.clients} clients", columns, rows)


def row(name: str, ours: Load, floor: Load) -> tuple[object, ...]:
    """Return one line of the table."""
    return (
        name, ours.rate, ours.p50_ms, ours.p99_ms, ours.cpu_ms, floor.rate, floor.cpu_ms,
        f"{ours.cpu_ms / floor.cpu_ms:.2f}", ours.failed,
    )  # fmt: skip


def measured(url: str, given: argparse.Namespace) -> dict[str, tuple[Load, Load]]:
    """Load ours and the floor with each question and with POSTs, in turn; return medians."""
    found: dict[str, tuple[list[Load], list[Load]]] = {}
    with server("ours", url) as ours, server("floor", url) as floor:
        for name, path in ASKED.items():
            numbers = [n for n in range(1, 2 * KEYS) if n % 10][:KEYS]  # each tenth is a request: not served
            paths = [API + path.format(n) for n in numbers]
            found[name] = ([], [])
            for one in (ours, floor):
                load(one, paths, given.clients, 1)
            for _round in range(given.rounds):
                for number, one in enumerate((ours, floor)):
                    found[name][number].append(load(one, paths, given.clients, given.seconds))
    for clients in (1, 16):
        both: tuple[list[Load], list[Load]] = ([], [])
        for _round in range(given.rounds):
            for number, kind in enumerate(("ours", "floor")):
                with server(kind, url) as one:
                    paths = [f"{API}/waivers/"]
                    both[number].append(load(one, paths, clients, given.seconds, json.dumps(WISH)))
        found[f"POST, {clients} clients"] = both
    return {name: (median(mine), median(bare)) for name, (mine, bare) in found.items()}


def server(kind: str, url: str) -> AbstractContextManager[Server]:
    """Start "ours" or the "floor" over the store at `url`."""
    port = free_port()
    command = [sys.executable, "-m", "ci_results", "--store", url, "serve", "--port", str(port)]
    if kind == "floor":
        command = [sys.executable, __file__, "--floor", url, str(port)]
    return started(command, port, lambda root: requests.get(f"{root}{API}/waivers/1", timeout=5))


def serve_floor(url: str, port: str) -> None:
    """Serve the floor."""
    import uvicorn

    base = Sqlite(url) if url.startswith("sqlite:") else Postgres(url)
    uvicorn.run(Floor(base), port=int(port), log_level="critical", access_log=False, lifespan="off")


@contextmanager
def stored(kind: str, count: int) -> Iterator[str]:
    """Yield the URL of a store with so many waivers, whose chain is not sound."""
    from ci_results.store.sqlite import SqliteStore, connect_for_writing

    head = f"update _waiver_head set id = {2 * count}"
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.db"
            SqliteStore.open(path).close()
            connection = connect_for_writing(path)
            for statement in (*many_waivers.fill(many_waivers.SQLITE, count), head):
                connection.execute(statement)
            connection.close()
            yield f"sqlite:{path}"
        return
    import psycopg

    from ci_results.store.postgres import PostgresStore

    name = "ci_results_bench_waivers"
    for command in ("dropdb --if-exists", "createdb"):
        subprocess.run([*command.split(), "-h", "127.0.0.1", "-U", "postgres", name], check=True)
    try:
        PostgresStore.open(f"{BASE}/{name}").close()
        with psycopg.connect(f"{BASE}/{name}", autocommit=True) as connection:
            for statement in (*many_waivers.fill(many_waivers.POSTGRES, count), head, "analyze"):
                connection.execute(statement.encode())
        yield f"{BASE}/{name}"
    finally:
        subprocess.run(["dropdb", "-h", "127.0.0.1", "-U", "postgres", "--force", name], check=True)


if __name__ == "__main__":
    main()
