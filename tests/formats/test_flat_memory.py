"""Memory does not grow with a report, neither with its bytes nor with its cases; a process for each."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource, sys
from tempfile import TemporaryFile
from ci_results.domain.report import Report
from ci_results.domain.run import Run
from ci_results.plugin.builtin import register_formats

SETTLED = 100_000
name, head, unit, tail, size = sys.argv[1], *(part.encode() for part in sys.argv[2:5]), int(sys.argv[5])


class Stream:
    def __init__(self):
        self.n, self.given, self.rest = 0, 0, head

    def read(self, size_asked):
        while len(self.rest) < size_asked and self.given < size:
            piece = b"".join(unit.replace(b"%d", b"%d" % n) for n in range(self.n, self.n + 500))
            self.n += 500
            self.given += len(piece)
            self.rest += piece
            if self.given >= size:
                self.rest += tail.replace(b"%d", b"%d" % self.n)
        data, self.rest = self.rest[:size_asked], self.rest[size_asked:]
        return data


(reader,) = [each for each in register_formats() if each.name == name]
about = Report(item="i", item_type="t", prefix="a.b", run=Run(key="r"), scratch=TemporaryFile)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 0
for last in reader.read(Stream(), about):
    count += 1
    if count == SETTLED:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(count, last.outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
SIZE = 20_000_000
LOG = "a line of what it printed. " * 20
REPORTS = {
    "tap": ("TAP version 14\n", f"ok - thing %d\n  ---\n  said: {LOG}\n  ...\n", "1..%d\n"),
    "ctrf": (
        '{"results":{"tool":{"name":"x"},"tests":[',
        f'{{"name":"thing %d","status":"passed","stdout":["{LOG}"]}},',
        '{"name":"last","status":"passed"}]}}',
    ),
    "nunit": (
        "<test-run>",
        f"<test-case fullname='N.C.t%d' result='Passed'><output>{LOG}</output></test-case>",
        "</test-run>",
    ),
    "sarif": (
        '{"version":"2.1.0","runs":[{"results":[',
        f'{{"ruleId":"rule","level":"note","message":{{"text":"thing %d: {LOG}"}}}},',
        '{"ruleId":"rule","level":"note"}]}]}',
    ),
}
WHOLE = {"tap": "passed", "ctrf": "passed", "nunit": "passed", "sarif": "informed"}


@pytest.mark.demand("S-128", "S-129")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", REPORTS)
def test_memory_stays_flat_over_20_megabytes(name: str) -> None:
    command = [sys.executable, "-c", CODE, name, *REPORTS[name], str(SIZE)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    count, outcome, grown_kb = done.stdout.split()
    assert outcome == WHOLE[name]
    assert int(count) == 2 if name == "sarif" else int(count) > 27_000
    assert int(grown_kb) < 12 * 1024


SHORT = {
    "tap": ("", "ok - t%d\n", "1..%d\n"),
    "junit": ("<testsuite>", "<testcase classname='c' name='t%d' time='1'/>", "</testsuite>"),
    "ctrf": (
        '{"results":{"tool":{"name":"x"},"tests":[',
        '{"name":"t%d","status":"passed"},',
        '{"name":"t","status":"passed"}]}}',
    ),
}


@pytest.mark.demand("S-128", "S-129")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SHORT)
def test_memory_does_not_grow_with_the_number_of_cases(name: str) -> None:
    size = 200_000 * (len(SHORT[name][1]) + 4)
    command = [sys.executable, "-c", CODE, name, *SHORT[name], str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    count, outcome, grown_kb = done.stdout.split()
    assert outcome == "passed"
    assert int(count) > 195_000
    assert int(grown_kb) < 2 * 1024
