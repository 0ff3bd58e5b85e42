"""Look at the demo from outside, as `--check` does: are the pages there, and do they show the story?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

LEAST = {"sources": 3, "builds": 300, "results": 20_000, "quarantined": 2}
"""What the demo must have brought, at the least."""

COUNTS = {
    "sources": "select count(*) from source",
    "builds": "select count(distinct run) from result where run is not null",
    "results": "select count(*) from result",
    "quarantined": "select count(*) from quarantine where resolved_at is null",
}
STORY = {
    "a failing job": "select 1 from latest_result where outcome = 'FAILED' and testcase like '%nvme.hotplug'",
    "a flaky one": """select 1 from result where testcase like '%net.bonding'
        group by testcase having count(distinct outcome) > 1""",
    "a silent job": "select 1 from job where coverage = 'silent' and job = 'kernel-lint'",
    "a report broken off": "select 1 from quarantine where door = 'report'",
    "a nameless build": "select 1 from quarantine where door = 'harvest' and key like 'kernel-storage%'",
}
PAGES = (
    "/",
    "/coverage",
    "/quarantine",
    "/browse/",
    "/browse/results/result",
    "/browse/results/latest_result.json",
)

_opener = build_opener(ProxyHandler({}))


class ProbeError(Exception):
    """The demo is not what it should be."""


def probe(address: str, store: Path, item: str) -> Iterator[str]:
    """Yield lines of counts and of what was found. Raises ProbeError with what is missing."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        counts = {name: connection.execute(sql).fetchone()[0] for name, sql in COUNTS.items()}
        for name, least in LEAST.items():
            if counts[name] < least:
                raise ProbeError(f"{counts[name]} {name}, expected at least {least}")
        for what, sql in STORY.items():
            if connection.execute(sql).fetchone() is None:
                raise ProbeError(f"{what} is missing from the store")
            yield f"found {what}"
    for page in (*PAGES, f"/item/{item}"):
        yield f"{page}: {len(get(address + page))} bytes"
    healthy = json.loads(get(f"{address}/healthcheck"))
    yield f"healthcheck: {json.dumps(healthy)}"
    yield ", ".join(f"{count} {name}" for name, count in counts.items())


def get(url: str) -> bytes:
    """Return the body of a page. Raises ProbeError where it is not 200."""
    try:
        with _opener.open(url, timeout=20) as answer:
            return bytes(answer.read())
    except (URLError, OSError) as err:
        raise ProbeError(f"{url}: {err}") from err
