from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ci_results.collect.source import Source
from ci_results.domain.bus_message import ListenerState
from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.page import Page
from ci_results.domain.result import Result
from ci_results.domain.stored import SourceState
from ci_results.operations.coverage import coverage
from ci_results.operations.doctor import (
    Finding,
    examine_buses,
    examine_disk,
    examine_follower,
    examine_results,
    examine_sinks,
    examine_sources,
    examine_store,
    examine_tokens,
    file_system,
)
from ci_results.plugin.manager import Plugins
from ci_results.plugin.token import Token
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.decision_rules import awaited, recorded

DAY = timedelta(days=1)


def brief(findings: object) -> list[tuple[str, str]]:
    return [(each.about, str(each.health)) for each in findings]  # type: ignore[attr-defined]


def test_a_source_is_told_by_how_it_fared(store: SqliteStore) -> None:
    for name in ("good", "old", "failing", "never-good", "new"):
        store.register_source(SourceState(name=name, collector="scripted"))
    for name in ("good", "old", "failing"):
        store.note_attempt(name, None)
    store.note_attempt("failing", "HTTP 503")
    store.note_attempt("never-good", "HTTP 401")
    patience = dict.fromkeys(("good", "failing", "never-good", "new", "unknown"), DAY) | {"old": -DAY}
    assert brief(examine_sources(store, patience)) == [
        ("failing", "bad"), ("never-good", "bad"), ("new", "warning"), ("unknown", "warning"),
        ("old", "warning"), ("sources", "good"),
    ]  # fmt: skip


def test_an_untouched_store_is_good(store: SqliteStore) -> None:
    assert brief(examine_results(store)) == [("quarantine", "good")]
    assert brief(examine_store(store, None)) == [("store", "good")]


@pytest.mark.demand("S-038")
def test_a_sink_is_told_by_what_waits_for_it(store: SqliteStore) -> None:
    result = Result(
        source="one", key="1", testcase="a.b", outcome="PASSED", item="x", item_type="plain", data={}
    )  # fmt: skip
    store.commit_page(Page(source="one", results=[result]))
    for name in ("good", "parked"):
        begin = store.outbox.begin(name)
        (end,) = store.outbox.after(begin, 9).positions
        refused = [(end.result, "no")] if name == "parked" else []
        store.outbox.move(name, begin, end, sent=0, parked=refused)
    store.outbox.note_failure("failing", "HTTP 503")
    patience = dict.fromkeys(("good", "parked", "failing", "new"), DAY) | {"late": -DAY}
    findings = list(examine_sinks(store, patience))
    assert brief(findings) == [
        ("sink parked", "warning"), ("sink failing", "bad"), ("sink late", "warning"), ("sinks", "good"),
    ]  # fmt: skip
    assert findings[1].says.startswith("1 results wait since 2")
    assert findings[1].says.endswith("Z: HTTP 503")
    assert [each.advice for each in findings[:3]] == [
        "ci-results sink parked parked", "ci-results sink check failing", "ci-results deliver late",
    ]  # fmt: skip
    assert list(examine_sinks(store, {})) == []


def test_quarantine_silent_jobs_and_a_wrong_clock_are_told(store: SqliteStore) -> None:
    result = Result(
        source="one", key="1", testcase="a.b", outcome="PASSED", item="x", item_type="plain", data={}
    )  # fmt: skip
    jobs = (Job(name="quiet"), Job(name="loud", last_report=datetime.now(UTC)))
    store.commit_page(
        Page(
            source="one",
            results=[result],
            quarantine=[Garbled(raw=b"?", reason="odd")],
            jobs=jobs,
            cursor="1",
        )
    )
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert brief(examine_results(store, an_hour_ago)) == [
        ("quarantine", "warning"), ("jobs", "warning"), ("clock", "warning"),
    ]  # fmt: skip
    assert next(iter(examine_results(store))).says == "1 record waits: 1 of one (harvest)"
    (row,) = coverage(store, store.jobs())
    assert (row.jobs["publishes"], row.jobs["silent"], row.percent) == (1, 1, 50.0)


@pytest.mark.parametrize(("mode", "health"), [(0o600, "good"), (0o644, "warning"), (None, "bad")])
def test_a_token_file_is_told_by_its_mode(
    plugins: Plugins, tmp_path: Path, mode: int | None, health: str
) -> None:
    file = tmp_path / "token"
    if mode is not None:
        file.write_text("secret")
        file.chmod(mode)
    collector = plugins.collectors["scripted"]
    source = Source(name="a", collector=collector, options=None, token=Token(file=file))
    (finding,) = examine_tokens({"a": source})
    assert str(finding.health) == health
    assert "secret" not in finding.says


MOUNTS = ["/dev/sda / ext4 rw 0 0", "server:/x /data nfs4 rw 0 0", "/dev/sdb /data/with\\040blank xfs rw 0 0"]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "ext4"),
        ("/data", "nfs4"),
        ("/data/ci", "nfs4"),
        ("/database", "ext4"),
        ("/data/with blank/x", "xfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(folder: str, kind: str) -> None:
    assert file_system(Path(folder), MOUNTS) == kind


def test_a_store_on_a_network_file_system_is_bad(tmp_path: Path) -> None:
    findings: list[Finding] = list(examine_disk(tmp_path / "x.db", [f"server:/x {tmp_path} nfs rw 0 0"]))
    assert "is on nfs" in findings[1].says


def test_a_follower_is_told_by_what_it_has_not_looked_at(store: SqliteStore) -> None:
    later = datetime.now(UTC) + timedelta(minutes=11)
    store.save_events([awaited()])
    assert brief(examine_follower(store, later)) == []
    state = store.decisions.begin()
    assert brief(examine_follower(store)) == [("follower", "good")]
    (late,) = examine_follower(store, later)
    assert (late.health, late.advice) == ("warning", "ci-results follow")
    assert "1 commits wait since" in late.says
    store.decisions.record(state, store.decisions.news(state.position, 9).to, "", [recorded()])
    assert brief(examine_follower(store, later)) == [("follower", "good")]


@pytest.mark.demand("S-059")
def test_a_bus_that_is_away_or_that_nobody_reads_is_told(store: SqliteStore) -> None:
    store.bus.note(ListenerState(name="fedora"))
    store.bus.note(ListenerState(name="umb", state="away", error="no broker answers there", backlog=7))
    told = list(examine_buses(store, ["fedora", "umb", "files"]))
    assert brief(told) == [("bus umb", "bad"), ("bus files", "warning"), ("buses", "good")]
    later = list(examine_buses(store, ["fedora"], datetime.now(UTC) + DAY))
    assert brief(later) == [("bus fedora", "warning")]
    assert later[0].advice == "ci-results listen fedora"
