"""From a store of ours to a server of ours, and back into a third store: all say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.run import Run
from ci_results.domain.search import NameQuery
from ci_results.operations.deliver import deliver
from ci_results.operations.import_resultsdb import Importing, import_resultsdb
from ci_results.plugin.http import SourceSession
from ci_results.plugin.manager import load_plugins
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.progress import SinkReport
from ci_results.sinks.resultsdb import Options, ResultsDB
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import NOON, result

from .conftest import over, serving

RESULTS = 300


def harvested() -> Iterator[Page]:
    """Yield pages as collectors, reports and clients leave them."""
    for build in range(10):
        run = Run(key=f"job#{build}", ref_url=f"https://ci.example/{build}", data={"job": "job", "n": "1"})
        yield Page(
            source="ci",
            results=[
                result(
                    f"k{n}", run=run, testcase=f"ns.t{n % 7}", item=f"bash-5.{build}-1.fc40",
                    outcome=("passed", "failed", "running")[n % 3], time=NOON + timedelta(seconds=build),
                    scenario="uefi" if n % 2 else None, arch=("x86_64", "s390x")[n % 2],
                    note=f"ž {n}" if n % 5 == 0 else None, ref_url=f"https://x/{n}" if n % 4 == 0 else None,
                    data={"tier": ("1", "2"), "param x/y": (str(n),)},
                )
                for n in range(RESULTS // 10)
            ],
        )  # fmt: skip
    bare = Result(
        source="api", key="1", testcase="bare/name é", outcome="INFO", item="", item_type="", data={}
    )
    given = [
        replace(bare, verbatim=True),
        replace(bare, key="2", data={"item": ("b", "a", "b")}, item="b", groups=("g2", "g1"), verbatim=True),
        replace(bare, key="3", submit_time=datetime(2099, 1, 1, tzinfo=UTC), verbatim=True),
        replace(bare, key="4", submit_time=datetime(2001, 2, 3, 4, 5, 6, 7, UTC), verbatim=True),
    ]
    yield Page(
        source="api", door="api", results=given,
        groups={"g1": {"description": "nightly", "ref_url": "https://g"}},
        ref_urls={"bare/name é": "https://docs/bare", "ns.t1": "https://docs/t1"},
    )  # fmt: skip


def said(store: SqliteStore) -> list[tuple[Any, ...]]:
    """Return what machines are told of all results, in the order of their arrival."""
    batch = store.outbox.after(store.outbox.begin("probe"), 10_000).batch
    return sorted(
        (
            one.testcase, one.outcome, one.item, one.item_type, one.scenario or "", one.arch or "",
            one.submit_time, one.note or "", one.ref_url or (one.run.ref_url if one.run else None) or "",
            one.groups, json.dumps(dict(one.data), sort_keys=True),
        )
        for one in batch
    )  # fmt: skip


def lines(store: SqliteStore) -> list[str]:
    """Return the portable dump, without what is another store's own: source, run, key."""
    facts = []
    for line in store.dump(portable=True):
        fact = json.loads(line)
        for own in ("source", "run", "key", "duration", "run_url", "ref_url", "submit_time"):
            fact.pop(own, None)
        facts.append(json.dumps(fact, sort_keys=True))
    return sorted(facts)


def send(store: SqliteStore, url: str) -> SinkReport:
    sink = ConfiguredSink(
        name="far", sink=ResultsDB(), options=Options(url=url), keys=SinkKeys(kind="resultsdb")
    )
    (report,) = deliver([sink], Surroundings(store=store))
    return report


@pytest.mark.demand("S-037")
@pytest.mark.timeout(60)
def test_what_is_delivered_to_us_and_imported_back_is_the_same(tmp_path: Path) -> None:
    far = tmp_path / "far.db"
    with (
        SqliteStore.open(tmp_path / "near.db") as near,
        SqliteStore.open(tmp_path / "back.db") as back,
        over(far) as app,
        serving(app) as client,
    ):
        for page in harvested():
            near.commit_page(page)
        url = f"{client.root}/api/v2.0"
        report = send(near, url)
        assert (report.state, report.sent, report.parked) == ("ok", RESULTS + 4, 0)
        with SourceSession(url) as http:
            given = Importing(url=url, source="far", store=back, http=http, plugins=load_plugins([]))
            assert import_resultsdb(given).state == "ok"
        there = app_store(far)
        assert said(near) == said(there) == said(back)
        assert lines(near) == lines(there) == lines(back)
        for store in (there, back):
            assert store.testcases(NameQuery(limit=99)) == near.testcases(NameQuery(limit=99))
            assert store.group("g1") == near.group("g1")
            assert store.group("g2") == near.group("g2")
        there.close()


@pytest.mark.timeout(60)
def test_what_is_sent_again_is_stored_there_once(tmp_path: Path) -> None:
    far = tmp_path / "far.db"
    with SqliteStore.open(tmp_path / "near.db") as near, over(far) as app, serving(app) as client:
        near.commit_page(Page(source="ci", results=[result(f"k{n}") for n in range(5)]))
        url = f"{client.root}/api/v2.0"
        send(near, url)
        batch = near.outbox.these([1, 2, 3, 4, 5]).batch
        ResultsDB().deliver(Options(url=url), batch)
        there = app_store(far)
        assert there.counts()["results"] == 5
        there.close()


def app_store(path: Path) -> SqliteStore:
    """Open the server's store a second time, beside it."""
    return SqliteStore.open(path, polite=True)
