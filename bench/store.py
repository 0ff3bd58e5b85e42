"""Our store against bare executemany, and sqlite-utils, of the same rows into the same tables.

executemany has one transaction for each page, as the store has; sqlite-utils commits each insert_all itself.

python bench/store.py [--results 200000] [--batch 1000] [--rounds 3] [--store postgresql]
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlite_utils
from measure import compare, one_run, print_table

from ci_results import Observation, Run
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.normalise.normaliser import Normaliser
from ci_results.store.migrations import migrate
from ci_results.store.sqlite import SqliteStore, connect_for_writing

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = (
    "_testcase", "_item", "_commit", "_outbox", "_run", "_result", "_pair", "_run_pair", "_result_pair",
    "_daily", "_daily_source",
)  # fmt: skip


def results(count: int) -> Iterator[Result]:
    """Yield results as a harvest of Jenkins brings them: 200 of a run, 5,000 testcases, one item a run."""
    normaliser = Normaliser("ci", {"passed": "PASSED", "failed": "FAILED"})
    for n in range(count):
        number, case = divmod(n, 200)
        if case == 0:
            job = f"team{number % 7}/job{number % 25}"
            run = Run(
                key=f"{job}#{number}",
                ref_url=f"https://ci.example/{number}",
                data={"job": job, "task": str(number)},
            )
            ended = START + timedelta(minutes=number)
        yield normaliser(Observation(
            key=f"suite/case_{case}", testcase=f"team.{job}.suite.case_{case}",
            item=f"pkg{number % 500}-1.{number}-1.el10", item_type="koji_build",
            outcome="failed" if n % 11 == 0 else "passed", time=ended,
            duration_s=n % 97 / 10, note="AssertionError: 1 != 2" if n % 11 == 0 else None, run=run,
        ))  # fmt: skip


def ours(target: Path, count: int, batch: int) -> dict[str, float]:
    """Fill `target` through the store, pages of `batch` results."""
    made = list(results(count))
    store = SqliteStore.open(target)
    gc.freeze()  # what was prepared is not what is measured
    began, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, batch):
        store.commit_page(Page(source="ci", results=made[start : start + batch]))
    took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    store.close()
    return took | {"bytes": target.stat().st_size / count}


def same_rows(model: Path, batch: int) -> Iterator[tuple[str, list[str], list[list[tuple[object, ...]]]]]:
    """Yield each table's name, its columns, and its rows in as many batches as the store committed."""
    connection = sqlite3.connect(model)
    pages = connection.execute("select count(*) from _commit").fetchone()[0]
    for table in TABLES:
        found = connection.execute(f"select * from {table}")
        columns = [column[0] for column in found.description]
        rows = found.fetchall()
        size = max(1, -(-len(rows) // pages))
        yield table, columns, [rows[start : start + size] for start in range(0, len(rows), size)]
    connection.close()


def peer(kind: str, target: Path, model: Path, batch: int) -> dict[str, float]:
    """Insert the rows of `model` table by table, a commit for each of the store's pages."""
    tables = list(same_rows(model, batch))
    connection = connect_for_writing(target)
    migrate(connection)
    database = sqlite_utils.Database(connection)
    dicts = [
        (name, [[dict(zip(columns, row, strict=True)) for row in part] for part in parts])
        for name, columns, parts in tables
    ]
    if kind == "executemany":
        dicts = []
    gc.freeze()  # what was prepared is not what is measured
    began, cpu = time.perf_counter(), time.process_time()
    for page in range(max(len(parts) for _name, _columns, parts in tables)):
        if kind == "executemany":
            connection.execute("begin immediate")
            for name, columns, parts in tables:
                if page < len(parts):
                    connection.executemany(
                        f"insert into {name} values ({', '.join('?' * len(columns))})", parts[page]
                    )
            connection.execute("commit")
        else:
            for name, parts in dicts:
                if page < len(parts):
                    database[name].insert_all(parts[page], batch_size=batch)
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--url", default="postgresql://postgres@127.0.0.1/postgres")
    parser.add_argument("--model")
    parser.add_argument("--one")
    given = parser.parse_args()
    if given.store == "postgresql":
        on_postgresql(given)
    else:
        on_sqlite(given)


def on_postgresql(given: argparse.Namespace) -> None:
    """Compare the store on PostgreSQL with COPY."""
    import store_postgresql as other

    with other.schema(given.url) as target:
        if given.one:
            one_run(
                lambda: (
                    other.ours(target, given.results, given.batch)
                    if given.one == "ours"
                    else other.copied(target, given.model)
                )
            )
            return
        other.ours(target, given.results, given.batch)
        arguments = (
            "--store", "postgresql", "--url", given.url, "--results", str(given.results),
            "--batch", str(given.batch), "--model", target,
        )  # fmt: skip
        found = compare(__file__, ("ours", "COPY"), arguments, given.rounds)
    title = f"{given.results:,} results in pages of {given.batch:,} on PostgreSQL"
    print_table(title, other.COLUMNS, other.rows(found, given.results))


def on_sqlite(given: argparse.Namespace) -> None:
    """Compare the store on SQLite with its peers."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "results.db"
        if given.one == "ours":
            one_run(lambda: ours(target, given.results, given.batch))
        elif given.one:
            one_run(lambda: peer(given.one, target, Path(given.model), given.batch))
        else:
            ours(target, given.results, given.batch)
            size = target.stat().st_size / given.results
            names = ("ours", "executemany", "sqlite-utils")
            arguments = ("--results", str(given.results), "--batch", str(given.batch), "--model", str(target))
            found = compare(__file__, names, arguments, given.rounds)
            print_table(
                f"{given.results:,} results in pages of {given.batch:,}; {size:.0f} bytes a result",
                ("", "results/s", "wall s", "CPU s", "ours is (wall)", "ours is (CPU)"),
                [
                    (
                        name, given.results / it["wall"], it["wall"], it["cpu"],
                        f"{it['wall'] / found['ours']['wall']:.2f} x",
                        f"{it['cpu'] / found['ours']['cpu']:.2f} x",
                    )
                    for name, it in found.items()
                ],
            )  # fmt: skip


if __name__ == "__main__":
    main()
