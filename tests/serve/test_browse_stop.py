"""Datasette within our server ends without a statement being cut off its connection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ci_results.store.sqlite import SqliteStore

MANY = 4
SLOW = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000000) "
    "select count(*), max(length(hex(i))) from n"
)
SCRIPT = f"""
import asyncio, sys
from pathlib import Path
from ci_results.serve.browse.mount import PREFIX, Browse

async def asked_and_stopped():
    browse = Browse(Path(sys.argv[1]))
    async def receive():
        return {{"type": "http.request", "body": b""}}
    async def send(message):
        pass
    scope = {{
        "type": "http", "method": "GET", "path": PREFIX + "/-/versions.json", "query_string": b"",
        "headers": [], "raw_path": b"", "scheme": "http", "server": ("x", 1), "client": ("x", 1),
    }}
    await browse(scope, receive, send)
    database = browse._datasette.databases["results"]
    asked = [asyncio.create_task(database.execute({SLOW!r})) for _ in range({MANY})]
    await asyncio.sleep(0.1)
    await browse.stop()
    await asyncio.gather(*asked, return_exceptions=True)

asyncio.run(asked_and_stopped())
"""


def test_an_end_waits_for_statements_that_run(tmp_path: Path) -> None:
    """In a process of its own: SQLite would take this one along."""
    path = tmp_path / "results.db"
    SqliteStore.open(path).close()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
