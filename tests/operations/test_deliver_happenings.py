"""Deliver what happens beside results: in the order of commits, at least once, to sinks that take it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ci_results.domain.batch import Batch
from ci_results.domain.happening import KINDS, Happening
from ci_results.domain.page import Page
from ci_results.errors import DeliveryError, SinkRefusedError, SinkUnavailableError
from ci_results.operations.deliver import deliver
from ci_results.operations.export_feed import export_feed
from ci_results.plugin.contract import Sink
from ci_results.sinks import delivering
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.jsonlines import JsonLines, Options
from ci_results.sinks.progress import SinkReport, State
from ci_results.store.opening import open_store
from ci_results.store.protocol import Store
from ci_results.testing.decision_rules import recorded
from ci_results.testing.store_contract import result
from ci_results.testing.waiver_contract import grant
from ci_results.wire.feed_schemas import SCHEMA

ANSWER: dict[str, Any] = {
    "policies_satisfied": False, "summary": "s", "applicable_policies": [], "satisfied_requirements": [],
    "unsatisfied_requirements": [], "subject": [], "expected": [],
}  # fmt: skip


class Heap(Sink[Any]):
    """Keeps the keys of results, and names of what happened: "waiver 3-0"."""

    name = "heap"
    options = type(None)
    takes = frozenset(KINDS)

    def __init__(self, before: Callable[[str], None] = lambda name: None) -> None:
        self.before = before
        self.got: list[str] = []

    def deliver(self, options: Any, batch: Batch) -> None:
        self.got += [one.key for one in batch]

    def announce(self, options: Any, happenings: Sequence[Happening]) -> None:
        for each in happenings:
            self.before(each.event)
        self.got += [f"{each.event} {each.id}" for each in happenings]


class ResultsOnly(Heap):
    takes = frozenset()

    def announce(self, options: Any, happenings: Sequence[Happening]) -> None:
        raise AssertionError


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:{tmp_path / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql")
        url = place("happenings")
    with open_store(url) as opened:  # type: ignore[attr-defined]
        yield opened


def fill(store: Store) -> list[str]:
    """Store results, waivers and decisions in turns; return what a sink is told, in order."""
    commit(store, "a", "b")  # 1
    store.waivers.append([grant(), grant()])  # 2
    decide(store, 1)  # 3
    commit(store, "c")  # 4
    decide(store, 2)  # 5
    return ["a", "b", "waiver 2-0", "waiver 2-1", "decision 3-0", "c", "decision 5-0"]


def commit(store: Store, *keys: str) -> None:
    store.commit_page(Page(source="ci", results=[result(key) for key in keys]))


def decide(store: Store, number: int) -> None:
    state = store.decisions.begin()
    store.decisions.record(state, state.position, "", [recorded(number, answer=ANSWER)])


def run(store: Store, sink: Sink[Any], options: Any = None, **keys: Any) -> SinkReport:
    table = ConfiguredSink(name="far", sink=sink, options=options, keys=SinkKeys(kind="heap", **keys))
    (report,) = deliver([table], Surroundings(store=store, first_pause_s=0.001))
    return report


@pytest.mark.parametrize(("rows", "commits"), [(1_000, 50), (1, 50), (1_000, 1), (1, 1), (2, 2)])
def test_all_is_told_once_in_the_order_of_commits_however_it_is_read(
    store: Store, rows: int, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "READ_ROWS", rows)
    monkeypatch.setattr(delivering, "READ_COMMITS", commits)
    told = fill(store)
    sink = Heap()
    report = run(store, sink)
    assert (report.state, report.sent, report.waiting) == (State.OK, 3, 0)
    assert sink.got == told
    assert run(store, sink).sent == 0
    assert sink.got == told
    commit(store, "d")
    decide(store, 3)
    run(store, sink)
    assert sink.got[len(told) :] == ["d", "decision 7-0"]


def test_a_sink_that_takes_results_alone_gets_those_and_is_held_up_by_nothing(store: Store) -> None:
    fill(store)
    sink = ResultsOnly()
    assert run(store, sink).waiting == 0
    assert sink.got == ["a", "b", "c"]


@pytest.mark.parametrize("events", [("waiver",), ("decision",), ()])
def test_a_sink_gets_what_its_table_names(store: Store, events: tuple[str, ...]) -> None:
    told = fill(store)
    sink = Heap()
    run(store, sink, events=events)
    assert sink.got == [each for each in told if each.split()[0] in (*events, "a", "b", "c")]


def test_a_sink_that_begins_now_hears_nothing_of_the_past(store: Store) -> None:
    fill(store)
    sink = Heap()
    run(store, sink, begin="now")
    decide(store, 3)
    run(store, sink, begin="now")
    assert sink.got == ["decision 6-0"]


def test_what_could_not_be_told_is_told_again(store: Store) -> None:
    told = fill(store)
    sink = Heap(failing(SinkUnavailableError, 3))
    assert run(store, sink, retries=9).state is State.OK
    assert sink.got == told


def test_what_is_refused_is_passed_by_and_noted(store: Store) -> None:
    told = fill(store)
    sink = Heap(failing(SinkRefusedError, 1))
    run(store, sink)
    assert sink.got == [each for each in told if each != "decision 3-0"]


def failing(kind: type[DeliveryError], times: int) -> Callable[[str], None]:
    left = [times]

    def before(event: str) -> None:
        if event == "decision" and left[0]:
            left[0] -= 1
            raise kind("no decision")

    return before


@pytest.mark.demand("S-136")
def test_the_feed_has_a_line_for_each_once_also_where_a_crash_repeats_one(
    store: Store, tmp_path: Path
) -> None:
    fill(store)
    path = tmp_path / "feed.jsonl"
    run(store, JsonLines(), Options(path=path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == [
        *("result", "result", "waiver", "waiver", "decision", "result", "decision")
    ]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    assert [line["previous"] is None for line in lines if line["event"] == "decision"] == [True, False]
    happened = store.outbox.happened(store.outbox.begin("other"), None, KINDS, 100)
    JsonLines().announce(Options(path=path), happened[5])
    assert len(path.read_text().splitlines()) == len(lines)
    hashes = [line["hash"] for line in lines if line["event"] == "waiver"]
    assert hashes == [event.hash for event in store.waivers.events()]


def test_a_sink_that_says_it_takes_more_and_cannot_is_told_by_name(store: Store) -> None:
    fill(store)
    report = run(store, type("Wrong", (Heap,), {"announce": Sink.announce})(), retries=0)
    assert report.state is State.BROKEN
    assert report.error is not None
    assert "announce()" in report.error


def test_what_is_stored_between_two_questions_of_a_delivery_is_not_passed_by(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    after, found = store.outbox.after, []

    def then_something_comes(*asked: Any) -> Any:
        out = after(*asked)
        if not out.positions and not found:
            found.append(out)
            commit(store, "late")
            store.waivers.append([grant()])
        return out

    monkeypatch.setattr(store.outbox, "after", then_something_comes)
    sink = Heap()
    run(store, sink)
    run(store, sink)
    assert sink.got == ["late", "waiver 2-0"]


def test_what_is_stored_between_two_questions_of_an_export_is_not_passed_by(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after, found = store.outbox.after, []

    def then_something_comes(*asked: Any) -> Any:
        out = after(*asked)
        if not found:
            found.append(out)
            commit(store, "late")
            store.waivers.append([grant()])
        return out

    store.waivers.append([grant()])
    monkeypatch.setattr(store.outbox, "after", then_something_comes)
    assert export_feed(store, tmp_path / "feed.jsonl").lines == {"waiver": 1}
    assert export_feed(store, tmp_path / "second.jsonl").lines == {"waiver": 2, "result": 1}
