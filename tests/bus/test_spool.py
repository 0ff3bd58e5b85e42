"""The folder of files keeps the contract of transports, and what a crash leaves is no harm."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ci_results import SinkUnavailableError, SourceUnavailableError, open_message
from ci_results.bus.choosing import Chosen, choose
from ci_results.testing.transport_contract import TransportContract


class TestSpool(TransportContract):
    @pytest.fixture
    def bus(self, tmp_path: Path) -> Chosen:
        return choose(f"spool:{tmp_path / 'spool'}?fsync=false")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "new").mkdir()
    return tmp_path


def receive(folder: Path, most: int = 100) -> list[bytes]:
    with closing(choose(f"spool:{folder}").inlet()) as inlet:
        found = inlet.receive(most, 0, 0)
        inlet.ack(found)
        return [each.raw for each in found]


@pytest.mark.demand("S-019")
def test_anybody_may_drop_a_file_of_one_message_or_of_many(folder: Path) -> None:
    (folder / "new" / "b.json").write_text('{\n  "topic": "t",\n  "body": {}\n}\n')
    (folder / "new" / "a.jsonl").write_text('{"n": 1}\n\n{"n": 2}')
    (folder / "new" / ".c.json").write_text("is being written")
    (folder / "new" / "README").write_text("is no message")
    first, second, third = receive(folder)
    assert (first, second) == (b'{"n": 1}', b'{"n": 2}')
    assert open_message(third).topic == "t"
    assert sorted(path.name for path in (folder / "new").iterdir()) == [".c.json", "README"]


def test_a_file_stays_until_all_of_it_is_acknowledged(folder: Path) -> None:
    file = folder / "new" / "a.jsonl"
    file.write_text("1\n2\n3\n")
    with closing(choose(f"spool:{folder}").inlet()) as inlet:
        found = inlet.receive(3, 0, 0)
        inlet.ack(found[:2])
        assert file.exists()
    assert receive(folder, 2) == [b"1", b"2"]  # after a crash, all of it comes again
    assert receive(folder) == [b"1", b"2", b"3"]
    assert not file.exists()


def test_one_reads_a_folder_at_a_time(folder: Path) -> None:
    with (
        closing(choose(f"spool:{folder}").inlet()),
        pytest.raises(SourceUnavailableError, match="another process is reading"),
    ):
        choose(f"spool:{folder}").inlet()
    receive(folder)


def test_what_waits_is_counted(folder: Path) -> None:
    for name in "abc":
        (folder / "new" / f"{name}.json").write_text("{}")
    with closing(choose(f"spool:{folder}").inlet()) as inlet:
        assert inlet.backlog() == 3
        inlet.receive(1, 0, 0)
        assert inlet.backlog() == 2


def test_a_folder_that_cannot_be_is_told(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(SinkUnavailableError, match="file"):
        choose(f"spool:{folder / 'file'}").outlet()
    with pytest.raises(SourceUnavailableError, match="file"):
        choose(f"spool:{folder / 'file'}").inlet()
