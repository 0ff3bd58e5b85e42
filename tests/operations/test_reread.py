"""What a report said that could not be read is read again, with what was told of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, ClassVar

import pytest

from ci_results.domain.observation import Observation
from ci_results.domain.report import Report
from ci_results.domain.stored import Quarantined
from ci_results.formats.junit import JUnit
from ci_results.operations.quarantine import Retried, dismiss, open_records, retry
from ci_results.operations.report import About, report
from ci_results.plugin.contract import Format
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.store.sqlite import SqliteStore

ABOUT = About(
    item="bash-5.2-1.fc40", prefix="baseos", scenario="uefi", arch="aarch64", url="https://ci.test/7"
)


class Colons(Format):
    """A format that a plugin brings later: lines "name: word"."""

    name = "colons"
    outcomes: ClassVar = {"fine": "PASSED"}

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"#colons")

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation]:
        for line in stream.read().decode().splitlines()[1:]:
            name, _, word = line.partition(": ")
            yield Observation(
                key=name, testcase=f"{about.prefix}.{name}", outcome=word, item=about.item,
                item_type=about.item_type, scenario=about.scenario, arch=about.arch, run=about.run,
            )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "r.colons"
    path.write_text("#colons\nsmoke: fine\nlong: odd\n")
    return path


def reported(store: SqliteStore, plugins: Plugins, file: Path) -> list[Quarantined]:
    list(report([str(file)], ABOUT, store, plugins))
    return open_records(store)


def again(store: SqliteStore, plugins: Plugins, *vocabulary: str) -> list[Retried]:
    return list(retry(open_records(store), {}, store, plugins, vocabulary))


@pytest.mark.demand("S-030")
def test_a_file_that_no_format_knew_is_read_by_one_that_came_later(
    plugins: Plugins, store: SqliteStore, file: Path
) -> None:
    (record,) = reported(store, plugins, file)
    assert (record.door, record.kind, record.raw) == ("report", "report", file.read_bytes())
    (before,) = again(store, plugins)
    assert "still no format recognises it" in (before.reason or "")
    assert store.quarantined_record(record.id).seen == 1
    file.unlink()  # what was kept is enough
    plugins.formats["colons"] = Colons()
    (answer,) = again(store, plugins)
    assert (answer.stored, answer.reason) == (1, None)
    (result,) = store.results(ResultQuery())
    assert (result.testcase, result.item, result.item_type) == (
        "baseos.smoke",
        "bash-5.2-1.fc40",
        "koji_build",
    )
    assert (result.scenario, result.arch, result.ref_url) == ("uefi", "aarch64", "https://ci.test/7")
    closed = store.quarantined_record(record.id).resolution or ""
    assert closed.endswith("read again as colons, 1 result new")


@pytest.mark.demand("S-030")
def test_a_word_that_the_configuration_adds_later_is_stored_then(
    plugins: Plugins, store: SqliteStore, file: Path
) -> None:
    plugins.formats["colons"] = Colons()
    (record,) = reported(store, plugins, file)
    assert (record.kind, (record.told or {})["format"]) == ("observation", "colons")
    assert "odd" in (again(store, plugins)[0].reason or "")
    Colons.outcomes["odd"] = "BORKED"
    try:
        (answer,) = again(store, plugins, "BORKED")
    finally:
        del Colons.outcomes["odd"]
    assert (answer.stored, answer.reason) == (1, None)
    assert {result.outcome for result in store.results(ResultQuery())} == {"PASSED", "BORKED"}


def test_words_are_those_of_the_format_that_read_the_file(
    plugins: Plugins, store: SqliteStore, file: Path
) -> None:
    """`odd` means something else to another format: that it is known there opens nothing here."""

    class Others(Colons):
        name = "others"
        outcomes: ClassVar = {"odd": "PASSED"}

        def recognises(self, head: bytes) -> bool:
            return False

    plugins.formats.update(colons=Colons(), others=Others())
    reported(store, plugins, file)
    (answer,) = again(store, plugins)
    assert answer.reason is not None
    assert answer.stored == 0


BROKEN = '<testsuite name="s"><testcase name="a"/><testcase name="b"><failure'


def test_a_piece_stays_while_its_file_is_damaged_and_says_what_to_do_without_it(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    file = tmp_path / "r.xml"
    file.write_text(BROKEN)
    (record,) = reported(store, plugins, file)
    (answer,) = again(store, plugins)
    assert answer.reason == record.reason
    file.write_text(BROKEN + "/></testcase></testsuite>")
    (answer,) = again(store, plugins)
    assert "has changed: ci-results report" in (answer.reason or "")
    file.unlink()
    (answer,) = again(store, plugins)
    assert "--again --item bash-5.2-1.fc40" in (answer.reason or "")
    assert len(open_records(store)) == 1


def test_a_piece_is_closed_when_its_reader_reads_the_file_whole(
    plugins: Plugins, store: SqliteStore, tmp_path: Path
) -> None:
    file = tmp_path / "r.xml"
    file.write_text(BROKEN)
    reported(store, plugins, file)

    class Mended(JUnit):
        """What a newer version of the reader makes of it."""

        def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation]:
            for name in ("a", "b"):
                yield Observation(
                    key=f"mended {name}", testcase=f"{about.prefix}.{name}", outcome="passed",
                    item=about.item, item_type=about.item_type, run=about.run,
                )  # fmt: skip

    plugins.formats["junit"] = Mended()
    (answer,) = again(store, plugins)
    assert (answer.stored, answer.reason) == (2, None)
    assert open_records(store) == []


def test_the_same_file_told_of_another_item_is_another_record(
    plugins: Plugins, store: SqliteStore, file: Path
) -> None:
    reported(store, plugins, file)
    list(report([str(file)], About(item="zsh-5.9-1.fc40", prefix="baseos"), store, plugins))
    assert [(record.told or {})["item"] for record in open_records(store)] == [
        "bash-5.2-1.fc40",
        "zsh-5.9-1.fc40",
    ]


def test_a_dismissed_record_is_closed_and_kept(plugins: Plugins, store: SqliteStore, file: Path) -> None:
    (record,) = reported(store, plugins, file)
    assert dismiss([record], "no report at all", store) == [record.id]
    assert dismiss([store.quarantined_record(record.id)], "again", store) == []
    kept = store.quarantined_record(record.id)
    assert (kept.resolution, kept.raw) == ("dismissed: no report at all", file.read_bytes())
    (answer,) = retry([kept], {}, store, plugins)
    assert answer.reason == "is closed already: dismissed: no report at all"
