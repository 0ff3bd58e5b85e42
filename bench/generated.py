"""Fill a database with N made-up results, always the same ones, as fast as SQLite takes them.

For benchmarks and tests of what reads the store; nothing here goes through the writer. The rows
are shaped like a year of a fleet's: builds of 50 cases, a few flaky testcases, a few slow ones,
a source that went silent, jobs that never published, and records in quarantine.
"""

from __future__ import annotations

import math
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from ci_results.domain.outcome import Outcome
from ci_results.store.identity import to_text
from ci_results.store.migrations import MIGRATIONS

Row = TypeVar("Row")
STORE = Path(__file__).resolve().parent.parent / "ci_results" / "store"
DAY_US = 86_400_000_000
END = datetime(2026, 1, 31, 12, tzinfo=UTC)
BAD_DAYS = (3, 4)
WEEKLY = 0.55
"""How much busier than the mean a day in mid-week is, and how much calmer a Sunday."""
SPAN_DAYS = 365
CASES = 50
JOBS = 100
SOURCES = ("baseos", "kernel", "desktop", "containers", "installer", "network", "virt")
COMPONENTS = (
    "bash",
    "kernel",
    "openssl",
    "glibc",
    "systemd",
    "podman",
    "libreswan",
    "anaconda",
    "qemu-kvm",
    "gcc",
)
ARCHES = ("x86_64", "aarch64", "ppc64le", "s390x")
AREAS = (
    "install",
    "boot",
    "smoke",
    "functional",
    "regression",
    "upgrade",
    "network",
    "storage",
    "security",
    "perf",
)
NOTES = (None, None, "1 of 12 assertions failed: expected 0, got 1", "timed out after 600 s", None)
OUTCOMES = {word: number for number, word in enumerate(Outcome, start=1)}
RAW = b'<?xml version="1.0"?>\n<testsuite name="tier1">\n <testcase name="a"/>\n <testcase name="<b>"/>\n'
BATCH = 20_000
_RESULT_COLUMNS = (
    "id, seq, source, run, testcase, item, variant, outcome, rank, submit_time, duration, note, ref_url,"
    " data, key, identity, digest, time"
)
RESULT = f"insert into _result ({_RESULT_COLUMNS}) values ({', '.join('?' * 18)})"
RUN = "insert into _run (id, seq, source, key, rank, ref_url, data) values (?, ?, ?, ?, ?, ?, ?)"
COMMIT = (
    "insert into _commit (seq, received_at, source, door, last_result, results, quarantined)"
    " values (?, ?, ?, 'harvest', ?, ?, 0)"
)
JOB = "insert into _job (source, name, state, last_build, last_report) values (?, ?, ?, ?, ?)"


