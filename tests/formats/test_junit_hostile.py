"""Hostile files: nothing is expanded, fetched or multiplied, and limits end what has no end."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from ci_results.domain.outcome import Outcome
from ci_results.formats.junit import JUnit
from ci_results.formats.junit_outcome import OUTCOMES

from .reading_junit import about, cases, garbled, read, whole

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
MB = 1 << 20


class Endless(io.RawIOBase):
    """A stream of `head`, then `unit` for ever; counts what was taken."""

    def __init__(self, head: bytes, unit: bytes, most: int = 1 << 62) -> None:
        self._pieces = self._forever(head, unit)
        self._rest = b""
        self.given = 0
        self._most = most

    def _forever(self, head: bytes, unit: bytes) -> Iterator[bytes]:
        yield head
        while True:
            yield unit * (65_536 // len(unit) + 1)

    def read(self, size: int = -1) -> bytes:
        if self.given > self._most:
            raise AssertionError(f"more than {self._most} bytes were read")
        while len(self._rest) < size:
            self._rest += next(self._pieces)
        data, self._rest = self._rest[:size], self._rest[size:]
        self.given += len(data)
        return data


@pytest.mark.demand("S-129")
@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE z [<!ENTITY l0 "lol">{LAUGHS}]>',
        f'<!DOCTYPE z [<!ENTITY l9 "{"lol" * 40_000}">]>',
        '<!DOCTYPE z [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE z [<!ENTITY l9 SYSTEM "http://127.0.0.1:1/x">]>',
        '<!DOCTYPE z [<!ENTITY % r SYSTEM "http://127.0.0.1:1/e.dtd">%r;]>',
        '<!DOCTYPE z SYSTEM "http://127.0.0.1:1/e.dtd">',
        "<!DOCTYPE testsuites>",
    ],
    ids=["billion laughs", "quadratic", "file", "http", "parameter entity", "external DTD", "harmless"],
)
def test_a_document_type_is_refused_whatever_it_declares(doctype: str) -> None:
    began = time.monotonic()
    data = f'{doctype}<testsuite name="&l9;"><testcase name="{"&l9;" * 1000}"/></testsuite>'.encode()
    seen = read(data)
    (found,) = garbled(seen)
    assert "document type" in found.reason
    assert found.raw == data[:MB]
    assert [each.key for each in cases(seen)] == ["[failed-to-read]"]
    assert OUTCOMES[whole(seen).outcome] == Outcome.ERROR
    assert time.monotonic() - began < 2


def test_a_document_type_after_damage_is_refused_as_well() -> None:
    seen = read('\x01<!DOCTYPE z [<!ENTITY a "lol">]><testsuite><testcase name="&a;"/></testsuite>')
    assert "lol" not in [each.key for each in cases(seen)]
    assert OUTCOMES[whole(seen).outcome] == Outcome.ERROR


def test_an_entity_that_was_never_declared_stays_as_it_is_written() -> None:
    seen = read('<testsuite><testcase name="&xxe;"/></testsuite>')
    assert [each.key for each in cases(seen)] == ["&xxe;"]
    assert whole(seen).outcome == "damaged"


@pytest.mark.parametrize("tag", ["testsuite", "failure", "x"])
def test_elements_100_000_deep_are_refused_without_a_stack(tag: str) -> None:
    start = "<testsuites><testcase name='a'>" if tag == "failure" else "<testsuites>"
    seen = read(start + f"<{tag}>" * 100_000)
    assert "nest deeper than 100" in garbled(seen)[-1].reason
    assert OUTCOMES[whole(seen).outcome] != Outcome.PASSED


def test_a_hundred_suites_deep_is_still_read() -> None:
    seen = read("<testsuite>" * 99 + '<testcase name="a"/>' + "</testsuite>" * 99)
    assert [each.key for each in cases(seen)] == ["a"]
    assert whole(seen).outcome == "passed"


@pytest.mark.parametrize(
    "head",
    [
        b'<testsuite><testcase name="',
        b"<testsuite><!-- ",
        b'<testsuite><testcase name="a" ',
        b"<testsuite><?x ",
    ],
    ids=["attribute", "comment", "tag", "instruction"],
)
def test_a_token_without_end_is_given_up_after_16_megabytes_in_linear_time(head: bytes) -> None:
    stream = Endless(head, b"          ", most=20 * MB)
    began = time.process_time()
    seen = list(JUnit().read(stream, about()))  # type: ignore[arg-type]
    assert "longer than 16 MiB" in garbled(seen)[-1].reason
    assert len(garbled(seen)[-1].raw) <= MB
    assert time.process_time() - began < 5


def test_ever_new_names_are_refused() -> None:
    elements = "".join(f"<n{n}/>" for n in range(2_000))
    assert "element names" in garbled(read(f"<testsuite>{elements}</testsuite>"))[-1].reason
    attributes = "".join(f"<testcase a{n}='' name='n'/>" for n in range(20_000))
    assert "different names" in garbled(read(f"<testsuite>{attributes}</testsuite>"))[-1].reason


def test_a_property_more_than_a_thousand_is_not_kept() -> None:
    many = "".join(f'<property name="p{n}" value="v"/>' for n in range(1_500))
    (case,) = cases(
        read(f'<testsuite><testcase name="a"><properties>{many}</properties></testcase></testsuite>')
    )
    assert len(case.data) == 1_000


def test_no_file_is_read_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.formats.junit_reading.MAX_FILE_BYTES", MB)
    stream = Endless(b"<testsuite>", b"<testcase name='a' classname='c' time='1'/>", most=3 * MB)
    seen = list(JUnit().read(stream, about()))  # type: ignore[arg-type]
    assert "longer than" in garbled(seen)[-1].reason
    assert cases(seen)


def test_no_more_cases_are_read_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.formats.junit_reading.MAX_CASES", 10_000)
    stream = Endless(b"<testsuite>", b"<testcase name='a' classname='c' time='1'/>", most=3 * MB)
    seen = list(JUnit().read(stream, about()))  # type: ignore[arg-type]
    assert "more than 10,000 cases" in garbled(seen)[-1].reason


def test_a_huge_text_is_not_held() -> None:
    log = b"line of a log that nobody reads\n" * 2_000_000
    data = b"<testsuite><testcase name='a'><failure>" + log + b"</failure></testcase></testsuite>"
    tracemalloc.start()
    try:
        seen = list(JUnit().read(io.BytesIO(data), about()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert cases(seen)[0].outcome == "failed"
    assert int(str(cases(seen)[0].data["note_length"])) == pytest.approx(len(log), rel=0.001)
    assert peak < 12 * MB


@pytest.mark.demand("S-129")
def test_memory_stays_flat_over_20_megabytes() -> None:
    code = """
import resource
from ci_results.domain.report import Report
from ci_results.domain.run import Run
from ci_results.formats.junit import JUnit


class Stream:
    def __init__(self):
        self.n, self.rest = 0, b'<testsuites><testsuite name="pytest">'

    def read(self, size):
        while len(self.rest) < size and self.n < 80_000:
            lines = []
            for n in range(self.n, self.n + 500):
                lines.append(
                    f'<testcase classname="tests.unit.test_area_{n // 200}" name="test_{n}" time="0.01">'
                    f'<system-out>{"a line of the log. " * 8}</system-out></testcase>'
                )
            self.n += 500
            self.rest += "".join(lines).encode()
            if self.n == 80_000:
                self.rest += b"</testsuite></testsuites>"
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


about = Report(item="i", item_type="t", prefix="a.b", run=Run(key="r"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in JUnit().read(Stream(), about))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    count, grown_kb = map(int, done.stdout.split())
    assert count == 80_001
    assert grown_kb < 12 * 1024
