"""The floor under decisions over HTTP: a bare handler that runs what our application asks the database.

    python bench/decide_floor.py sqlite:FILE|postgresql://... PORT FOLDER

FOLDER has the policies. For each body our application is asked twice: what it remembers of the first
time is not asked again. From then on its statements are run on a connection of our own, in a thread
where our application needs one, and what it answered is sent.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from ci_results.decide.builtin import RULE_TYPES
from ci_results.operations.policies import FilePolicies
from ci_results.serve.api_v1_0 import Dispatching
from ci_results.serve.greenwave_v1 import service
from ci_results.serve.surroundings import Surroundings
from ci_results.store import readers
from ci_results.store.opening import open_store

Statement = tuple[Any, Any]


class Traced:
    """A connection that notes what is asked of it."""

    def __init__(self, real: Any, notes: list[Statement]) -> None:
        self._real, self._notes = real, notes

    def execute(self, sql: Any, values: Any = None) -> Any:
        """Note the statement and run it."""
        self._notes.append((sql, values))
        return self._real.execute(sql) if values is None else self._real.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def trace_sqlite(notes: list[Statement]) -> None:
    """Let every reader of SQLite note what it asks."""
    real = readers.connect_read_only
    readers.connect_read_only = lambda path: Traced(real(path), notes)  # type: ignore[assignment,return-value]


def trace_postgres(notes: list[Statement]) -> None:
    """Let every reader of PostgreSQL note what it asks."""
    from ci_results.store.postgres_connections import Connections

    real = Connections.reading

    @contextmanager
    def reading(self: Any) -> Iterator[Any]:
        with real(self) as connection:
            yield connection if isinstance(connection, Traced) else Traced(connection, notes)

    Connections.reading = reading  # type: ignore[method-assign]


class Floor:
    """The handler."""

    def __init__(self, url: str, folder: Path) -> None:
        self._notes: list[Statement] = []
        self._known: dict[bytes, tuple[list[Statement], bytes]] = {}
        self._threads: ThreadPoolExecutor | None = None
        if url.startswith("sqlite:"):
            trace_sqlite(self._notes)
            self._connection: Any = sqlite3.connect(
                f"file:{url.removeprefix('sqlite:')}?mode=ro",
                uri=True,
                cached_statements=256,
                isolation_level=None,
            )
            self._connection.execute("pragma mmap_size = 4294967296")
        else:
            from ci_results.store.postgres_connections import connect

            trace_postgres(self._notes)
            self._connection = connect(url)
            self._threads = ThreadPoolExecutor(1)
        types = {kind.name: kind for kind in RULE_TYPES}
        around = Surroundings(
            store=open_store(url),
            inline=url.startswith("sqlite:"),
            policies=FilePolicies(("policy.yaml",), folder, types),
        )
        self._app = Dispatching(service(around).endpoints)

    def _run(self, statements: list[Statement]) -> None:
        for sql, values in statements:
            found = self._connection.execute(sql) if values is None else self._connection.execute(sql, values)
            if found.description:
                found.fetchall()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer what is known, or learn it."""
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        known = self._known.get(body)
        if known is None:
            known = self._known[body] = await self._learn(scope, body)
        statements, said = known
        if self._threads is None:
            self._run(statements)
        else:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._run, statements)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    async def _learn(self, scope: Any, body: bytes) -> tuple[list[Statement], bytes]:
        said: list[bytes] = []

        async def give() -> Any:
            return {"type": "http.request", "body": body}

        async def keep(message: Any) -> None:
            said.append(message.get("body", b""))

        for _time in range(2):
            self._notes.clear()
            said.clear()
            await self._app({**scope, "below": "/api/v1.0"}, give, keep)
        return list(self._notes), b"".join(said)


def main() -> None:
    """Serve."""
    url, port, folder = sys.argv[1:]
    uvicorn.run(
        Floor(url, Path(folder)), port=int(port), log_level="critical", access_log=False, lifespan="off"
    )


if __name__ == "__main__":
    main()
