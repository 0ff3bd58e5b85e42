"""How a store grows: bytes a result, on both kinds of store, and whether questions stay as fast.

    python bench/sizing.py [--sizes 50000 100000 200000] [--shape harvest messages]
        [--store sqlite postgresql] [--url postgresql://postgres@127.0.0.1/postgres]

Results come in pages of 1,000, either as a harvest brings them (200 of a run) or as messages do (one each,
whose bytes are kept). Sizes are of files and tables after a checkpoint; the last column tells what each
result from the second largest to the largest size cost, which is what goes on to cost.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import psycopg
from measure import print_table
from store import results
from store_postgresql import schema

from ci_results.domain.bus_message import BusMessage
from ci_results.domain.page import Page
from ci_results.domain.search import Attribute, Search
from ci_results.store.opening import create_store, open_store
from ci_results.store.postgres_daily import count_days
from ci_results.store.postgres_migrations import current_schema
from ci_results.store.protocol import Store

KINDS = ("sqlite", "postgresql")
PAGE = 1_000
ASKED = 200

BIGGEST = """
select coalesce(i.indrelid::regclass::text, c.relname), pg_relation_size(c.oid)
from pg_class c left join pg_index i on i.indexrelid = c.oid
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'i')
"""


def pages(count: int, shape: str) -> Iterator[Page]:
    """Yield pages of so many results in all."""
    made = results(count)
    number = 0
    while some := list(islice(made, PAGE)):
        if shape == "harvest":
            yield Page(source="ci", results=some)
            continue
        messages = []
        for at, one in enumerate(some, number):
            raw = orjson.dumps(body(at, one.testcase, one.item, one.outcome))
            messages.append(
                BusMessage(
                    key=f"id-{at:032x}", topic="org.centos.prod.ci.koji-build.test.complete",
                    mapping="ci_messages@1", transport="ci", results=1, raw=zlib.compress(raw, 1),
                    digest=hashlib.sha256(raw).hexdigest(), size=len(raw),
                    told='{"topic": "org.centos.prod"}',
                )
            )  # fmt: skip
        number += len(some)
        first = number - len(some)
        singly = [replace(one, run=None, key=f"{one.key} {at}") for at, one in enumerate(some, first)]
        yield Page(source="ci", results=singly, door="message", messages=messages)


def body(number: int, testcase: str, item: str, outcome: str) -> dict[str, Any]:
    """Return a CI message of about 2 kB, the size that they have."""
    return {
        "contact": {"name": "CI", "team": "QE", "docs": "https://ci.example/docs", "email": "ci@ci.example"},
        "run": {"url": f"https://ci.example/run/{number}", "log": f"https://ci.example/run/{number}/log"},
        "artifact": {"type": "koji-build", "id": number, "nvr": item, "issuer": "jdoe", "scratch": False},
        "test": {"category": "functional", "namespace": testcase, "type": "tier0", "result": outcome},
        "system": [{"os": "f43", "provider": "openstack", "architecture": "x86_64"}],
        "xunit": hashlib.shake_256(str(number).encode()).hexdigest(700),
        "generated_at": "2026-02-02T02:40:00Z", "version": "1.1.14",
    }  # fmt: skip


def fill(
    store: Store, count: int, shape: str, sizes: Sequence[int], look: Callable[[int, float], None]
) -> None:
    """Fill a store, and look at each of `sizes`, with the seconds that it took so far."""
    stored, took = 0, 0.0
    for page in pages(count, shape):
        began = time.perf_counter()
        store.commit_page(page)
        took += time.perf_counter() - began
        stored += len(page.results)
        if stored in sizes:
            look(stored, took)


def asked_ms(store: Store, count: int) -> float:
    """Return how long a question for the newest results of one item takes, in the median."""
    step = max(1, count // 200 // ASKED)
    took = []
    for number in range(0, count // 200, step):
        item = f"pkg{number % 500}-1.{number}-1.el10"
        began = time.perf_counter()
        store.search(Search(attributes=(Attribute(key="item", values=(item,)),), limit=20))
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1_000


def on_sqlite(sizes: Sequence[int], shape: str) -> list[tuple[int, float, float, float]]:
    """Return for each size: bytes, results a second, milliseconds of a question."""
    found: list[tuple[int, float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.db"
        with closing(open_store(f"sqlite:{path}")) as store:

            def look(stored: int, took: float) -> None:
                with closing(sqlite3.connect(path)) as connection:
                    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
                found.append((stored, path.stat().st_size, stored / took, asked_ms(store, stored)))

            fill(store, max(sizes), shape, sizes, look)
    return found


def on_postgresql(sizes: Sequence[int], shape: str, url: str) -> list[tuple[int, float, float, float]]:
    """Return the same of PostgreSQL: tables and indexes, without its log."""
    found: list[tuple[int, float, float, float]] = []
    with schema(url) as place:
        create_store(place)
        with (
            closing(open_store(place)) as store,
            psycopg.connect(place, autocommit=True) as connection,
        ):

            def look(stored: int, took: float) -> None:
                count_days(connection, current_schema(connection), wait=True)
                whole = sum(size for _name, size in connection.execute(BIGGEST.encode()).fetchall())
                found.append((stored, whole, stored / took, asked_ms(store, stored)))

            fill(store, max(sizes), shape, sizes, look)
    return found


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[50_000, 100_000, 200_000])
    parser.add_argument("--url", default="postgresql://postgres@127.0.0.1/postgres")
    parser.add_argument(
        "--shape", choices=("harvest", "messages"), nargs="+", default=["harvest", "messages"]
    )
    parser.add_argument("--store", choices=KINDS, nargs="+", default=list(KINDS))
    given = parser.parse_args()
    sizes = sorted(size - size % PAGE for size in given.sizes)
    rows: list[tuple[Any, ...]] = []
    for shape in given.shape:
        for kind in given.store:
            before = (0, 0.0)
            measured = on_sqlite(sizes, shape) if kind == "sqlite" else on_postgresql(sizes, shape, given.url)
            for stored, whole, a_second, asked in measured:
                more = (whole - before[1]) / (stored - before[0])
                rows.append((shape, kind, stored, whole / 1e6, whole / stored, more, a_second, asked))
                before = (stored, whole)
    print_table(
        "How a store grows",
        ("shape", "store", "results", "MB", "bytes/result", "bytes of each more", "stored/s", "asked ms"),
        rows,
    )


if __name__ == "__main__":
    main()
