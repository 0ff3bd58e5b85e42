"""The floor under the ResultsDB API: a bare ASGI handler with the same SQL and the same bytes.

    python bench/floor.py sqlite:FILE|postgresql://... PORT

What a GET asks of the database is learned from our own application, once for each address; from
then on the handler runs those statements on a connection of its own and sends the answer that it
learned. A POST does what any store must: the row, its attributes and roll-up, in a transaction that
the clients who wait at the same time share, and one fsync.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from ci_results.config import Serving
from ci_results.query.dialect import POSTGRES, SQLITE
from ci_results.serve.resultsdb_v2.app import ResultsDB
from ci_results.serve.surroundings import Surroundings
from ci_results.store.days import DAY_US
from ci_results.store.identity import to_text
from ci_results.store.searcher import Searcher
from ci_results.store.sqlite import SqliteStore, connect_for_writing

Learned = tuple[list[tuple[Any, Any]], bytes]
RESULT = "insert into _result values ({places})"
PAIRS = (1, 5, 55, 60)
DATA = '{"item":["a"],"type":["koji_build"],"scenario":["s07"],"system_architecture":["x86_64"]}'


class Floor:
    """The handler over a store: `base` asks its database."""

    def __init__(self, base: Sqlite | Postgres) -> None:
        self._base = base
        self._statements: list[tuple[str, Any]] = []
        self._known: dict[bytes, Learned] = {}
        searcher = Searcher(self._tracing, base.dialect)
        for name in ("search", "latest", "fact", "testcase", "testcases", "group", "groups"):
            setattr(base.store, name, getattr(searcher, name))
        self._app = ResultsDB(Surroundings(store=base.store, settings=Serving()))
        self._posts = Posts(base)

    def _tracing(self, sql: str, values: Any) -> list[Any]:
        self._statements.append((sql, dict(values)))
        return self._base.run([self._base.prepared(sql, dict(values))])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "POST":
            body = (await receive())["body"]
            await _send(send, 201, await self._posts.post(body))
            return
        address = scope["raw_path"] + b"?" + scope["query_string"]
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = await self._learn(scope, receive)
        statements, body = known
        if self._base.threads is None:
            self._base.run(statements)
        else:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._base.threads, self._base.run, statements)
        await _send(send, 200, body)

    async def _learn(self, scope: Any, receive: Any) -> Learned:
        """Ask our application twice: what it remembers of the first is not asked again."""
        said: list[bytes] = []

        async def keep(message: Any) -> None:
            said.append(message.get("body", b""))

        for _time in range(2):
            self._statements.clear()
            said.clear()
            await self._app({**scope, "below": "/api/v2.0"}, receive, keep)
        return [self._base.prepared(*one) for one in self._statements], b"".join(said)


async def _send(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Sqlite:
    """Asks inline; writes on one connection."""

    dialect = SQLITE
    threads = None

    def __init__(self, url: str) -> None:
        self.store: Any = SqliteStore.open(Path(url.removeprefix("sqlite:")))
        self._reader = sqlite3.connect(f"file:{self.store.path}?mode=ro", uri=True, cached_statements=256)
        self._reader.execute("pragma mmap_size = 4294967296")

    def prepared(self, sql: str, values: Any) -> tuple[Any, Any]:
        """Return a statement as `run` takes it."""
        return sql, values

    def run(self, statements: list[tuple[Any, Any]]) -> list[Any]:
        """Run statements; return the rows of the last."""
        found: list[Any] = []
        for sql, values in statements:
            found = self._reader.execute(sql, values).fetchall()
        return found

    def connect(self) -> Any:
        """Open the connection that writes."""
        return connect_for_writing(self.store.path)

    def insert(self, db: Any, rows: list[tuple[int, int, int]]) -> None:
        """Write results of (id, seq, time) within a transaction that commits at its end."""
        db.execute("begin immediate")
        for number, seq, now in rows:
            db.execute(RESULT.format(places=", ".join("?" * 19)), _row(number, seq, now))
            db.executemany("insert into _result_pair values (?, ?, ?)", [(one, now, number) for one in PAIRS])
            db.execute("insert into _result_group values (2, ?, ?)", (now, number))
            db.execute("update _group set results = results + 1 where id = 2")
            for table in ("_daily (day, testcase, outcome, n, duration) values (?, 7, 1, 1, 0)",
                          "_daily_source (day, source, outcome, n) values (?, 1, 1, 1)"):  # fmt: skip
                db.execute(f"insert into {table} on conflict do update set n = n + 1", (now // DAY_US,))
        number, seq, now = rows[-1]
        db.execute("insert into _commit values (?, ?, 1, 'api', ?, ?, 0)", (seq, now, number, len(rows)))
        db.execute("insert into _outbox values (?, 'results')", (seq,))
        db.execute("commit")


class Postgres:
    """Asks on threads, a connection each; writes on one connection, statements in a pipeline."""

    dialect = POSTGRES

    def __init__(self, url: str) -> None:
        from ci_results.store.postgres import PostgresStore

        self._url = url
        self.store: Any = PostgresStore.open(url)
        self.threads = ThreadPoolExecutor(16)
        self._local = threading.local()

    def prepared(self, sql: str, values: Any) -> tuple[Any, Any]:
        """Return a statement as `run` takes it."""
        from ci_results.store.postgres_sql import to_postgres

        return to_postgres(sql, values), values

    def run(self, statements: list[tuple[Any, Any]]) -> list[Any]:
        """Run statements; return the rows of the last."""
        from ci_results.store.postgres_connections import _READING

        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self.connect()
            connection.autocommit = True
            connection.execute(_READING)
        found: list[Any] = []
        for sql, values in statements:
            found = connection.execute(sql, values).fetchall()
        return found

    def connect(self) -> Any:
        """Open a connection."""
        import psycopg

        return psycopg.connect(self._url)

    def insert(self, db: Any, rows: list[tuple[int, int, int]]) -> None:
        """Write results of (id, seq, time) within a transaction that commits at its end."""
        with db.transaction(), db.pipeline():
            db.execute("select pg_advisory_xact_lock(4711)")
            for number, seq, now in rows:
                db.execute(RESULT.format(places=", ".join(["%s"] * 19)), _row(number, seq, now))
                for one in PAIRS:
                    db.execute("insert into _result_pair values (%s, %s, %s)", (one, now, number))
                db.execute("insert into _result_group values (2, %s, %s)", (now, number))
            db.execute("update _group set results = results + %s where id = 2", (len(rows),))
            number, seq, now = rows[-1]
            db.execute(
                "insert into _commit values (%s, %s, 1, 'api', %s, %s, 0)", (seq, now, number, len(rows))
            )
            db.execute("insert into _outbox values (%s, 'results')", (seq,))


def _row(number: int, seq: int, now: int) -> tuple[Any, ...]:
    identity = number * 2_654_435_761 % 9_223_372_036_854_775_807
    return (
        number, seq, 1, None, 7, 7, 7, 1, now, None, None, None, "https://ci.example/1", DATA, f"f{number}",
        identity, number, to_text(now), '["0"]',
    )  # fmt: skip


class Posts:
    """One writer thread with group commit, and no more SQL than a result needs."""

    def __init__(self, base: Sqlite | Postgres) -> None:
        self._base = base
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    async def post(self, body: bytes) -> bytes:
        """Return the answer to a submission once it is on disk."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._queue.put((orjson.loads(body), loop, future))
        number = await future
        return orjson.dumps({"id": number, "href": f"/results/{number}", "body": body.decode()})

    def _run(self) -> None:
        db = self._base.connect()
        number = (db.execute("select max(id) from _result").fetchone()[0] or 0) + 1
        seq = (db.execute("select max(seq) from _commit").fetchone()[0] or 0) + 1
        getattr(db, "commit", lambda: None)()
        while True:
            group = [self._queue.get()]
            while len(group) < 256:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            now = time.time_ns() // 1000
            self._base.insert(db, [(number + place, seq, now) for place in range(len(group))])
            for place, (_body, loop, future) in enumerate(group):
                loop.call_soon_threadsafe(future.set_result, number + place)
            number += len(group)
            seq += 1


def main() -> None:
    """Serve."""
    url = sys.argv[1]
    base = Sqlite(url) if url.startswith("sqlite:") else Postgres(url)
    uvicorn.run(Floor(base), port=int(sys.argv[2]), log_level="critical", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
