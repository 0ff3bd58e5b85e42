"""Our JUnit reader against a bare expat loop, and junitparser, on one generated file.

    python bench/junit.py [--megabytes 50] [--rounds 5] [--big]

The bare loop reads attributes and texts and makes nothing of them: what a strict parse costs in
Python at least. junitparser's loop makes of each case the least that an import needs: testcase,
outcome, duration and what the failure says. `--big` adds one round of ours and the bare loop on ten
times the size, for the memory; junitparser would need gigabytes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from measure import Figures, compare, one_run, print_table

CASES_PER_MB = 4_000
BLOCK_BYTES = 1 << 20
TRACE = "    def test_{0}():\n&gt;       assert compute({0}) == 42\nE       assert {0} == 42\n" * 20
OUTPUT = "".join(f"line {n} of what the test printed, which nobody reads\n" for n in range(6))


def write_report(target: Path, megabytes: int) -> int:
    """Write a report of about that size, as pytest writes them; return its number of cases.

    Of 100 cases 4 failed with a traceback of 2 kB, 2 were skipped, 25 printed 300 bytes.
    """
    cases = megabytes * CASES_PER_MB
    with target.open("w", encoding="utf-8") as out:
        out.write(
            '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest"'
        )
        out.write(f' errors="0" failures="{cases // 25}" skipped="{cases // 50}" tests="{cases}" time="99.1"')
        out.write(' timestamp="2026-03-01T12:00:00.123456+00:00" hostname="builder">')
        for n in range(cases):
            out.write(f'<testcase classname="tests.unit.area_{n // 5000}.test_module_{n // 100}"')
            out.write(f' name="test_part[{n:07d}-value-{n % 10}]" time="{n % 1000 / 1000:.3f}"')
            if n % 25 == 7:
                told = f"AssertionError: assert {n} == 42"
                out.write(f'><failure message="{told}">{TRACE.format(n)}</failure></testcase>')
            elif n % 50 == 8:
                told = "/src/test_part.py:1: not on this machine"
                out.write(f'><skipped type="pytest.skip" message="no kvm">{told}</skipped></testcase>')
            elif n % 4 == 1:
                out.write(f"><system-out>{OUTPUT}</system-out></testcase>")
            else:
                out.write(" />")
        out.write("</testsuite></testsuites>")
    return cases


def ours(report: Path) -> Figures:
    """Read every observation, with files for hashes as `ci-results report` has them."""
    from ci_results.domain.report import Report
    from ci_results.domain.run import Run
    from ci_results.formats.junit import JUnit

    about = Report(
        item="bash-5.2-1.fc40",
        item_type="koji_build",
        prefix="baseos",
        run=Run(key="run#1"),
        scratch=tempfile.TemporaryFile,
    )
    began, cpu, count = time.perf_counter(), time.process_time(), 0
    with report.open("rb") as stream:
        for _ in JUnit().read(stream, about):
            count += 1
    return _took(began, cpu, count - 1)


def bare(report: Path) -> Figures:
    """Feed expat, look at the three attributes, and add up the length of all texts."""
    from pyexpat import ParserCreate

    count = length = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count, length
        if tag == "testcase":
            count += 1
            length += len(attributes["classname"]) + len(attributes["name"]) + len(attributes["time"])

    def end(tag: str) -> None:
        pass

    def text(data: str) -> None:
        nonlocal length
        length += len(data)

    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    began, cpu = time.perf_counter(), time.process_time()
    with report.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            parser.Parse(block)
        parser.Parse(b"", True)
    return _took(began, cpu, count)


def peer(report: Path) -> Figures:
    """Read with junitparser what an import needs of each case."""
    import junitparser

    began, cpu, count = time.perf_counter(), time.process_time(), 0
    for suite in junitparser.JUnitXml.fromfile(str(report)):
        for case in suite:
            outcome, note = "passed", None
            for result in case.result:
                outcome, note = type(result).__name__.lower(), f"{result.message}\n{result.text}"
            _ = f"baseos.{case.classname}.{case.name}", outcome, case.time, note
            count += 1
    return _took(began, cpu, count)


def _took(began: float, cpu: float, count: int) -> Figures:
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "cases": count}


CANDIDATES = {"ours": ours, "bare expat loop": bare, "junitparser": peer}


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--one")
    given = parser.parse_args()
    if given.one:
        one_run(lambda: CANDIDATES[given.one](given.report))
        return
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        write_report(report, given.megabytes)
        rows += _rows(report, list(CANDIDATES), given.rounds)
        if given.big:
            write_report(report, given.megabytes * 10)
            rows += _rows(report, ["ours", "bare expat loop"], 1)
    print_table(
        f"JUnit XML, medians of {given.rounds} rounds; MB/s and cases/s are of CPU seconds",
        ("", "file MB", "cases", "wall s", "CPU s", "MB/s", "cases/s", "peak MB", "CPU against ours"),
        rows,
    )


def _rows(report: Path, names: list[str], rounds: int) -> list[tuple[object, ...]]:
    size = report.stat().st_size / 1e6
    found = compare(__file__, names, ("--report", str(report)), rounds)
    first = found["ours"]["cpu"]
    return [
        (
            name,
            round(size),
            int(it["cases"]),
            it["wall"],
            it["cpu"],
            size / it["cpu"],
            it["cases"] / it["cpu"],
            it["rss_mb"],
            f"{it['cpu'] / first:.2f} x",
        )
        for name, it in found.items()
    ]


if __name__ == "__main__":
    main()
