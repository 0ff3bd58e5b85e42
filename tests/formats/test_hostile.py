"""Hostile reports of every family: nothing is expanded, fetched or multiplied; limits end what has no end."""

from __future__ import annotations

import io
import time
import tracemalloc

import pytest

from ci_results.domain.outcome import Outcome

from .families import JSON, LINES, XML, YAML
from .reading import FORMATS, about, garbled, ours, read, whole

MB = 1 << 20
SUMMED_UP = {"cppcheck", "valgrind"}
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


class Endless(io.RawIOBase):
    """A stream of `head`, then `unit` for ever; it fails a test that takes more than `most` bytes."""

    def __init__(self, head: bytes, unit: bytes, most: int) -> None:
        self._rest, self._unit, self._most, self.given = head, unit * (65_536 // len(unit) + 1), most, 0

    def read(self, size: int = -1) -> bytes:
        assert self.given <= self._most, f"more than {self._most} bytes were read"
        while len(self._rest) < size:
            self._rest += self._unit
        data, self._rest = self._rest[:size], self._rest[size:]
        self.given += len(data)
        return data


def bounded(name: str, data: bytes, *, memory: int, seconds: float) -> list[object]:
    """Read a report within bounds of memory and processor time."""
    began = time.process_time()
    tracemalloc.start()
    try:
        seen = read(name, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < memory
    assert time.process_time() - began < seconds
    return list(seen)


def test_every_format_is_of_one_family() -> None:
    assert sorted([*XML, *JSON, *YAML, *LINES, "junit"]) == sorted(FORMATS)


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE z [<!ENTITY l0 "lol">{LAUGHS}]>',
        f'<!DOCTYPE z [<!ENTITY l9 "{"lol" * 40_000}">]>',
        '<!DOCTYPE z [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE z SYSTEM "http://127.0.0.1:1/e.dtd">',
    ],
    ids=["billion laughs", "quadratic", "file", "external DTD"],
)
def test_a_document_type_is_refused(name: str, doctype: str) -> None:
    begins, record, ends, closes = XML[name]
    report = f"{doctype}{begins}{record}{'<m>&l9;</m>' * 500}{ends}{closes}"
    seen = read(name, report)
    assert "document type" in garbled(seen)[0].reason
    assert ours(name, whole(seen).outcome) == Outcome.ERROR


@pytest.mark.parametrize("name", XML)
def test_elements_that_nest_without_end_are_refused(name: str) -> None:
    begins, record, _, _ = XML[name]
    for start in (begins, begins + record):
        seen = read(name, start + "<deep>" * 100_000)
        assert "nest deeper" in garbled(seen)[-1].reason
        assert ours(name, whole(seen).outcome) != Outcome.PASSED


@pytest.mark.parametrize("name", XML)
def test_an_attribute_of_ten_megabytes_is_read_in_linear_time(name: str) -> None:
    begins, record, ends, closes = XML[name]
    huge = record.replace(" ", f" huge='{'x' * (10 * MB)}' ", 1)
    seen = bounded(name, f"{begins}{huge}{ends}{closes}".encode(), memory=120 * MB, seconds=10)
    assert len(seen) == 2


@pytest.mark.parametrize("name", XML)
def test_a_tag_without_end_is_given_up(name: str) -> None:
    begins, _, _, _ = XML[name]
    stream = Endless(f"{begins}<a b='".encode(), b"x" * 100, most=20 * MB)
    seen = list(FORMATS[name].read(stream, about()))  # type: ignore[arg-type]
    assert "longer than 16 MiB" in garbled(seen)[-1].reason


@pytest.mark.parametrize("name", XML)
def test_damage_that_can_be_cleaned_costs_no_record(name: str) -> None:
    begins, record, ends, closes = XML[name]
    seen = read(name, f"{begins}{record}{ends}{record}<m>\x01 & \x02</m>{ends}{record}{ends}{closes}")
    assert garbled(seen) == []
    assert len(seen) == (2 if name in SUMMED_UP else 4)
    assert whole(seen).outcome == "damaged"


