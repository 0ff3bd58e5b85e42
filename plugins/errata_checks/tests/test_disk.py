"""Trees on disk: links, pipes, things that are not to be read or vanish, trees of many reports."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ci_results_errata_checks import Options, Rpmgrill
from ci_results_errata_checks.disk import Disk
from ci_results_errata_checks.place import Opened

from ci_results import Checkpoint, Garbled, SourceRefusedError, SourceSession

from .report_trees import Harvest, Tree, rpmgrill


def test_a_second_harvest_reads_nothing(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("b/deep/er/rpmgrill.json", rpmgrill("zsh-5-1.fc40"))
    first = harvest()
    assert first.files == ["a/rpmgrill.json", "b/deep/er/rpmgrill.json"]
    second = harvest(first.cursor)
    assert [type(each) for each in second.seen] == [Checkpoint]
    assert second.cursor == first.cursor


def test_what_is_new_or_changed_is_read(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("b/rpmgrill.json")
    cursor = harvest().cursor
    tree.write("b/rpmgrill.json", rpmgrill("bash-5.2-1.fc40", "BadRpath"))
    tree.write("c/rpmgrill.json")
    again = harvest(cursor)
    assert again.files == ["b/rpmgrill.json", "c/rpmgrill.json"]
    assert harvest(again.cursor).files == []


def test_what_was_rotated_away_is_forgotten(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    old = tree.write("a/rpmgrill.json")
    one = harvest().cursor
    tree.write("b/rpmgrill.json")
    two = harvest(one).cursor
    old.unlink()
    assert len(two) > len(one)
    assert len(harvest(two).cursor) == len(one)


def test_links_are_not_followed(tree: Tree, harvest: Callable[..., Harvest], tmp_path: Path) -> None:
    tree.write("a/rpmgrill.json")
    (tree.root / "a" / "self").symlink_to(tree.root / "a")
    (tree.root / "up").symlink_to("..")
    outside = tmp_path / "secret.json"
    outside.write_bytes(rpmgrill("secret-1-1.fc40"))
    (tree.root / "b").mkdir()
    (tree.root / "b" / "rpmgrill.json").symlink_to(outside)
    (tree.root / "c").symlink_to(tmp_path)
    found = harvest()
    assert (found.files, found.garbled) == (["a/rpmgrill.json"], [])


def test_the_root_may_be_a_link(tree: Tree, tmp_path: Path) -> None:
    tree.write("a/rpmgrill.json")
    (tmp_path / "current").symlink_to(tree.root)
    found = Harvest(Rpmgrill().harvest(Options(path=tmp_path / "current"), None, SourceSession()))
    assert found.files == ["a/rpmgrill.json"]


def test_a_file_that_became_a_link_is_gone(tree: Tree, tmp_path: Path) -> None:
    tree.write("a/rpmgrill.json")
    (tree.root / "b").symlink_to("a")
    for path in ("b/rpmgrill.json", "none.json", "a/rpmgrill.json/x"):
        with pytest.raises(SourceRefusedError) as caught, Disk(tree.root, None).opened(path):
            pass
        assert caught.value.status == 404


def test_a_pipe_holds_nobody(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    tree.write("a/rpmgrill.json")
    (tree.root / "b").mkdir()
    os.mkfifo(tree.root / "b" / "rpmgrill.json")
    assert harvest().files == ["a/rpmgrill.json"]
    with pytest.raises(SourceRefusedError, match="no file"), Disk(tree.root, None).opened("b/rpmgrill.json"):
        pass


def test_hidden_things_are_left_alone(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    tree.write(".snapshot/a/rpmgrill.json")
    tree.write("a/.rpmgrill.json.Xa31")
    assert harvest(files=("*.json*",)).seen == [Checkpoint("1:")]


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names that the system refuses to open; root may open all, so no mode of a file would do."""
    names: set[str] = set()
    real = os.open

    def refusing(name: Any, *args: Any, **kwargs: Any) -> int:
        if name in names:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)
    return names


def test_what_cannot_be_opened_is_told_until_it_can(
    tree: Tree, harvest: Callable[..., Harvest], forbidden: set[str]
) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("locked/rpmgrill.json")
    tree.write("b/rpmgrill.xml", b"")
    forbidden |= {"locked", "rpmgrill.xml"}
    first = harvest()
    assert first.files == ["a/rpmgrill.json"]
    assert sorted((each.key, each.reason) for each in first.garbled) == [
        ("b/rpmgrill.xml", f"{tree.root}/b/rpmgrill.xml: Permission denied"),
        ("locked/", f"{tree.root}/locked: Permission denied"),
    ]
    forbidden.clear()
    assert harvest(first.cursor).files == ["locked/rpmgrill.json"]