def generate(path: Path, rows: int, *, span_days: int = SPAN_DAYS, end: datetime = END) -> Path:
    """Write a database of `rows` results to `path` (must not exist) and analyse it; return `path`.

    The results spread over `span_days` days until `end`, more of them in mid-week, more failures
    on some days.
    """
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma page_size=8192")
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=off")
    db.execute("pragma cache_size=-262144")
    later = _create_tables(db)
    times = _Times(rows // CASES + 1, span_days, int(end.timestamp()) * 1_000_000)
    db.execute("begin")
    _small_tables(db, rows, times)
    for batch in _batches(_results(rows, times)):
        db.executemany(RESULT, batch)
    db.execute("commit")
    for statement in later:
        db.execute(statement)
    _roll_up(db)
    db.execute("pragma analysis_limit=1000")
    db.execute("analyze")
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    return path


def item_name(number: int) -> str:
    """Return the name of the `number`-th item, e.g. "bash-5.0-3.fc40"."""
    component = COMPONENTS[number % len(COMPONENTS)]
    return f"{component}-{5 + number // 5000}.{number // 100 % 50}-{1 + number // 10 % 10}.fc40"


def testcase_name(number: int) -> str:
    """Return the name of the `number`-th testcase, e.g. "baseos.bash.smoke.case07"."""
    job, case = divmod(number, CASES)
    source, component = SOURCES[job % len(SOURCES)], COMPONENTS[job % len(COMPONENTS)]
    return f"{source}.{component}.{AREAS[job // 10 % 10]}.case{case:02d}"


testcase_name.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test


class _Times:
    """When each run ended: evenly but for the days of the week."""

    def __init__(self, runs: int, span_days: int, end: int) -> None:
        self.end = end
        self._runs = runs
        self._span = span_days * DAY_US
        self._weeks = max(span_days // 7, 1) * 2 * math.pi

    def rank(self, run: int) -> int:
        """Return microseconds since 1970; grows with `run`."""
        part = (run + 1) / self._runs
        part -= WEEKLY * math.sin(self._weeks * part) / self._weeks
        return self.end - self._span + round(part * self._span)


def _create_tables(db: sqlite3.Connection) -> list[str]:
    """Create tables and views; return the indexes and triggers, which go faster at the end."""
    later = []
    for name in MIGRATIONS:
        for statement in _statements((STORE / name).read_text(encoding="utf-8")):
            if re.search("^(create|alter) table", statement, re.MULTILINE):
                db.execute(statement)
            elif "update _result set" not in statement:
                later.append(statement)
    db.executescript((STORE / "views.sql").read_text(encoding="utf-8"))
    return later


def _statements(script: str) -> Iterator[str]:
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""


def _small_tables(db: sqlite3.Connection, rows: int, times: _Times) -> None:
    db.executemany(
        "insert or ignore into _outcome (id, word) values (?, ?)", [(n, w) for w, n in OUTCOMES.items()]
    )
    db.execute("insert or replace into _meta values ('schema', ?)", (str(len(MIGRATIONS)),))
    db.executemany(
        "insert into _source (id, name, collector, url, owner, contact, last_try, last_ok, last_error)"
        " values (?, ?, 'jenkins', ?, ?, ?, ?, ?, ?)",
        [
            (
                number,
                name,
                f"https://jenkins-{name}.example.com/",
                f"{name}-qe",
                f"{name}-qe@example.com",
                times.end,
                times.end - (3 * DAY_US if name == "virt" else number * 60_000_000),
                "HTTP 403: the token lacks Job/Read" if name == "virt" else None,
            )
            for number, name in enumerate(SOURCES, start=1)
        ],
    )
    db.executemany(
        "insert into _testcase (id, name, owner) values (?, ?, ?)",
        [
            (n + 1, testcase_name(n), f"{SOURCES[n // CASES % len(SOURCES)]}-qe")
            for n in range(min(JOBS * CASES, max(rows, CASES)))
        ],
    )
    db.executemany("insert or ignore into _variant values (?, '', ?)", [(0, ""), *enumerate(ARCHES, start=1)])
    runs = rows // CASES + 1
    db.executemany(
        "insert into _item (id, type, name, nvr, component) values (?, 'koji_build', ?, ?, ?)",
        [(n + 1, item_name(n), item_name(n), COMPONENTS[n % len(COMPONENTS)]) for n in range(runs // 5 + 1)],
    )
    for batch in _batches(_runs(runs, times)):
        db.executemany(RUN, batch)
        db.executemany(
            COMMIT,
            [(seq, rank, source, min(seq * CASES, rows), CASES) for _, seq, source, _, rank, _, _ in batch],
        )
    db.executemany(JOB, _jobs(times.end))
    db.executemany(
        "insert into _quarantine (seq, source, door, kind, key, position, reason, raw, digest, received_at)"
        " values (?, ?, 'harvest', 'report', ?, 'line 4', ?, ?, ?, ?)",
        [
            (
                n + 1,
                n % len(SOURCES) + 1,
                f"rpm/tier1#{n}",
                "not well-formed (invalid token)",
                RAW,
                n,
                times.end - n * 3_600_000_000,
            )
            for n in range(12)
        ],
    )


def _run_of(number: int) -> tuple[int, int]:
    """Return the job (0..99) of a run, and a number that looks random and never changes."""
    noise = (number * 2_654_435_761 + 12_345) % 4_294_967_296
    return (noise >> 7) % JOBS, noise


def _runs(runs: int, times: _Times) -> Iterator[tuple[int, int, int, str, int, str, str]]:
    for number in range(runs):
        job, _ = _run_of(number)
        source = job % len(SOURCES)
        name = _job_name(job)
        url = f"https://jenkins-{SOURCES[source]}.example.com/job/{name}/{number}/"
        rank = times.rank(number)
        yield (number + 1, number + 1, source + 1, f"{name}#{number}", rank, url, f'{{"job": ["{name}"]}}')


def _job_name(job: int) -> str:
    return f"{COMPONENTS[job % len(COMPONENTS)]}-{AREAS[job // 10 % 10]}-runtest"


def _jobs(end: int) -> Iterator[tuple[object, ...]]:
    for job in range(JOBS):
        yield (
            job % len(SOURCES) + 1,
            _job_name(job),
            "active",
            end - job * 60_000_000,
            end - job * 60_000_000,
        )
    for number, source in enumerate(SOURCES, start=1):
        yield (number, f"{source}-nightly", "active", end - number * DAY_US, None)
        yield (number, f"{source}-retired", "disabled", None, None)


def _results(rows: int, times: _Times) -> Iterator[tuple[object, ...]]:
    passed, failed = OUTCOMES[Outcome.PASSED], OUTCOMES[Outcome.FAILED]
    error, look, info = OUTCOMES[Outcome.ERROR], OUTCOMES[Outcome.NEEDS_INSPECTION], OUTCOMES[Outcome.INFO]
    testcases = min(JOBS * CASES, max(rows, CASES))
    for number in range(rows):
        run, case = divmod(number, CASES)
        if case == 0:
            time = to_text(times.rank(run))
        job, noise = _run_of(run)
        testcase = (job * CASES + case) % testcases
        dice = (noise ^ (number * 40_503)) % 1000
        bad = 300 if testcase % 37 == 5 else 900 if testcase % 499 == 7 else 12
        rank = times.rank(run)
        if rank // DAY_US % 11 in BAD_DAYS:
            bad += 130
        if dice < bad:
            outcome = failed if dice % 5 else error
        elif dice > 992:
            outcome = look
        else:
            outcome = info if case == 49 else passed
        yield (
            number + 1,
            run + 1,
            job % len(SOURCES) + 1,
            run + 1,
            testcase + 1,
            run // 5 + 1,
            run % len(ARCHES) + 1,
            outcome,
            rank,
            None,
            (testcase % 97 + 1) * 0.13 * (40 if testcase % 211 == 3 else 1) + dice * 0.001,
            NOTES[dice % len(NOTES)] if outcome in (failed, error) else None,
            None,
            None,
            f"case{case:02d}",
            number * 2_654_435_761 % 9_223_372_036_854_775_807,
            number,
            time,
        )


def _roll_up(db: sqlite3.Connection) -> None:
    db.execute(
        f"insert into _daily select testcase, rank / {DAY_US}, outcome, count(*), sum(coalesce(duration, 0))"
        " from _result group by 2, 1, 3"
    )
    db.execute(
        f"insert into _daily_source select rank / {DAY_US}, source, outcome, count(*)"
        " from _result group by 1, 2, 3"
    )


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


if __name__ == "__main__":
    began = time.perf_counter()
    made = generate(Path(sys.argv[1]), int(sys.argv[2]))
    print(f"{made}: {made.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - began:.1f} s")