@pytest.mark.parametrize("name", JSON)
def test_a_text_of_ten_megabytes_is_cut(name: str) -> None:
    before, behind = JSON[name]
    report = before.encode() + b"x" * (10 * MB) + behind.encode()
    seen = bounded(name, report, memory=100 * MB, seconds=10)
    assert seen
    assert len(repr(seen)) < 200_000


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("opens", ["[", '{"a":'])
def test_values_that_nest_without_end_are_refused(name: str, opens: str) -> None:
    for before in ("", JSON[name][0].rpartition(",")[0] + ',"deep":'):
        seen = read(name, before + opens * 100_000)
        assert garbled(seen)
        assert ours(name, whole(seen).outcome) != Outcome.PASSED


@pytest.mark.parametrize("name", JSON)
def test_a_text_without_end_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.formats.json_records.MAX_TOKEN_BYTES", MB)
    stream = Endless(JSON[name][0].encode(), b"x" * 100, most=2 * MB)
    seen = list(FORMATS[name].read(stream, about()))  # type: ignore[arg-type]
    assert garbled(seen)[-1].reason == "one text is longer than 1 MiB"


def test_a_text_is_given_up_after_16_megabytes() -> None:
    stream = Endless(JSON["ctrf"][0].encode(), b"x" * 100, most=20 * MB)
    seen = list(FORMATS["ctrf"].read(stream, about()))  # type: ignore[arg-type]
    assert garbled(seen)[-1].reason == "one text is longer than 16 MiB"


@pytest.mark.parametrize("name", YAML)
def test_yaml_bombs_are_refused(name: str) -> None:
    levels = "".join(f"    l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    head = YAML[name].rpartition("\n")[0]
    bomb = f"{head}\n  - y:\n    l0: &l0 [lol]\n{levels}"
    seen = bounded(name, bomb.encode(), memory=20 * MB, seconds=5)
    assert "lollol" not in repr(seen)
    assert ours(name, whole(read(name, bomb)).outcome) != Outcome.PASSED


@pytest.mark.parametrize("name", YAML)
@pytest.mark.parametrize("opens", ["[", "{a: "])
def test_yaml_that_nests_without_end_is_refused(name: str, opens: str) -> None:
    seen = read(name, YAML[name] + opens * 100_000)
    assert garbled(seen)
    assert ours(name, whole(seen).outcome) != Outcome.PASSED


@pytest.mark.parametrize("name", YAML)
def test_a_scalar_of_ten_megabytes_is_read_in_linear_time(name: str) -> None:
    bounded(name, (YAML[name] + "x" * (10 * MB)).encode(), memory=120 * MB, seconds=15)


@pytest.mark.parametrize("name", LINES)
def test_a_line_of_ten_megabytes_is_cut(name: str) -> None:
    seen = bounded(name, LINES[name] + b"x" * (10 * MB), memory=60 * MB, seconds=10)
    assert len(repr(seen)) < 2_500_000


@pytest.mark.parametrize("name", LINES)
def test_no_line_takes_quadratic_time(name: str) -> None:
    for unit in (b" ", b"# ", b": ", b"a:1:", b"[", b'"', b"-", b"\\"):
        bounded(name, LINES[name] + unit * 400_000, memory=60 * MB, seconds=10)


@pytest.mark.parametrize("name", sorted({*XML, *JSON, *LINES}))
def test_no_report_is_read_beyond_its_limit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        "byte_blocks.Blocks.__init__.__defaults__",
        "text_lines.MAX_FILE_BYTES",
        "xml_records.MAX_FILE_BYTES",
    ):
        value = (MB // 4,) if module.endswith("__defaults__") else MB // 4
        monkeypatch.setattr(f"ci_results.formats.{module}", value)
    if name in XML:
        begins, record, ends, _ = XML[name]
        stream = Endless(begins.encode(), f"{record}{ends}".encode(), most=2 * MB)
    elif name in JSON:
        stream = Endless(b'{"other":[', b'{"a":"b"},', most=2 * MB)
    else:
        stream = Endless(LINES[name], b"x" * 90 + b"\n", most=2 * MB)
    seen = list(FORMATS[name].read(stream, about()))  # type: ignore[arg-type]
    assert garbled(seen)
    assert "longer than" in garbled(seen)[-1].reason
    assert ours(name, whole(seen).outcome) != Outcome.PASSED
