"""The collector of saved messages: files that grow, end in the middle, are replaced, or are gone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ci_results_autocloud import Autocloud, Options
from ci_results_autocloud import collector as collector_module
from ci_results_autocloud import saved as saved_module

from ci_results import (
    Checkpoint,
    Garbled,
    Observation,
    SourceRefusedError,
    SourceSession,
    SourceUnavailableError,
)
from ci_results.testing import CollectorContract

SAMPLES = Path(__file__).parent / "messages"
HTTP = SourceSession()


class TestAutocloud(CollectorContract):
    collector = Autocloud()
    options = Options(path=Path(__file__).parent / "saved")

    def exchanges(self) -> list[Any]:
        return []  # it asks nobody


def message(job: int, status: str = "success", **more: Any) -> bytes:
    """Return one line: a message about a job, as fedmsg sent it."""
    saved = json.loads((SAMPLES / "image-success.json").read_bytes())
    saved["topic"] = f"org.fedoraproject.prod.autocloud.image.{status}"
    saved["msg_id"] = f"2019-{job}-{status}"
    saved["msg"] |= {"job_id": job, "status": status, **more}
    return json.dumps(saved).encode() + b"\n"


@dataclass
class Harvest:
    """Harvests a folder, each time from the last cursor."""

    path: Path
    cursor: str | None = None
    seen: list[Any] = field(default_factory=list)

    def __call__(self, **options: Any) -> list[str]:
        """Return the keys of the observations, and the reasons of what was garbled."""
        given = Options(**{"path": self.path, "settle_s": 60.0, **options})
        self.seen = list(Autocloud().harvest(given, self.cursor, HTTP))
        for each in self.seen:
            if isinstance(each, Checkpoint):
                self.cursor = each.cursor
        return [
            each.key if isinstance(each, Observation) else each.reason
            for each in self.seen
            if not isinstance(each, Checkpoint)
        ]


@pytest.fixture
def harvest(tmp_path: Path) -> Harvest:
    return Harvest(tmp_path)


def age(path: Path) -> None:
    """Let a file be unchanged for ten minutes."""
    old = path.stat().st_mtime - 600
    os.utime(path, (old, old))


@pytest.mark.demand("S-080")
def test_every_kind_of_file_is_read_once(harvest: Harvest, tmp_path: Path) -> None:
    one, two, three, four = (json.loads(message(number)) for number in (1, 2, 3, 4))
    (tmp_path / "a.json").write_text(json.dumps(one))
    (tmp_path / "b.json").write_text(json.dumps([two]))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.json").write_text(json.dumps({"count": 1, "raw_messages": [three]}))
    (tmp_path / "d.jsonl").write_bytes(b"\n" + json.dumps(four).encode() + b"\n\n" + message(5))
    (tmp_path / "notes.txt").write_text("no message")
    (tmp_path / ".hidden.json").write_text("{")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.json").write_text("{")
    assert harvest() == ["prod/job/1", "prod/job/2", "prod/job/4", "prod/job/5", "prod/job/3"]
    assert isinstance(harvest.seen[-1], Checkpoint)
    assert harvest() == []
    assert harvest.seen == []


def test_messages_of_others_are_passed_over(harvest: Harvest, tmp_path: Path) -> None:
    other = {"topic": "org.fedoraproject.prod.bodhi.update.edit", "msg": {}, "msg_id": "x"}
    (tmp_path / "a.jsonl").write_bytes(json.dumps(other).encode() + b"\n" + message(1))
    assert harvest() == ["prod/job/1"]


def test_a_file_that_grows_is_read_from_where_it_stood(harvest: Harvest, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(message(1))
    assert harvest() == ["prod/job/1"]
    with path.open("ab") as file:
        file.write(message(2) + message(3))
    assert harvest() == ["prod/job/2", "prod/job/3"]
    assert harvest() == []


@pytest.mark.parametrize("cut", [1, 40, -2, -1])
def test_half_a_line_waits_for_its_end(harvest: Harvest, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jsonl"
    second = message(2)
    path.write_bytes(message(1) + second[:cut])
    assert harvest() == ["prod/job/1"]
    assert harvest() == []
    with path.open("ab") as file:
        file.write(second[cut:] + message(3))
    assert harvest() == ["prod/job/2", "prod/job/3"]


def test_half_a_line_that_stays_is_told_and_read_when_it_is_whole(harvest: Harvest, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(message(1) + message(2)[:40])
    age(path)
    assert harvest() == ["prod/job/1", "the file ends in the middle of this message"]
    (bad,) = [each for each in harvest.seen if isinstance(each, Garbled)]
    assert (bad.raw, bad.position) == (message(2)[:40], f"a.jsonl: byte {len(message(1))}")
    assert harvest() == []
    with path.open("ab") as file:
        file.write(message(2)[40:])
    assert harvest() == ["prod/job/2"]


def test_a_last_line_without_its_newline_is_read_in_the_end(harvest: Harvest, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(message(1)[:-1])
    age(path)
    assert harvest() == ["prod/job/1"]
    with path.open("ab") as file:
        file.write(b"\n" + message(2))
    assert harvest() == ["prod/job/2"]


def test_half_a_json_file_waits_and_is_told_when_it_stays(harvest: Harvest, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(message(1)[:50])
    assert harvest() == []
    age(path)
    assert harvest() == ["no JSON; a message a line goes into a file .jsonl"]
    assert harvest() == []
    path.write_bytes(message(1))
    assert harvest() == ["prod/job/1"]


@pytest.mark.parametrize("longer", [False, True])
def test_another_file_of_the_same_name_is_read_from_its_start(
    harvest: Harvest, tmp_path: Path, longer: bool
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(message(1) + message(2))
    harvest()
    path.write_bytes(message(7) + (message(8) + message(9) if longer else b""))
    assert harvest() == (["prod/job/7", "prod/job/8", "prod/job/9"] if longer else ["prod/job/7"])


def test_broken_lines_are_told_with_their_place(harvest: Harvest, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"topic": \n' + message(1) + b'{"msg": {}}\n' + message(2, status="success", job_id="x")
    )
    keys = harvest()
    assert keys[1] == "prod/job/1"
    bad = [each for each in harvest.seen if isinstance(each, Garbled)]
    assert ["is no JSON" in bad[0].reason, "without a topic" in bad[1].reason] == [True, True]
    assert "job_id" in bad[2].reason
    assert bad[1].position == f"a.jsonl: byte {11 + len(message(1))}"


def test_what_is_too_long_is_told_and_passed(
    harvest: Harvest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_module, "MOST_LINE", 2000)
    monkeypatch.setattr(saved_module, "MOST_BYTES", 4000)
    (tmp_path / "a.jsonl").write_bytes(b"[" + b"1," * 3000 + b"1]\n" + message(1))
    (tmp_path / "b.json").write_bytes(b"[" + b"1," * 3000 + b"1]")
    first, second, third = harvest()
    assert "a line of 2000 bytes or more" in first
    assert second == "prod/job/1"
    assert "a file of 6003 bytes" in third
    assert harvest() == []


def test_a_harvest_goes_on_within_a_file(
    harvest: Harvest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "STEP", 2)
    (tmp_path / "a.jsonl").write_bytes(b"".join(message(number) for number in range(5)))
    (tmp_path / "b.jsonl").write_bytes(message(5))
    harvest()
    whole = harvest.seen
    marks = [number for number, each in enumerate(whole) if isinstance(each, Checkpoint)]
    assert len(marks) >= 3
    for mark in marks:
        rest = Harvest(tmp_path, cursor=whole[mark].cursor)
        before = [each.key for each in whole[:mark] if isinstance(each, Observation)]
        assert before + rest() == [f"prod/job/{number}" for number in range(6)]


def test_a_file_that_is_gone_is_forgotten(harvest: Harvest, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(message(1))
    (tmp_path / "b.jsonl").write_bytes(message(2))
    harvest()
    (tmp_path / "a.jsonl").unlink()
    harvest()
    assert list(json.loads(harvest.cursor or "")) == ["b.jsonl"]


@pytest.mark.parametrize("cursor", ["", "no json", "[1]", '{"a.jsonl": 7}', '{"a.jsonl": [1]}', "7"])
def test_a_cursor_that_is_not_ours_begins_at_the_start(tmp_path: Path, cursor: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(message(1))
    assert Harvest(tmp_path, cursor=cursor)() == ["prod/job/1"]


def test_a_missing_folder_is_no_silence(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="no folder"):
        Harvest(tmp_path / "absent")()
    with pytest.raises(SourceUnavailableError, match="no folder"):
        list(Autocloud().check(Options(path=tmp_path / "absent"), HTTP))


def test_a_file_that_cannot_be_read_holds_up_no_other(
    harvest: Harvest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(message(1))
    (tmp_path / "b.jsonl").write_bytes(message(2))
    real: Callable[..., Any] = Path.open

    def refuse(path: Path, *words: Any, **more: Any) -> Any:
        if path.name == "a.jsonl":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *words, **more)

    seen: list[Any] = []
    told = Autocloud().harvest(Options(path=tmp_path), None, HTTP)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        with pytest.raises(SourceRefusedError, match=r"a\.jsonl: Permission denied"):
            seen.extend(told)
    assert [each.key for each in seen if isinstance(each, Observation)] == ["prod/job/2"]
    harvest.cursor = seen[-1].cursor
    assert harvest() == ["prod/job/1"]


def test_what_was_garbled_is_read_again(harvest: Harvest, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(message(1, job_id="x"))
    harvest()
    (bad,) = [each for each in harvest.seen if isinstance(each, Garbled)]
    options = Options(path=tmp_path)
    (still,) = Autocloud().reread(options, bad, HTTP)
    assert isinstance(still, Garbled)
    (mended,) = Autocloud().reread(options, Garbled(raw=message(1).strip(), reason="x"), HTTP)
    assert isinstance(mended, Observation)


def test_a_check_says_what_a_harvest_would_meet(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "all", ignore=shutil.ignore_patterns("*.golden.json"))
    lines = list(Autocloud().check(Options(path=tmp_path / "all"), HTTP))
    assert lines[0].startswith("14 files of saved messages below")
    assert lines[1] == "compose-2016-nameless.json: of its first 1 messages, 0 are results of Autocloud"
