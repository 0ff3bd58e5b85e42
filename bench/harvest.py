"""A harvest of a Jenkins master, against the python-jenkins loop that a user would write today.

    python bench/harvest.py [--rounds 3] [--delay-ms 0 30] [--parallel 8]
    python bench/harvest.py --fleet [--masters 14] [--jobs 200] [--builds 50] [--cases 5]

The loop asks one thing after the other: all jobs, each job with all its builds, info and report of
each build. Both harvest the same recorded master, served by a process of its own, each into an empty
SQLite file in a fresh process; the clock starts when the imports are done. The loop's table has no
indexes; its rows are compared with ours, whole.

With --fleet, many generated masters are harvested at once: what a whole company's night costs.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measure import Figures, fresh_run, medians, one_run, print_table

RECORDING = Path(__file__).parents[1] / "examples" / "masters" / "master.ndjson.xz"
HELD_BACK = {"rpm/f42/tier1/openssl-functional": 47, "rpm/f42/rpmgrill": 32, "long-history": 342}
"""The builds after these come later: four in each of three jobs."""
COLUMNS = "run, testcase, outcome, item, time"
_CONTROL = re.compile(r"[\x00-\x1f]")


def configuration(urls: Sequence[str], parallel: int) -> str:
    """Return the text of a configuration with a source for each master."""
    return "\n".join(
        f'[source.master-{number:02d}]\ncollector = "jenkins"\nurl = "{url}"\nparallel = {parallel}\n'
        'item = [{ find = "parameter", name = "NVR" }]\n'
        for number, url in enumerate(urls)
    )


def ours(urls: Sequence[str], store: Path, parallel: int) -> dict[str, float]:
    """Harvest with the operation behind `ci-results harvest`."""
    from ci_results.config import build_sources, read_config
    from ci_results.operations.harvest import harvest
    from ci_results.plugin.manager import load_plugins
    from ci_results.store.sqlite import SqliteStore

    plugins = load_plugins()
    began, cpu = time.perf_counter(), time.process_time()
    config = read_config(configuration(urls, parallel), store.with_suffix(".toml"))
    with SqliteStore.open(store) as target:
        reports = harvest(build_sources((), config, plugins.collectors), target, plugins)
    took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    for report in reports:
        assert report.ok, report
    return took | {
        "results": sum(report.counts.stored for report in reports),
        "quarantined": sum(report.counts.quarantined for report in reports),
        "requests sent": sum(report.requests for report in reports),
    }


def loop(url: str, store: Path) -> dict[str, float]:
    """Harvest as a user's script does."""
    import jenkins

    began, cpu = time.perf_counter(), time.process_time()
    server = jenkins.Jenkins(url)
    with closing(sqlite3.connect(store)) as database:
        database.execute("create table result (run, testcase, outcome, item, time)")
        for job in server.get_all_jobs():
            if "jobs" in job:  # a folder
                continue
            for build in server.get_job_info(job["fullname"], fetch_all_builds=True)["builds"]:
                info = server.get_build_info(job["fullname"], build["number"])
                report = server.get_build_test_report(job["fullname"], build["number"])
                if not info["building"] and info["result"]:
                    rows = rows_of_build(job["fullname"], info, report)
                    database.executemany("insert into result values (?, ?, ?, ?, ?)", rows)
            database.commit()
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}


WORDS = {
    "SUCCESS": "PASSED", "UNSTABLE": "FAILED", "FAILURE": "FAILED", "ABORTED": "ERROR",
    "NOT_BUILT": "NEEDS_INSPECTION", "PASSED": "PASSED", "FIXED": "PASSED", "FAILED": "FAILED",
    "REGRESSION": "FAILED", "SKIPPED": "INFO",
}  # fmt: skip


def rows_of_build(
    job: str, info: Mapping[str, Any], report: Mapping[str, Any] | None
) -> Iterator[tuple[str, ...]]:
    """Yield the row of a build and those of its cases, as the script writes them."""
    run = f"{job}#{info['number']}"
    parameters = [one for action in info["actions"] if action for one in action.get("parameters") or ()]
    item = next((one["value"] for one in parameters if one["name"] == "NVR"), None) or run
    ended = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=info["timestamp"] + info["duration"])
    when = f"{ended:%Y-%m-%dT%H:%M:%S.%f}"
    testcase = f"ci.{job.replace('/', '.')}"
    yield run, testcase, WORDS[info["result"]], item, when
    results = [report] if report else []
    if report and "childReports" in report:  # a matrix; it lists children of earlier builds too
        children = report["childReports"]
        results = [one["result"] for one in children if one["child"]["number"] == info["number"]]
    for result in results:
        for suite in result["suites"]:
            for case in suite["cases"]:
                name = ".".join(part for part in (testcase, case["className"], case["name"]) if part)
                yield run, name, WORDS[case["status"]], item, when