def test_a_root_that_is_not_there_is_refused(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    tree.root.rmdir()
    found = harvest()
    assert isinstance(found.error, SourceRefusedError)
    assert str(found.error) == f"{tree.root}: No such file or directory"


def test_what_vanishes_on_the_way_is_no_news(
    tree: Tree, harvest: Callable[..., Harvest], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("b/rpmgrill.json")
    real = Disk.opened

    @contextmanager
    def vanishing(self: Disk, path: str) -> Iterator[Opened]:
        if path.startswith("b"):
            (tree.root / path).unlink()
        with real(self, path) as opened:
            yield opened

    monkeypatch.setattr(Disk, "opened", vanishing)
    found = harvest()
    assert (found.files, found.garbled, found.error) == (["a/rpmgrill.json"], [], None)


def test_a_disk_that_fails_while_a_report_is_read_is_told(
    tree: Tree, harvest: Callable[..., Harvest], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("a/rpmgrill.json")
    real = Disk.opened

    class Failing:
        def seek(self, place: int) -> int:
            return place

        def read(self, size: int = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    @contextmanager
    def failing(self: Disk, path: str) -> Iterator[Opened]:
        with real(self, path) as opened:
            yield Opened(stream=Failing(), modified=None, age_s=None, steady=opened.steady)  # type: ignore[arg-type]

    monkeypatch.setattr(Disk, "opened", failing)
    found = harvest()
    assert found.reasons == ["a/rpmgrill.json: Input/output error"]
    monkeypatch.undo()
    assert harvest(found.cursor).files == ["a/rpmgrill.json"]


def test_a_report_that_changes_while_it_is_read_is_read_again(
    tree: Tree, harvest: Callable[..., Harvest], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("a/rpmgrill.json")
    real = Disk.opened

    @contextmanager
    def written(self: Disk, path: str) -> Iterator[Opened]:
        with real(self, path) as opened:
            os.utime(self._root / path, (1_800_000_000, 1_800_000_000))
            yield opened

    monkeypatch.setattr(Disk, "opened", written)
    first = harvest()
    assert first.files == ["a/rpmgrill.json"]
    monkeypatch.undo()
    assert harvest(first.cursor).files == ["a/rpmgrill.json"]


def test_names_of_any_bytes_are_keys(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    for name in (b"caf\xe9", "žluťoučký kůň".encode(), b"50%", b"line\nbreak\x07"):
        tree.write(name + b"/rpmgrill.json")
    found = harvest()
    keys = ["50%25", "caf%E9", "line%0Abreak%07", "žluťoučký kůň"]
    assert found.files == [f"{key}/rpmgrill.json" for key in keys]
    http = SourceSession()
    for key in found.files:
        again = Rpmgrill().reread(Options(path=tree.root), Garbled(raw=b"", reason="x", key=key), http)
        assert [each.run.key for each in again if not isinstance(each, Garbled) and each.run] == [key, key]


def test_a_key_leads_nowhere_else(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "rpmgrill.json").write_bytes(rpmgrill())
    for key in ("../rpmgrill.json", "/etc/passwd", "a//b", "%2E%2E/rpmgrill.json", "./x"):
        with pytest.raises(Exception, match="no path below it"):
            Rpmgrill().reread(Options(path=tree.root), Garbled(raw=b"", reason="x", key=key), SourceSession())


def test_a_closed_folder_is_walked_once(
    tree: Tree, harvest: Callable[..., Harvest], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("old/rpmgrill.json")
    os.utime(tree.root / "old", (1_767_225_600, 1_767_225_600))
    tree.write("new/rpmgrill.json")
    entered: list[str] = []
    real = Disk.listing
    monkeypatch.setattr(Disk, "listing", lambda self, path: entered.append(path) or real(self, path))
    cursor = harvest(closed_after_days=7).cursor
    assert sorted(entered) == ["", "new", "old"]
    entered.clear()
    second = harvest(cursor, closed_after_days=7)
    assert sorted(entered) == ["", "new"]
    tree.write("old/rpmgrill.xml", b"x")  # its folder has changed
    assert (tree.root / "old").stat().st_mtime > 1_767_225_600
    entered.clear()
    assert harvest(second.cursor, closed_after_days=7).files == ["old/rpmgrill.json"]
    assert sorted(entered) == ["", "new", "old"]


def test_a_folder_of_folders_is_never_closed(tree: Tree, harvest: Callable[..., Harvest]) -> None:
    """What comes into a folder further below does not change it."""
    tree.write("b/bash/1/rpmgrill.json")
    for folder in ("b", "b/bash", "b/bash/1"):
        os.utime(tree.root / folder, (1_767_225_600, 1_767_225_600))
    cursor = harvest(closed_after_days=7).cursor
    tree.write("b/bash/2/rpmgrill.json")
    os.utime(tree.root / "b", (1_767_225_600, 1_767_225_600))
    assert harvest(cursor, closed_after_days=7).files == ["b/bash/2/rpmgrill.json"]


def test_a_tree_of_any_size_is_walked_in_flat_memory(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held grows by less than 100 bytes a report; their reading, tested elsewhere, is left out."""
    status = tree.write("one/rpmgrill.json").stat()

    class Found:
        def __init__(self, number: int) -> None:
            self.name = f"rpmgrill-{number:06}-of-a-build-with-a-long-name.json"

        def is_dir(self, *, follow_symlinks: bool) -> bool:
            return False

        def is_symlink(self) -> bool:
            return False

        def is_file(self, *, follow_symlinks: bool) -> bool:
            return True

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            return status

    def read(self: Any, path: str, opened: None, link: str | None) -> Generator[None, None, bool]:
        yield from ()
        return True

    @contextmanager
    def opened(self: Disk, path: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(Disk, "opened", opened)
    monkeypatch.setattr("ci_results_errata_checks.reading.Reader.read", read)
    peaks = []
    for reports in (5_000, 20_000):
        monkeypatch.setattr(
            "ci_results_errata_checks.disk.DiskListing._scan",
            lambda self, reports=reports: map(Found, range(reports)),
        )
        tracemalloc.start()
        try:
            cursor = walked(tree, None)
            assert walked(tree, cursor) == cursor
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert len(cursor) < 12 * reports
    assert peaks[1] - peaks[0] < 100 * 15_000


def walked(tree: Tree, cursor: str | None) -> str:
    """Harvest a tree whose reports say nothing; return the last cursor."""
    options = Options(path=tree.root, files=("rpmgrill*.json",))
    number = 0
    for step in Rpmgrill().harvest(options, cursor, SourceSession()):
        assert isinstance(step, Checkpoint)
        cursor, number = step.cursor, number + 1
    assert number < 60
    return str(cursor)
