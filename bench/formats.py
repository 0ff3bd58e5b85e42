"""Our readers beside the library that reads the same format, or the least that reading it costs.

    python bench/formats.py [--megabytes 10] [--rounds 3] [--only junit,tap] [--big]

Where a kept library reads a format it is the peer, and makes of each record what an import needs:
its name, its outcome, what it says. Else the peer is what the bytes cost in Python at least:
lxml's iterparse, orjson, PyYAML in C, csv, or the lines of the file, of which nothing is made.
"CPU against ours" above 1: the peer needs more. `--big` reads 50 and 500 MB of JUnit and TAP
instead, to show that memory does not grow; the files are temporary.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryFile

from measure import Figures, compare, one_run, print_table
from reports import A_LINE_A_DOCUMENT, REPORTS, documents, write

BIG = ("junit", "tap")


def ours(name: str, report: Path) -> int:
    """Read every observation."""
    from ci_results.domain.report import Report
    from ci_results.domain.run import Run
    from ci_results.plugin.builtin import register_formats

    (reader,) = (each for each in register_formats() if each.name == name)
    about = Report(
        item="bash-5.2-1.fc40",
        item_type="koji_build",
        prefix="baseos",
        run=Run(key="run#1"),
        scratch=TemporaryFile,
    )
    if name in A_LINE_A_DOCUMENT:
        return sum(_count(reader.read(io.BytesIO(document), about)) for document in documents(report))
    with report.open("rb") as stream:
        return _count(reader.read(stream, about))


def junitparser(report: Path) -> int:
    """What an import needs of each case."""
    import junitparser

    count = 0
    for suite in junitparser.JUnitXml.fromfile(str(report)):
        for case in suite:
            outcome, note = "passed", None
            for result in case.result:
                outcome, note = type(result).__name__.lower(), f"{result.message}\n{result.text}"
            _ = f"baseos.{case.classname}.{case.name}", outcome, case.time, note
            count += 1
    return count


def robot_api(report: Path) -> int:
    """What an import needs of each test, by Robot Framework itself."""
    from robot.api import ExecutionResult

    result = ExecutionResult(str(report), include_keywords=False)
    return _count((test.full_name, test.status, test.message) for test in result.suite.all_tests)


def tap_py(report: Path) -> int:
    """What an import needs of each test."""
    from tap.parser import Parser

    lines = Parser().parse_file(str(report))
    return sum(line.category == "test" and bool((line.description, line.ok)) for line in lines)


def lxml_iterparse(report: Path) -> int:
    """The elements, each let go of as it ends."""
    from lxml import etree

    count = 0
    for _, element in etree.iterparse(str(report), events=("end",), huge_tree=True):
        count += 1
        if element.getparent() is not None and element.getparent().getparent() is not None:
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return count


def lxml_dicts(report: Path) -> int:
    """What an import needs of each JUnit case, as a dict each: the least that such a reader costs."""
    from lxml import etree

    count = 0
    for _, case in etree.iterparse(str(report), events=("end",), tag="testcase", huge_tree=True):
        outcome, note = "passed", None
        for inside in case:
            if inside.tag in ("failure", "error", "skipped"):
                outcome, note = inside.tag, f"{inside.get('message')}\n{inside.text}"
        classname, name = case.get("classname"), case.get("name")
        _ = {
            "key": f"{classname}::{name}", "testcase": f"baseos.{classname}.{name}", "outcome": outcome,
            "item": "bash-5.2-1.fc40", "item_type": "koji_build", "time": None, "note": note,
            "duration_s": float(case.get("time", 0)), "parent": "overall", "data": {}, "run": "run#1",
        }  # fmt: skip
        count += 1
        case.clear()
        while case.getprevious() is not None:
            del case.getparent()[0]
    return count


def orjson_whole(report: Path) -> int:
    """The document, all of it in memory."""
    import orjson

    return len(orjson.loads(report.read_bytes()))


def orjson_lines(report: Path) -> int:
    """A document a line."""
    import orjson

    return _count(map(orjson.loads, documents(report)))


def ijson_events(report: Path) -> int:
    """The events of a streaming parser, of which nothing is made."""
    import ijson

    with report.open("rb") as stream:
        return _count(ijson.basic_parse(stream, use_float=True))


def pyyaml(report: Path) -> int:
    """The document, by the parser in C, with texts only."""
    import yaml

    with report.open("rb") as stream:
        return len(yaml.load(stream, Loader=yaml.CBaseLoader))  # noqa: S506 - it makes nothing but texts


def dict_reader(report: Path) -> int:
    """The rows."""
    with report.open(newline="", encoding="utf-8") as stream:
        return _count(csv.DictReader(stream))


def text_lines(report: Path) -> int:
    """The lines, decoded."""
    with report.open(encoding="utf-8") as stream:
        return _count(stream)


def _count(things: Iterable[object]) -> int:
    return sum(1 for _ in things)


Peer = Callable[[Path], int]
XML: dict[str, Peer] = {"lxml iterparse": lxml_iterparse}
JSON: dict[str, Peer] = {"orjson": orjson_whole, "ijson events": ijson_events}
DOCUMENTS: dict[str, Peer] = {"orjson": orjson_lines}
YAML: dict[str, Peer] = {"PyYAML in C": pyyaml}
LINES: dict[str, Peer] = {"decoded lines": text_lines}
PEERS: dict[str, dict[str, Peer]] = {
    "junit": {"junitparser": junitparser, "lxml, a dict a case": lxml_dicts, **XML},
    "robot": {"robot.api": robot_api, **XML},
    "tap": {"tap.py": tap_py, **LINES},
    "manual_csv": {"csv.DictReader": dict_reader},
    "go_test": {"orjson a line": orjson_lines},
    **dict.fromkeys(
        ("nunit", "xunit_net", "trx", "beaker", "nitrate", "rpmgrill_xml", "ctest", "unit_xml", "allure_xml"),
        XML,
    ),
    **dict.fromkeys(A_LINE_A_DOCUMENT, DOCUMENTS),
    **dict.fromkeys(("tmt", "rpmgrill_yaml"), YAML),
    **dict.fromkeys(("csdiff_text", "rpmdiff_text", "rpminspect_text", "rpmlint"), LINES),
}
"""All others are JSON."""


def measured(name: str, candidate: str, report: Path) -> Figures:
    """Read once, after a report of one record, so that what is imported for it does not count."""
    read = {"ours": lambda path: ours(name, path), **PEERS.get(name, JSON)}[candidate]
    small = report.with_name("small")
    write(small, REPORTS[name], 0)
    read(small)
    began, cpu = time.perf_counter(), time.process_time()
    count = read(report)
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "count": count}


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(REPORTS))
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--format")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--one")
    given = parser.parse_args()
    if given.one:
        one_run(lambda: measured(given.format, given.one, given.report))
        return
    rows: list[tuple[object, ...]] = []
    for name in BIG if given.big else given.only.split(","):
        for megabytes in (50, 500) if given.big else (given.megabytes,):
            rows += _rows(name, megabytes, given)
    print_table(
        f"Report formats, medians of {1 if given.big else given.rounds} rounds; MB/s are of CPU seconds",
        ("format", "read by", "MB", "records", "wall s", "CPU s", "MB/s", "peak MB", "CPU against ours"),
        rows,
    )


def _rows(name: str, megabytes: int, given: argparse.Namespace) -> list[tuple[object, ...]]:
    peers = list(PEERS.get(name, JSON))
    if given.big:
        peers = peers[1:]  # the first would need gigabytes, or hours
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / name
        records = write(report, REPORTS[name], megabytes)
        size = report.stat().st_size / 1e6
        arguments = ("--format", name, "--report", str(report))
        found = compare(__file__, ["ours", *peers], arguments, 1 if given.big else given.rounds)
    return [
        (
            name if reader == "ours" else "",
            reader,
            round(size),
            records,
            it["wall"],
            it["cpu"],
            size / max(it["cpu"], 0.001),
            it["rss_mb"],
            f"{it['cpu'] / found['ours']['cpu']:.2f} x",
        )
        for reader, it in found.items()
    ]


if __name__ == "__main__":
    main()
