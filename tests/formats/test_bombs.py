"""Bombs for every reader that may meet them: what is huge or no text costs bounded time and memory."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc
import zlib

import pytest

from ci_results.domain.outcome import Outcome

from .families import FAMILIES, JSON, LINES, XML, YAML
from .reading import FORMATS, garbled, ours, read, told, whole

pytestmark = pytest.mark.timeout(120)
MB = 1 << 20
WITH_JUNIT = {**XML, "junit": ("<testsuites>", "<testcase name='a'>", "</testcase>", "</testsuites>")}
TEXTS: dict[str, tuple[bytes, bytes]] = {
    **{name: (before.encode(), behind.encode()) for name, (before, behind) in JSON.items()},
    **{
        name: (f"{begins}{record}<m>".encode(), f"</m>{ends}{closes}".encode())
        for name, (begins, record, ends, closes) in WITH_JUNIT.items()
    },
    **{name: (text.encode(), b"\n") for name, text in YAML.items()},
    **{name: (text, b"\n") for name, text in LINES.items()},
}
"""What stands before and behind a text, of every format."""
NUMBERS = {
    "1e400": b"1e400",
    "-1e400": b"-1e400",
    "5,000 digits": b"9" * 5_000,
    "100,000 digits": b"9" * 100_000,
    "a fraction of 5,000 digits": b"0." + b"3" * 5_000,
    "beyond 64 bits": b"18446744073709551616",
    "NaN": b"NaN",
    "the year 99999": b"99999-12-31T23:59:60Z",
    "the year 0": b"0000-00-00T00:00:00+99:99",
    "an epoch far away": b"9999999999999999",
}
"""Where a format has a number or a time, and where it has none."""
FIELDS = {
    "allure": ("start", "stop"),
    "avocado": ("actual_time_end", "time_elapsed"),
    "coverity": ("mainEventLineNumber",),
    "csdiff": ("cwe", "key_event_idx", "imp"),
    "ctrf": ("duration", "stop", "retries", "line"),
    "gcc_json": ("column-origin", "option"),
    "gtest": ("timestamp", "time", "line"),
    "kiwi": ("id", "stop_date", "status__weight"),
    "ltp": ("status",),
    "mocha": ("duration", "currentRetry"),
    "openqa": ("result", "category"),
    "openqa_details": ("needle", "dents"),
    "resultsdb_message": ("time", "ref_url"),
    "robot_json": ("lineno", "start_time", "elapsed_time"),
    "rpmdiff": ("web_url",),
    "rpmgrill": ("run_time", "order"),
    "rpminspect": ("details",),
    "sarif": ("ruleIndex", "level"),
    "tps": ("finished", "started"),
}
ATTRIBUTES = {
    "allure_xml": ("start", "stop"),
    "beaker": ("finish_time", "duration", "id"),
    "cppcheck": ("cwe", "line"),
    "ctest": ("Order",),
    "junit": ("time", "timestamp", "line"),
    "nitrate": ("case_run_id",),
    "nunit": ("end-time", "duration"),
    "robot": ("line",),
    "rpmgrill_xml": ("order", "run_time"),
    "trx": ("endTime", "duration"),
    "unit_xml": ("line",),
    "valgrind": ("line",),
    "xunit_net": ("time",),
}


def bounded(name: str, data: bytes, *, memory: int = 150 * MB, seconds: float = 60) -> None:
    """Read within bounds, and hold what was read to the rules of every reading."""
    began = time.process_time()
    tracemalloc.start()
    try:
        seen = read(name, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < seconds
    assert peak < memory
    told(name, seen)


def test_every_format_meets_them() -> None:
    assert sorted(TEXTS) == sorted(FORMATS)
    assert sorted([*FIELDS, *ATTRIBUTES, *YAML, *LINES]) == sorted(FORMATS)


@pytest.mark.parametrize("name", sorted(TEXTS))
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
def test_any_encoding_is_read_or_garbled(name: str, encoding: str) -> None:
    before, behind = TEXTS[name]
    report = f"{before.decode()}said \u2603 \U0001f600{behind.decode()}"
    told(name, read(name, report.encode(encoding)))
    FORMATS[name].recognises(report.encode(encoding))


@pytest.mark.parametrize("name", sorted(TEXTS))
@pytest.mark.parametrize(
    "odd",
    [
        b"\0", b"\0" * 70_000,
        b"\xef\xbb\xbf" * 3, b"\xff\xfe", b"\xed\xa0\x80\xed\xbf\xbf", b"\\ud800", b"&#xd800;",
        b"\xc0\x80", b"\x1b[31m", "\u202e".encode(), b"\xf4\x90\x80\x80", b"\r", b"\x85\x0b\x0c\x1c\x1e",
    ],
    ids=repr,
)  # fmt: skip
def test_odd_bytes_in_a_text_and_around_it_are_read_or_garbled(name: str, odd: bytes) -> None:
    before, behind = TEXTS[name]
    for report in (before + odd + behind, odd + before + behind, before + behind + odd):
        told(name, read(name, report))
        FORMATS[name].recognises(report)


def before_last_key(before: str) -> int:
    """Return where the last key of a text begins that ends within its value.

    >>> before_last_key('{"a":1,"name":"')
    7
    """
    return before.rindex('"', 0, -len('":"'))


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_json_that_no_machine_holds_are_read_or_garbled(name: str, number: str) -> None:
    before, behind = JSON[name]
    place = before_last_key(before)
    for field in FIELDS[name]:
        for value in (NUMBERS[number], b'"%s"' % NUMBERS[number]):
            added = f'"{field}":'.encode() + value + b","
            told(name, read(name, before[:place].encode() + added + f"{before[place:]}x{behind}".encode()))


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_and_dates_of_xml_beyond_reason_are_left_out(name: str, number: str) -> None:
    begins, record, ends, closes = WITH_JUNIT[name]
    for attribute in ATTRIBUTES[name]:
        added = record.replace(" ", f" {attribute}='{NUMBERS[number].decode()}' ", 1)
        seen = read(name, f"{begins}{added}{ends}{closes}")
        told(name, seen)
        assert garbled(seen) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_times_of_ctest_beyond_reason_are_left_out(number: str) -> None:
    said = NUMBERS[number].decode()
    times = f"<StartTestTime>{said}</StartTestTime><EndTestTime>{said}</EndTestTime>"
    took = (
        f"<Results><NamedMeasurement name='Execution Time'><Value>{said}</Value></NamedMeasurement></Results>"
    )
    seen = read("ctest", f"<Site><Testing>{times}<Test Status='passed'>{took}</Test></Testing></Site>")
    told("ctest", seen)
    assert garbled(seen) == []


@pytest.mark.parametrize("packed", ["x", "////", "eJxLBAAAYgBi", "AA=="])
@pytest.mark.parametrize("compression", ["", "compression='gzip'"])
def test_output_that_ctest_packed_is_unpacked_within_bounds(packed: str, compression: str) -> None:
    value = f"<Value encoding='base64' {compression}>{packed}</Value>"
    seen = read(
        "ctest",
        f"<Site><Testing><Test Status='failed'><Name>a</Name><Results><Measurement>{value}"
        "</Measurement></Results></Test></Testing></Site>",
    )
    told("ctest", seen)


def test_a_bomb_in_the_output_of_ctest_does_not_unfold() -> None:
    packed = base64.b64encode(zlib.compress(b"a" * (20 * MB))).decode()
    assert len(packed) < 32_000
    value = f"<Value encoding='base64' compression='gzip'>{packed}</Value>"
    report = (
        f"<Site><Testing><Test Status='failed'><Name>a</Name><Results><Measurement>{value}</Measurement>"
        "</Results></Test></Testing></Site>"
    )
    bounded("ctest", report.encode(), memory=4 * MB)


@pytest.mark.parametrize("name", [*YAML, *LINES])
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_lines_beyond_reason_are_read_or_garbled(name: str, number: str) -> None:
    before, behind = TEXTS[name]
    told(name, read(name, before + NUMBERS[number] + behind))


@pytest.mark.parametrize("number", NUMBERS)
def test_tap_plans_numbers_and_durations_beyond_reason_are_read_or_garbled(number: str) -> None:
    said = NUMBERS[number].decode()
    seen = read("tap", f"1..{said}\nok {said} - a # time={said}ms\n  ---\n  duration_ms: {said}\n  ...\n")
    told("tap", seen)
    assert ours("tap", whole(seen).outcome) != Outcome.PASSED


def with_keys(name: str, count: int) -> bytes:
    before, behind = JSON[name]
    keys = ",".join(f'"k{n}":1' for n in range(count))
    place = before_last_key(before)
    report = f"{before[:place]}{keys},{before[place:]}x{behind}"
    assert json.loads(report)
    return report.encode()


@pytest.mark.parametrize("name", JSON)
def test_keys_beyond_the_limit_are_refused_or_passed_over(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.formats.records.MAX_VALUES", 10_000)
    bounded(name, with_keys(name, 15_000), memory=12 * MB)


def test_300_000_keys_of_one_record_are_refused() -> None:
    data = with_keys("kiwi", 300_000)
    bounded("kiwi", data)
    assert "more than 200,000 values" in garbled(read("kiwi", data))[0].reason


@pytest.mark.parametrize("name", WITH_JUNIT)
def test_30_000_attributes_are_refused(name: str) -> None:
    begins, record, ends, closes = WITH_JUNIT[name]
    many = " ".join(f"a{n}=''" for n in range(30_000))
    seen = read(name, f"{begins}{record.replace(' ', f' {many} ', 1)}{ends}{closes}")
    assert garbled(seen)
    assert "different names" in garbled(seen)[-1].reason
    assert ours(name, whole(seen).outcome) != Outcome.PASSED


@pytest.mark.parametrize("name", YAML)
def test_keys_of_yaml_beyond_the_limit_are_refused_or_passed_over(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ci_results.formats.records.MAX_VALUES", 10_000)
    head = YAML[name].rpartition("\n")[0]
    keys = ", ".join(f"k{n}: 1" for n in range(15_000))
    bounded(name, f"{head}\n  y: {{{keys}}}\n".encode(), memory=12 * MB)


@pytest.mark.parametrize("name", LINES)
def test_one_line_of_100_megabytes_is_cut(name: str) -> None:
    bounded(name, LINES[name] + b"x" * (100 * MB), memory=60 * MB, seconds=60)


@pytest.mark.parametrize("indent", ["    ", "\t"])
def test_tap_subtests_6_000_deep_are_read_or_garbled(indent: str) -> None:
    nested = "".join(f"{indent * level}ok 1 - a\n" for level in range(500))
    bounded("tap", f"1..1\n{nested}".encode())
    opened = "".join(f"{indent * min(level, 100)}ok 1 - a {{\n" for level in range(6_000))
    bounded("tap", f"1..1\n{opened}".encode(), seconds=60)
    assert ours("tap", whole(read("tap", f"1..1\n{opened}")).outcome) != Outcome.PASSED


@pytest.mark.parametrize("name", [each for each in FAMILIES["lines"] if each != "tap"])
def test_10_000_short_lines_are_read_in_bounded_memory(name: str) -> None:
    bounded(name, LINES[name] + b"a\n" * 10_000, memory=40 * MB)
