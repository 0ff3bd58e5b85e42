"""JUnit held to every rule of a format, on real reports of some thirty producers and on nasty ones."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ci_results.formats.junit import JUnit
from ci_results.plugin import builtin
from ci_results.testing import FormatContract

SAMPLES = Path(__file__).parent / "samples"
BIG = (
    b'<testsuites><testsuite name="pytest">',
    b'<testcase classname="tests.test_login" name="test_%d" time="0.01"/>',
    b"</testsuite></testsuites>",
)


@pytest.mark.demand("S-129")
class TestRealReports(FormatContract):
    format = JUnit()
    samples = SAMPLES / "junit"
    big = BIG
    plugin = builtin


@pytest.mark.demand("S-129")
class TestNastyReports(FormatContract):
    format = JUnit()
    samples = SAMPLES / "junit-nasty"
    big = BIG
    plugin = builtin

    def _complete(self, data: bytes) -> bool:
        """The first of two documents in one file is whole by itself."""
        return data.rstrip().endswith(b"</testsuite>")


def test_every_sample_names_its_origin_and_a_licence_that_lets_us_keep_it() -> None:
    with (SAMPLES / "SOURCES.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    kept = {
        str(path.relative_to(SAMPLES))
        for path in SAMPLES.rglob("*")
        if path.is_file() and path.parent != SAMPLES and not path.name.endswith(".golden.json")
    }
    assert {row["file"] for row in rows} == kept
    assert {row["licence"] for row in rows} <= {"own", "MIT", "Apache-2.0", "BSD", "ISC", "BlueOak-1.0.0"}
    assert all(row["origin"] for row in rows)
