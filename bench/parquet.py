"""The same three questions to SQLite, PostgreSQL and DuckDB over an export, and what the export costs.

    python bench/parquet.py [--rows 1000000] [--rounds 3]

The questions are those of docs/parquet.md, on the public view `result` and on the files; all three must
give the same answer. Each is asked in turn, the first time in a fresh process; medians of the rounds.
PostgreSQL is left out where none answers at 127.0.0.1.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from generated import generate

from ci_results.operations.copy import copy
from ci_results.operations.export_parquet import export_parquet
from ci_results.query.dialect import POSTGRES, SQLITE

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
SCHEMA = "bench_parquet"
QUESTIONS = {
    "failures by day and namespace, 90 days": """
        select {day} as day, {namespace} as namespace, count(*) as results,
            sum(case when outcome in ('FAILED', 'ERROR') then 1 else 0 end) as bad
        from {results} r where time >= '2025-11-01' and superseded_by is null
        group by 1, 2 order by 1, 2
    """,
    "testcases that change most between two runs, 90 days": """
        with pairs as (
            select testcase, outcome,
                lag(outcome) over (partition by testcase, arch, scenario order by time, id) as before
            from {results} r where time >= '2025-11-01' and superseded_by is null
                and outcome in ('PASSED', 'FAILED')
        )
        select testcase, count(*) as runs, sum(case when outcome <> before then 1 else 0 end) as changes
        from pairs group by 1 order by 3 desc, 1 limit 20
    """,
    "testcases whose mean time grew most over a year": """
        with means as (
            select testcase, {month} as month, avg(duration_s) as mean from {results} r
            where superseded_by is null and duration_s > 0 group by 1, 2
        )
        select a.testcase, round(cast(b.mean / a.mean as numeric), 3) as growth from means a
        join means b on b.testcase = a.testcase
        where a.month = '2025-02' and b.month = '2026-01' order by 2 desc, 1 limit 20
    """,
}


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, postgresql() as server:
        path, parquet = Path(folder) / "results.db", Path(folder) / "parquet"
        generate(path, given.rows)
        url = f"sqlite:{path}"
        print_export(url, path, parquet)
        engines = {"SQLite": sqlite(path), "DuckDB": duck(parquet)}
        if server is not None:
            copy(url, server)
            engines["PostgreSQL"] = postgres(server)
        print(
            f"{'milliseconds, ' + format(given.rows, ',') + ' results':56}",
            *(f"{name:>12}" for name in engines),
        )
        for question, sql in QUESTIONS.items():
            answers = {name: measured(ask, sql, given.rounds) for name, ask in engines.items()}
            said = {str([tuple(map(plain, row)) for row in rows]) for _, rows in answers.values()}
            assert len(said) == 1, f"{question}: the answers differ: {[answer[:300] for answer in said]}"
            print(f"{question:56}", *(f"{taken:12.0f}" for taken, _ in answers.values()))


def print_export(url: str, path: Path, parquet: Path) -> None:
    """Export in a fresh process; print its rate, memory and size."""
    code = (
        "import sys, time; from pathlib import Path;"
        "from ci_results.operations.export_parquet import export_parquet; import pyarrow.parquet;"
        "peak = lambda: Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0];"
        "before = peak(); t = time.process_time();"
        "done = export_parquet(sys.argv[1], Path(sys.argv[2]));"
        "print(sum(done.rows.values()), time.process_time() - t, before, peak())"
    )
    words = [sys.executable, "-c", code, url, str(parquet)]
    rows, cpu, before, peak = subprocess.run(words, capture_output=True, check=True, text=True).stdout.split()
    began = time.perf_counter()
    export_parquet(url, parquet)
    again = time.perf_counter() - began
    size = sum(file.stat().st_size for file in parquet.glob("*/*/*.parquet"))
    print(f"export: {int(rows) / float(cpu):,.0f} results a CPU second; without news {again * 1000:.0f} ms")
    print(f"memory: {int(before) / 1024:.0f} MB before, {int(peak) / 1024:.0f} MB at most")
    print(f"files:  {size / 1e6:.0f} MB; the SQLite file has {path.stat().st_size / 1e6:.0f} MB\n")


def measured(ask: Callable[[str], list[Any]], sql: str, rounds: int) -> tuple[float, list[Any]]:
    """Return the median of milliseconds, and the answer."""
    taken, rows = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        rows = ask(sql)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), rows


def plain(value: Any) -> Any:
    """Return a number as all three would print it."""
    return value if isinstance(value, str) or value is None else round(float(value), 3)


def sqlite(path: Path) -> Callable[[str], list[Any]]:
    """Ask the file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    words = {
        "results": "result", "day": "substr(time, 1, 10)", "month": "substr(time, 1, 7)",
        "namespace": SQLITE.first_word("testcase"),
    }  # fmt: skip
    return lambda sql: connection.execute(sql.format(**words)).fetchall()


def postgres(url: str) -> Callable[[str], list[Any]]:
    """Ask the server."""
    import psycopg

    connection = psycopg.connect(url, autocommit=True)
    words = {
        "results": "result", "day": "substr(time, 1, 10)", "month": "substr(time, 1, 7)",
        "namespace": POSTGRES.first_word("testcase"),
    }  # fmt: skip
    return lambda sql: connection.execute(sql.format(**words)).fetchall()


def duck(parquet: Path) -> Callable[[str], list[Any]]:
    """Ask the files."""
    engine = duckdb.connect()
    words = {
        "results": f"read_parquet('{parquet}/*/*/*.parquet', hive_partitioning = true)",
        "day": "strftime(time, '%Y-%m-%d')", "month": "month", "namespace": "namespace",
    }  # fmt: skip
    return lambda sql: engine.execute(sql.format(**words)).fetchall()


@contextmanager
def postgresql() -> Iterator[str | None]:
    """Give the URL of an empty place, gone afterwards; None where there is no server."""
    import psycopg

    try:
        admin = psycopg.connect(SERVER, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        yield None
        return
    with admin:
        admin.execute(f"drop schema if exists {SCHEMA} cascade".encode())
        admin.execute(f"create schema {SCHEMA}".encode())
        try:
            yield f"{SERVER}?options=-csearch_path%3D{SCHEMA}"
        finally:
            admin.execute(f"drop schema {SCHEMA} cascade".encode())


if __name__ == "__main__":
    main()