# -- the masters -------------------------------------------------------------------------------------


def serve(given: argparse.Namespace) -> None:
    """Serve masters and print their addresses; on each line of stdin, say what was asked since the last.

    A line is a JSON object of what to change of all masters: {"delay_s": 0.03}.
    """
    from ci_results_jenkins.generated_master import GeneratedMaster
    from ci_results_jenkins.recorded_master import RecordedMaster

    masters = (
        [
            GeneratedMaster(f"m{number:02d}", jobs=given.jobs, builds=given.builds, cases=given.cases)
            for number in range(given.masters)
        ]
        if given.fleet
        else [RecordedMaster(RECORDING)]
    )
    with ExitStack() as held:
        print(json.dumps([held.enter_context(master.serve()).url for master in masters]), flush=True)
        for line in sys.stdin:
            asked = [target for master in masters for _method, target in master.asked]
            reports = sum("/testReport/" in target for target in asked)
            counts = {"requests": len(asked), "reports": reports, "bytes": sum(m.sent_bytes for m in masters)}
            for master in masters:
                master.asked.clear()
                master.sent_bytes = 0
                for name, value in json.loads(line).items():
                    setattr(master, name, value)
            print(json.dumps(counts), flush=True)


class Masters:
    """The process that serves the masters."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.urls: list[str] = self._read()

    def asked(self, **change: Any) -> dict[str, int]:
        """Return what was asked since the last call, and change all masters."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(change)}\n")
        self._process.stdin.flush()
        counts: dict[str, int] = self._read()
        return counts

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def masters(*arguments: str) -> Iterator[Masters]:
    """Serve masters in a process of their own until the block ends."""
    command = [sys.executable, __file__, "--serve", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Masters(process)
    finally:
        process.kill()
        process.communicate()


# -- the tables --------------------------------------------------------------------------------------


def run(served: Masters, name: str, store: Path, parallel: int) -> Figures:
    """Harvest in a fresh process; return its figures with the masters' counts."""
    served.asked()
    arguments = ("--store", str(store), "--parallel", str(parallel), "--url", *served.urls)
    return fresh_run(__file__, name, arguments) | served.asked()


def rows_of(store: Path, where: str = "true") -> Counter[tuple[Any, ...]]:
    """Return the rows of a store, with how often each is there; names are written on one line."""
    with closing(sqlite3.connect(store)) as database:
        rows = database.execute(f"select {COLUMNS} from result where {where}")
        return Counter((run, _CONTROL.sub(" ", testcase), *rest) for run, testcase, *rest in rows)


def against_the_loop(served: Masters, folder: Path, delay_ms: float, given: argparse.Namespace) -> None:
    """Print the table of one delay, and whether both have the same rows."""
    names = ("ours", "loop")
    runs: dict[str, list[Figures]] = {name: [] for name in names}
    served.asked(delay_s=delay_ms / 1000)
    for number in range(given.rounds):
        for name in names:
            store = folder / f"{name}-{delay_ms}-{number}.db"
            runs[name].append(run(served, name, store, given.parallel))
    found = {name: medians(many) for name, many in runs.items()}
    stores = {name: folder / f"{name}-{delay_ms}-{given.rounds - 1}.db" for name in names}
    builds = len({row[0] for row in rows_of(stores["loop"])})
    peer = found["loop"]
    print_table(
        f"A recorded master of {builds} finished builds, {delay_ms:g} ms added to each response",
        (
            "", "requests", "MB", "builds/s", "wall s", "CPU s", "peak MB", "requests : loop",
            "builds/s : loop",
        ),
        [
            (
                f"ours, {given.parallel} in flight" if name == "ours" else "python-jenkins loop",
                int(it["requests"]), it["bytes"] / 1e6, builds / it["wall"], it["wall"], it["cpu"],
                it["rss_mb"], it["requests"] / peer["requests"], f"{peer['wall'] / it['wall']:.1f} x",
            )
            for name, it in found.items()
        ],
    )  # fmt: skip
    mine, theirs = rows_of(stores["ours"], "outcome <> 'RUNNING'"), rows_of(stores["loop"])
    running = rows_of(stores["ours"], "outcome = 'RUNNING'").total()
    print(
        f"same rows ({COLUMNS}): {'yes' if mine == theirs else 'NO'}; ours {mine.total():,},"
        f" loop {theirs.total():,}, in one only {(mine - theirs).total()} and {(theirs - mine).total()}."
        f" Left out: our {running} rows of running builds, which the loop passes over,"
        f" and {found['ours']['quarantined']:.0f} records that we quarantined. Tabs and line ends in"
        " testcases, which we store as spaces, count as spaces in both."
    )
    for row in [*(mine - theirs), *(theirs - mine)][:4]:
        print("  differs:", row)


def incremental(served: Masters, folder: Path, given: argparse.Namespace) -> None:
    """Print what a harvest asks for where a few builds are new, and where none is."""
    store = folder / "incremental.db"
    rows = []
    served.asked(delay_s=0.0, until=HELD_BACK)
    run(served, "ours", store, given.parallel)
    for title, builds, moved in (("12 new builds in 3 jobs", 12, 3), ("nothing new", 0, 0)):
        before = {row[0] for row in rows_of(store)}
        reported = {row[0] for row in rows_of(store, "key <> 'build'")}
        served.asked(until={})
        it = run(served, "ours", store, given.parallel)
        new = {row[0] for row in rows_of(store)} - before
        assert len(new) == builds, new
        reports = len({row[0] for row in rows_of(store, "key <> 'build'")} - reported)
        rows.append((title, int(it["requests"]), 1 + moved + reports, reports, it["wall"], it["cpu"]))
    print_table(
        "Ours again: one request for the head, one for each job that moved, one for each new report",
        ("", "requests", "expected", "new reports", "wall s", "CPU s"),
        rows,
    )


def fleet(given: argparse.Namespace, folder: Path) -> None:
    """Harvest a generated fleet once, and print the table."""
    sizes = [f"--{name}={getattr(given, name)}" for name in ("masters", "jobs", "builds", "cases")]
    with masters("--fleet", *sizes) as served:
        it = run(served, "ours", folder / "fleet.db", given.parallel)
    size = sum(path.stat().st_size for path in folder.glob("fleet.db*"))
    print_table(
        f"{given.masters} masters x {given.jobs} jobs x {given.builds} builds x {given.cases} cases,"
        f" {given.parallel} requests in flight to each",
        (
            "results", "requests", "MB received", "wall s", "CPU s", "results/s", "builds/s", "peak MB",
            "store MB",
        ),
        [
            (
                f"{it['results']:,.0f}", int(it["requests"]), it["bytes"] / 1e6, it["wall"], it["cpu"],
                it["results"] / it["wall"], given.masters * given.jobs * given.builds / it["wall"],
                it["rss_mb"], size / 1e6,
            )
        ],
    )  # fmt: skip


def main() -> None:
    """Compare, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay-ms", type=float, nargs="+", default=[0, 30])
    parser.add_argument("--parallel", type=int, help="requests in flight to a master: 8, of a fleet 4 each")
    parser.add_argument("--fleet", action="store_true")
    for name, size in (("masters", 14), ("jobs", 200), ("builds", 50), ("cases", 5)):
        parser.add_argument(f"--{name}", type=int, default=size)
    for name in ("--one", "--store", "--url"):
        parser.add_argument(name, nargs="+" if name == "--url" else None, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.parallel = given.parallel or (4 if given.fleet else 8)
    if given.serve:
        serve(given)
    elif given.one == "ours":
        one_run(lambda: ours(given.url, Path(given.store), given.parallel))
    elif given.one:
        one_run(lambda: loop(given.url[0], Path(given.store)))
    else:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if given.fleet:
                fleet(given, folder)
                return
            with masters() as served:
                for warm in ("ours", "loop"):  # the server keeps its answers: both meet it warm
                    run(served, warm, folder / f"warm-{warm}.db", given.parallel)
                for delay_ms in given.delay_ms:
                    against_the_loop(served, folder, delay_ms, given)
                incremental(served, folder, given)


if __name__ == "__main__":
    main()
