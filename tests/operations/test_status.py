from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ci_results.domain.bus_message import ListenerState
from ci_results.domain.garbled import Garbled
from ci_results.domain.page import Page
from ci_results.domain.stored import SourceState
from ci_results.operations.status import QuarantineStatus, status
from ci_results.store.protocol import Store
from ci_results.testing.decision_rules import recorded
from ci_results.testing.store_contract import result


def test_it_tells_how_all_fare(each_store: Store) -> None:
    store = each_store
    for name in ("good", "bad", "gone"):
        store.register_source(SourceState(name=name, collector="scripted"))
        store.note_attempt(name, "HTTP 503" if name == "bad" else None)
    store.commit_page(
        Page(
            source="api",
            results=[result(key, source="api") for key in "abc"],
            quarantine=[Garbled(raw=b"x", reason="bad")],
        )
    )
    for listener, backlog in (("a:1", 7), ("b:1", 9)):
        store.bus.note(ListenerState(name="umb", listener=listener, backlog=backlog, lag_s=0.5))
    begin = store.outbox.begin("far")
    state = store.decisions.begin()
    store.decisions.record(state, state.position, "", [recorded(), recorded(2, verdict="go")])
    told = status(store, sources=["good", "bad", "new"], buses=["umb", "files"], sinks=["far"])
    assert [(one.name, one.state) for one in told.sources] == [
        ("good", "ok"), ("bad", "bad"), ("new", "new"), ("api", "told"), ("gone", "removed"),
    ]  # fmt: skip
    assert [(one.name, one.state, one.listeners, one.backlog) for one in told.buses] == [
        ("umb", "listening", 2, 9), ("files", "silent", 0, None),
    ]  # fmt: skip
    assert [(one.name, one.waiting > 0) for one in told.sinks] == [("far", True)], begin
    assert told.quarantine == (QuarantineStatus(source="api", door="harvest", records=1),)
    assert told.decisions.verdicts == {"wait": 1, "go": 1}
    assert told.decisions.waiting == 1
    assert told.results in (0, 3)  # PostgreSQL counts days behind the commits


def test_a_bus_that_nobody_tells_of_any_more_is_silent(each_store: Store) -> None:
    each_store.bus.note(ListenerState(name="umb", backlog=9))
    (told,) = status(each_store, now=datetime.now(UTC) + timedelta(minutes=2)).buses
    assert (told.state, told.listeners, told.backlog) == ("silent", 0, 9)


@pytest.mark.parametrize("sinks", [[], ["never"]])
def test_an_empty_store_has_nothing_to_tell(each_store: Store, sinks: list[str]) -> None:
    told = status(each_store, sinks=sinks)
    assert (told.sources, told.buses, told.quarantine) == ((), (), ())
    assert [one.name for one in told.sinks] == sinks
    assert (told.decisions.waiting, told.results) == (None, 0)
