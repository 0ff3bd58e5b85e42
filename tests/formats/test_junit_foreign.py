"""What is no JUnit report is not taken for one, and says why when it is read all the same."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ci_results.domain.outcome import Outcome
from ci_results.formats.junit import JUnit
from ci_results.formats.junit_outcome import OUTCOMES

from .reading_junit import cases, garbled, read, whole

FOREIGN = sorted((Path(__file__).parent / "samples" / "junit-foreign").iterdir())


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<testsuites>", True),
        (b'<?xml version="1.0"?>\n<!-- made by x -->\n<testsuite name="a">', True),
        (b"\xef\xbb\xbf<testsuite>", True),
        ('\ufeff<?xml version="1.0" encoding="utf-16"?><testsuite/>'.encode("utf-16-le"), True),
        ("<testsuite/>".encode("utf-16-be"), True),
        (b"starting ...\n[INFO] done <ok>\n<?xml version='1.0'?><testsuite/>", True),
        (b"<j:testsuite xmlns:j='urn:x'/>", True),
        (b"<!DOCTYPE testsuites [<!ENTITY a 'b'>]><testsuites/>", True),
        (b"<testsuitesque/>", False),
        (b"<report><testsuite/></report>", False),
        (b"<!-- <testsuite> --><other/>", False),
        (b"<html><testsuite/></html>", False),
        (b"\xff\xfe", False),
        (b"", False),
    ],
)
def test_the_first_element_decides_what_is_recognised(head: bytes, expected: bool) -> None:
    assert JUnit().recognises(head) is expected


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.name)
def test_a_foreign_file_is_not_recognised_and_reads_as_one_error(path: Path) -> None:
    data = path.read_bytes()
    assert not JUnit().recognises(data)
    seen = read(data)
    assert garbled(seen)[0].raw == data
    assert [each.key for each in cases(seen)] == ["[failed-to-read]"]
    assert OUTCOMES[whole(seen).outcome] == Outcome.ERROR


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML page"),
        (b"<?xml version='1.0'?>\n<html xmlns='http://www.w3.org/1999/xhtml'/>", "HTML page"),
        (gzip.compress(b"<testsuite/>", mtime=0), "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"503 Service Unavailable", "no XML begins"),
        (b"\0" * 5000, "empty"),
        (b"<TestRun/>", "root element is 'TestRun'"),
        (b"<?xml version='1.0'?>", "no element found"),
    ],
)
def test_what_is_no_report_says_what_it_is_instead(data: bytes, reason: str) -> None:
    seen = read(data)
    assert reason in garbled(seen)[0].reason
    assert garbled(seen)[0].kind == "report"
    assert OUTCOMES[whole(seen).outcome] == Outcome.ERROR


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"], ids=["nothing", "blanks", "a mark"])
def test_an_empty_file_is_one_error_called_empty(data: bytes) -> None:
    seen = read(data)
    assert [(each.key, each.testcase) for each in cases(seen)] == [("[empty]", "baseos.tier1.[empty]")]
    assert OUTCOMES[whole(seen).outcome] == Outcome.ERROR
    assert garbled(seen)[0].reason == "the file is empty"
