"""The sink jsonlines: whole lines, once each, whatever became of the writer before."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jsonschema import Draft202012Validator

from ci_results.domain.batch import Batch
from ci_results.domain.receipt import Receipt
from ci_results.errors import SinkUnavailableError
from ci_results.sinks import builtin
from ci_results.sinks.jsonlines import JsonLines, Options
from ci_results.testing import SinkContract
from ci_results.testing.store_contract import result
from ci_results.wire.feed_schemas import SCHEMA

SINK = JsonLines()
RECEIVED = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def batch(*ids: int, note: str | None = None) -> Batch:
    return Batch(
        [result(f"k{number}", note=note) for number in ids],
        receipts=[Receipt(7, number, RECEIVED) for number in ids],
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(path=tmp_path / "feed.jsonl")


class TestJsonLines(SinkContract):
    sink = SINK
    plugin = builtin
    options: ClassVar[Options]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _placed(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.options = Options(path=tmp_path_factory.mktemp("feed") / "feed.jsonl")

    def received(self) -> int:
        path = self.options.path
        return len(lines(path)) if path.exists() else 0


@pytest.mark.demand("S-143")
def test_a_result_is_a_line_with_its_place_and_what_it_says(options: Options) -> None:
    SINK.deliver(options, batch(41))
    assert lines(options.path) == [
        {
            "event": "result", "seq": 7, "id": 41, "received_at": "2026-03-01T12:00:01.000000",
            "source": "ci", "run": "job#1", "key": "k41", "outcome": "PASSED", "testcase": "ns.case",
            "groups": [], "note": None, "ref_url": None, "submit_time": "2026-03-01T12:00:00.000000",
            "data": {"job": ["job"], "item": ["bash-5.2-1.fc40"], "type": ["koji_build"]},
            "duration_s": None,
            "stored": {
                "door": "", "digest": 0, "run_url": None, "ref_url": None, "own": [],
                "parts": {"nvr": "bash-5.2-1.fc40", "component": "bash"},
            },
        }
    ]  # fmt: skip


def test_a_line_is_what_its_schema_says(options: Options) -> None:
    whole = result("k1", note="n", ref_url="https://ci.example/1", duration_s=0.5, scenario="uefi")
    SINK.deliver(options, Batch([whole], receipts=[Receipt(7, 1, RECEIVED)]))
    SINK.deliver(options, batch(2))
    SINK.deliver(options, Batch([result("k3", run=None)]))
    validator = Draft202012Validator(SCHEMA)
    assert [error.message for line in lines(options.path) for error in validator.iter_errors(line)] == []
    assert not validator.is_valid({"event": "result"})


def test_batches_are_appended(options: Options) -> None:
    SINK.deliver(options, batch(1, 2))
    SINK.deliver(options, batch(3))
    assert [line["id"] for line in lines(options.path)] == [1, 2, 3]


def test_a_batch_that_comes_again_is_in_the_file_once(options: Options) -> None:
    SINK.deliver(options, batch(1))
    for _ in range(3):
        SINK.deliver(options, batch(2, 3))
    assert [line["id"] for line in lines(options.path)] == [1, 2, 3]


def test_what_says_something_else_is_no_repeat(options: Options) -> None:
    SINK.deliver(options, batch(1))
    SINK.deliver(options, batch(1, note="the store was made anew"))
    assert [line["note"] for line in lines(options.path)] == [None, "the store was made anew"]


@pytest.mark.demand("S-143")
def test_a_file_cut_at_any_byte_is_whole_again_after_the_next_delivery(options: Options) -> None:
    SINK.deliver(options, batch(1, 2))
    begun = options.path.stat().st_size
    SINK.deliver(options, batch(3, 4, 5))
    whole = options.path.read_bytes()
    for cut in range(begun, len(whole) + 1):
        options.path.write_bytes(whole[:cut])
        SINK.deliver(options, batch(3, 4, 5))
        assert options.path.read_bytes() == whole, f"cut at byte {cut}"


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_first_line_that_is_torn_is_written_anew(options: Options, cut: int) -> None:
    SINK.deliver(options, batch(1))
    whole = options.path.read_bytes()
    options.path.write_bytes(whole[:cut])
    SINK.deliver(options, batch(1))
    assert options.path.read_bytes() == whole


def test_zeros_that_a_power_cut_left_are_taken_off(options: Options) -> None:
    SINK.deliver(options, batch(1))
    whole = options.path.read_bytes()
    options.path.write_bytes(whole + b"\0" * 100_000)
    SINK.deliver(options, batch(1))
    assert options.path.read_bytes() == whole
    options.path.write_bytes(b"\0" * 300)
    SINK.deliver(options, batch(1))
    assert options.path.read_bytes() == whole


@pytest.mark.parametrize("text", ["# Notes\n", "no newline", '{"other": 1}\n', "\n"])
def test_somebody_elses_file_is_left_alone(options: Options, text: str) -> None:
    options.path.write_text(text)
    with pytest.raises(SinkUnavailableError, match="holds something else than results; change `path`"):
        SINK.deliver(options, batch(1))
    with pytest.raises(SinkUnavailableError, match="holds something else"):
        list(SINK.check(options))
    assert options.path.read_text() == text


def test_a_disk_that_is_full_leaves_whole_lines(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    SINK.deliver(options, batch(1))
    before = options.path.read_bytes()
    real = os.write
    left = [10]

    def write(file: int, said: Any) -> int:
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, said[: left.pop()])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        with pytest.raises(SinkUnavailableError, match="No space left on device"):
            SINK.deliver(options, batch(2))
    assert options.path.read_bytes() == before
    SINK.deliver(options, batch(2))
    assert [line["id"] for line in lines(options.path)] == [1, 2]


def test_what_is_delivered_is_on_the_disk(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    SINK.deliver(options, batch(1))
    assert synced[-1] == options.path.stat().st_size
    assert len(synced) == 2, "the new file's name as well"


def test_two_writers_do_not_mix(options: Options) -> None:
    SINK.deliver(options, batch(1))
    with options.path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SinkUnavailableError, match="another process is writing"):
            SINK.deliver(options, batch(2))
    SINK.deliver(options, batch(2))
    assert [line["id"] for line in lines(options.path)] == [1, 2]


@pytest.mark.parametrize("kind", ["folder", "fifo", "absent"])
def test_what_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "here" / "feed.jsonl"
    if kind != "absent":
        path.parent.mkdir()
        path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(SinkUnavailableError, match=r"no folder|is no file|Is a directory"):
        SINK.deliver(Options(path=path), batch(1))


def test_a_check_tells_and_makes_nothing(options: Options) -> None:
    assert list(SINK.check(options)) == [f"{options.path} will be made"]
    assert not options.path.exists()
    SINK.deliver(options, batch(1))
    size = options.path.stat().st_size
    with options.path.open("ab") as file:
        file.write(b'{"event":')
    assert list(SINK.check(options)) == [
        f"{options.path} has {size + 9} bytes",
        "its last line is torn, and will be taken off",
    ]
    absent = Options(path=options.path.parent / "no" / "feed.jsonl")
    with pytest.raises(SinkUnavailableError, match="no folder"):
        list(SINK.check(absent))
