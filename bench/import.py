"""A JUnit file to rows in SQLite: `ci-results report` against the script a user would write today.

    python bench/import.py [--megabytes 50] [--rounds 3]

The script reads with junitparser and writes a flat table with three indexes with sqlite-utils. Its
table and indexes stand already, as on every night but the first. It keeps neither identity (a
second run stores everything twice) nor a roll-up.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from junit import write_report
from measure import compare, one_run, print_table


def ours(report: Path, store: Path, *, twice: bool) -> dict[str, float]:
    """Import through the operation behind `ci-results report`; `twice` measures the second time."""
    from ci_results.operations.report import About
    from ci_results.operations.report import report as import_reports
    from ci_results.plugin.manager import load_plugins
    from ci_results.store.sqlite import SqliteStore

    about = About(item="bash-5.2-1.fc40", prefix="ns")
    plugins = load_plugins()
    with SqliteStore.open(store) as target:
        if twice:
            list(import_reports([str(report)], about, target, plugins))
        began, cpu = time.perf_counter(), time.process_time()
        (filed,) = import_reports([str(report)], about, target, plugins)
        took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    return took | {"rows": filed.counts.stored}


def script(report: Path, store: Path) -> dict[str, float]:
    """Import as a user's script does."""
    import junitparser
    import sqlite_utils

    began, cpu = time.perf_counter(), time.process_time()
    database = sqlite_utils.Database(store)
    table = database["results"]

    table.create({"testcase": str, "outcome": str, "item": str, "time": str, "duration": float, "note": str})
    for columns in (["testcase", "time"], ["item"], ["outcome", "time"]):
        table.create_index(columns)

    def rows() -> object:
        for suite in junitparser.JUnitXml.fromfile(str(report)):
            for case in suite:
                worst = next((one for one in case.result), None)
                yield {
                    "testcase": f"ns.{case.classname}.{case.name}",
                    "outcome": "PASSED" if worst is None else type(worst).__name__.upper(),
                    "item": "bash-5.2-1.fc40",
                    "time": suite.timestamp,
                    "duration": case.time,
                    "note": worst.text if worst is not None else None,
                }

    table.insert_all(rows(), batch_size=1000)
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "results.db"
        if given.one == "script":
            one_run(lambda: script(given.report, store))
        elif given.one:
            one_run(lambda: ours(given.report, store, twice=given.one == "ours, again"))
        else:
            report = Path(folder) / "junit.xml"
            cases = write_report(report, given.megabytes)
            found = compare(
                __file__, ("ours", "ours, again", "script"), ("--report", str(report)), given.rounds
            )
            first = found["ours"]
            print_table(
                f"{report.stat().st_size / 1e6:.0f} MB of JUnit, {cases:,} cases, to rows in SQLite",
                ("", "wall s", "CPU s", "cases/s (CPU)", "peak MB", "CPU against ours"),
                [
                    (
                        name,
                        it["wall"],
                        it["cpu"],
                        cases / it["cpu"],
                        it["rss_mb"],
                        f"{it['cpu'] / first['cpu']:.2f} x",
                    )
                    for name, it in found.items()
                ],
            )


if __name__ == "__main__":
    main()
