"""The sink sqlite: a second file says what the first store says, each result once."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from ci_results.domain.batch import Batch
from ci_results.domain.group import Group
from ci_results.domain.page import Page
from ci_results.domain.run import Run
from ci_results.errors import SinkUnavailableError
from ci_results.operations.deliver import deliver
from ci_results.query.results import ResultQuery
from ci_results.sinks import builtin
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.sqlite import Options, Sqlite
from ci_results.store.sqlite import SqliteStore
from ci_results.testing import SinkContract
from ci_results.testing.store_contract import NOON, result

SINK = Sqlite()


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(path=tmp_path / "second.db")


def kept(options: Options) -> list[tuple[str, str, str]]:
    with SqliteStore.open(options.path) as store:
        return sorted((one.source, one.testcase, one.outcome) for one in store.results(ResultQuery()))


class TestSqlite(SinkContract):
    sink = SINK
    plugin = builtin
    options: ClassVar[Options]

    @pytest.fixture(autouse=True)
    def _placed(self, options: Options) -> None:
        type(self).options = options

    def received(self) -> int:
        return len(kept(self.options)) if self.options.path.exists() else 0


@pytest.mark.demand("S-126")
def test_both_files_say_the_same(tmp_path: Path, options: Options) -> None:
    with SqliteStore.open(tmp_path / "first.db") as store:
        run = Run(key="job#1", ref_url="https://ci.example/1", data={"job": "job"})
        begun = result("a", outcome="running", time=NOON - timedelta(hours=1), run=run)
        ended = result("a", outcome="failed", run=run, scenario="uefi", note="n", duration_s=1.5)
        store.commit_page(Page(source="ci", results=[begun, result("b")]))
        store.commit_page(Page(source="ci", results=[ended], ref_urls={"ns.case": "https://docs.example/"}))
        store.commit_page(Page(source="other", results=[result("a", source="other", run=None)]))
        sink = ConfiguredSink(name="second", sink=SINK, options=options, keys=SinkKeys(kind="sqlite"))
        for _ in range(2):
            (report,) = deliver([sink], Surroundings(store=store))
            assert report.ok
        with SqliteStore.open(options.path) as second:
            assert list(second.dump(portable=True)) == list(store.dump(portable=True))
            assert second.counts()["results"] == 4
            assert second.testcase("ns.case").ref_url == "https://docs.example/"


def test_a_batch_that_comes_again_is_stored_once(options: Options) -> None:
    given = Batch([result("a"), result("b", source="other"), result("c")])
    for _ in range(3):
        SINK.deliver(options, given)
    assert kept(options) == [("ci", "ns.case", "PASSED")] * 2 + [("other", "ns.case", "PASSED")]


def test_groups_come_with_their_descriptions(options: Options) -> None:
    grouped = replace(result("a"), groups=("g1", "g2"))
    SINK.deliver(options, Batch([grouped], groups={"g1": Group(uuid="g1", description="nightly")}))
    with SqliteStore.open(options.path) as store:
        assert store.group("g1").description == "nightly"
        assert store.group("g2").description is None


def test_a_file_that_cannot_be_used_keeps_all_waiting(tmp_path: Path) -> None:
    with pytest.raises(SinkUnavailableError, match="make it first"):
        SINK.deliver(Options(path=tmp_path / "no" / "second.db"), Batch([result("a")]))
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and no database at all, however one looks at them\n" * 20)
    with pytest.raises(SinkUnavailableError, match=r"notes\.txt"):
        SINK.deliver(Options(path=path), Batch([result("a")]))
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_a_store_is_never_fed_with_its_own_results(options: Options) -> None:
    with SqliteStore.open(options.path) as store:
        store.commit_page(Page(source="ci", results=[result("a")]))
        sink = ConfiguredSink(
            name="self", sink=SINK, options=options, keys=SinkKeys(kind="sqlite", retries=0)
        )
        (report,) = deliver([sink], Surroundings(store=store))
        assert (report.sent, "is this very store" in (report.error or "")) == (0, True)
        assert store.counts()["results"] == 1


def test_a_check_says_what_is_there(tmp_path: Path, options: Options) -> None:
    assert list(SINK.check(options)) == [f"{options.path} will be made"]
    assert not options.path.exists()
    SINK.deliver(options, Batch([result("a")]))
    assert list(SINK.check(options)) == [f"{options.path} has 1 results"]
    with pytest.raises(SinkUnavailableError, match="make it first"):
        list(SINK.check(Options(path=tmp_path / "no" / "second.db")))
