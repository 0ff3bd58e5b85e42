"""The store on PostgreSQL against a bare COPY of the same rows into the same tables.

COPY has one transaction for each page, as the store has; what follows the commits (the daily roll-up)
is waited for on both sides. CPU is counted on the server too, where that is this machine.

python bench/store.py --store postgresql [--url postgresql://postgres@127.0.0.1/postgres]
"""

from __future__ import annotations

import gc
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from store import TABLES, results

from ci_results.domain.page import Page
from ci_results.store.opening import create_store
from ci_results.store.postgres import PostgresStore
from ci_results.store.postgres_daily import count_days
from ci_results.store.postgres_migrations import current_schema

TICKS = os.sysconf("SC_CLK_TCK")
COLUMNS = ("", "results/s", "wall s", "CPU s", "server CPU s", "ours is (wall)", "ours is (CPU)")


@contextmanager
def schema(url: str) -> Iterator[str]:
    """Yield the URL of an empty store, dropped afterwards."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    yield f"{url}?options=-csearch_path%3D{name}&application_name={name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"drop schema if exists {name} cascade".encode())


def ours(url: str, count: int, batch: int) -> dict[str, float]:
    """Fill the store at `url`, pages of `batch` results."""
    made = list(results(count))
    create_store(url)
    store = PostgresStore.open(url)
    gc.freeze()  # what was prepared is not what is measured
    with _measured(url) as took:
        for start in range(0, count, batch):
            store.commit_page(Page(source="ci", results=made[start : start + batch]))
        with psycopg.connect(url, autocommit=True) as connection:
            count_days(connection, current_schema(connection), wait=True)
    store.close()
    return took


def copied(url: str, model: str) -> dict[str, float]:
    """Copy the rows of the store `model` into the store at `url`, a commit for each page."""
    create_store(url)
    with psycopg.connect(model) as connection:
        pages = connection.execute("select count(*) from _commit").fetchall()[0][0]
        tables = [(name, _parts(connection, name, pages)) for name in TABLES]
    gc.freeze()
    with psycopg.connect(url, autocommit=True) as connection, _measured(url) as took:
        for page in range(pages):
            with connection.transaction(), connection.cursor() as cursor:
                for name, parts in tables:
                    if page < len(parts):
                        with cursor.copy(f"copy {name} from stdin".encode()) as copy:
                            for row in parts[page]:
                                copy.write_row(row)
    return took


def rows(found: Mapping[str, Mapping[str, float]], count: int) -> list[tuple[Any, ...]]:
    """Return the rows of the table, under COLUMNS."""
    whole = {name: it["cpu"] + it["server"] for name, it in found.items()}
    return [
        (
            name, count / it["wall"], it["wall"], it["cpu"], it["server"],
            f"{it['wall'] / found['ours']['wall']:.2f} x", f"{whole[name] / whole['ours']:.2f} x",
        )
        for name, it in found.items()
    ]  # fmt: skip


def _parts(connection: psycopg.Connection[Any], table: str, pages: int) -> list[list[Any]]:
    found = connection.execute(f"select * from {table}".encode()).fetchall()
    size = max(1, -(-len(found) // pages))
    return [found[start : start + size] for start in range(0, len(found), size)]


@contextmanager
def _measured(url: str) -> Iterator[dict[str, float]]:
    took: dict[str, float] = {}
    began, cpu = time.perf_counter(), time.process_time()
    yield took
    took |= {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "server": _server(url)}


def _server(url: str) -> float:
    """Return the CPU seconds of all sessions of the store, as far as they run on this machine."""
    sql = "select pid from pg_stat_activity where application_name = current_schema()"
    seconds = 0.0
    with psycopg.connect(url, application_name="bench") as connection:
        for (pid,) in connection.execute(sql).fetchall():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                seconds += (int(fields[11]) + int(fields[12])) / TICKS
    return seconds
