"""read_report: a file is read by the format that recognises it, whatever stream it comes from."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, ClassVar

import pytest

from ci_results import (
    Format,
    Garbled,
    InvalidError,
    Observation,
    Report,
    Run,
    SourceUnavailableError,
    read_report,
    report_outcomes,
)

ABOUT = Report(item="bash-5.2-1.fc40", item_type="koji_build", prefix="dist", run=Run(key="r"))
RPMGRILL = b'{"results": {"tool": "rpmgrill"}, "tests": [{"module": "Setxid", "status": "completed"}]}'
TAP = b"1..2\nok 1 - a\nnot ok 2 - b\n"


class Drops(io.RawIOBase):
    """Gives one byte at a time, then breaks where it is told to, as a connection does."""

    def __init__(self, body: bytes, breaks: bool = False) -> None:
        super().__init__()
        self._body = iter(body)
        self._breaks = breaks

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        for byte in self._body:
            buffer[0] = byte
            return 1
        if self._breaks:
            raise SourceUnavailableError("https://reports.test/x: connection reset")
        return 0


def read(body: bytes, *formats: str | Format) -> list[Observation | Garbled]:
    return list(read_report(io.BytesIO(body), ABOUT, formats or None))


def names_of(seen: list[Observation | Garbled]) -> list[str]:
    return [each.testcase for each in seen if isinstance(each, Observation)]


def test_a_report_is_read_by_the_format_that_recognises_it() -> None:
    assert names_of(read(RPMGRILL)) == ["dist.rpmgrill.setxid", "dist.rpmgrill"]
    assert names_of(read(TAP)) == ["dist.a", "dist.b", "dist.tap"]


def test_only_the_formats_asked_for_may_read() -> None:
    (garbled,) = read(TAP, "rpmgrill", "rpmgrill_xml")
    assert isinstance(garbled, Garbled)
    assert (garbled.raw, garbled.kind, garbled.position) == (TAP, "report", None)
    assert garbled.reason == "no format recognises it; asked were rpmgrill, rpmgrill_xml"


def test_a_format_of_the_plugin_itself_may_read() -> None:
    class Mine(Format):
        name: ClassVar[str] = "mine"
        outcomes: ClassVar[dict[str, str]] = {"yes": "PASSED"}

        def recognises(self, head: bytes) -> bool:
            return head.startswith(b"mine")

        def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
            yield Garbled(raw=stream.read(), reason="read by mine")

    (garbled,) = read(b"mine!", "tap", Mine())
    assert isinstance(garbled, Garbled)
    assert (garbled.raw, garbled.reason) == (b"mine!", "read by mine")
    assert report_outcomes([Mine()]) == {"yes": "PASSED"}


def test_a_stream_that_gives_little_at_a_time_is_read_alike() -> None:
    assert list(read_report(Drops(RPMGRILL), ABOUT)) == read(RPMGRILL)  # type: ignore[arg-type]


def test_a_connection_that_breaks_is_no_end_of_the_report() -> None:
    for body in (RPMGRILL[:40], RPMGRILL, TAP, b""):
        with pytest.raises(SourceUnavailableError):
            list(read_report(Drops(body, breaks=True), ABOUT))  # type: ignore[arg-type]


def test_an_empty_file_is_told() -> None:
    (garbled,) = read(b"")
    assert isinstance(garbled, Garbled)
    assert garbled.reason == "empty file"


def test_of_a_large_unknown_file_the_beginning_is_kept() -> None:
    (garbled,) = read(b"\0" * 3_000_000)
    assert isinstance(garbled, Garbled)
    assert (len(garbled.raw), garbled.position) == (1 << 20, f"first {1 << 20} bytes")


def test_an_unknown_name_of_a_format_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InvalidError, match="no built-in format 'rpmgril'; there are junit, "):
        read_report(io.BytesIO(TAP), ABOUT, ["rpmgril"])
    with pytest.raises(InvalidError, match="no built-in format"):
        report_outcomes(["rpmgril"])


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ({}, "inspect"),
        ({"gripes": "FAILED"}, "failed"),
        ({"gripes": "INFO"}, "informed"),
        ({"gripes": "A WORD OF THE SITE"}, "inspect"),
    ],
)
def test_a_report_is_as_bad_as_its_parts_by_the_mapping_of_the_source(
    outcomes: dict[str, str], word: str
) -> None:
    told = RPMGRILL.replace(b'"completed"', b'"completed", "results": [{"code": "BadRpath"}]')
    seen = list(read_report(io.BytesIO(told), replace(ABOUT, outcomes=outcomes)))
    assert [each.outcome for each in seen if isinstance(each, Observation)] == ["gripes", word]


def test_the_words_of_formats_are_told() -> None:
    words = report_outcomes(["rpmgrill"])
    assert (words["gripes"], words["module failed"]) == ("NEEDS_INSPECTION", "ERROR")
    assert "needs inspection" not in words
    assert report_outcomes()["needs inspection"] == "NEEDS_INSPECTION"
