"""Deliver: every result at least once, in order, whatever a sink does and whoever else fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ci_results.domain.batch import Batch
from ci_results.domain.page import Page
from ci_results.errors import DeliveryError, SinkRefusedError, SinkUnavailableError
from ci_results.operations.deliver import all_parked, check_sinks, deliver, reach, retry
from ci_results.plugin.contract import Sink
from ci_results.sinks import delivering
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.progress import SinkReport
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result


class Pile(Sink[Any]):
    """Keeps the keys it is given; `before` is called with each batch and may raise."""

    name = "pile"
    options = type(None)

    def __init__(self, before: Callable[[Batch], object] = lambda batch: None) -> None:
        self.before = before
        self.batches: list[list[str]] = []

    def deliver(self, options: Any, batch: Batch) -> None:
        self.before(batch)
        self.batches.append([one.key for one in batch])

    @property
    def keys(self) -> list[str]:
        return [key for batch in self.batches for key in batch]


class OneByOne(Pile):
    """Takes results singly, and says how far it got when `bad` raises for one."""

    def deliver(self, options: Any, batch: Batch) -> None:
        for number, one in enumerate(batch):
            try:
                self.before(batch[number : number + 1])
            except DeliveryError as err:
                err.delivered = number
                raise
            self.batches.append([one.key])


def configured(sink: Sink[Any], name: str = "far", **keys: Any) -> ConfiguredSink:
    return ConfiguredSink(name=name, sink=sink, options=None, keys=SinkKeys(kind="pile", **keys))


def fill(store: SqliteStore, *keys: str, source: str = "ci", **fields: Any) -> None:
    store.commit_page(Page(source=source, results=[result(key, source=source, **fields) for key in keys]))


def run(store: SqliteStore, *sinks: ConfiguredSink, **around: Any) -> list[SinkReport]:
    return deliver(sinks, Surroundings(store=store, first_pause_s=0.001, **around))


def raising(kind: type[DeliveryError], keys: str, times: int = 10**9) -> Callable[[Batch], None]:
    """Return what raises `kind` for a batch with one of these keys, so many times."""
    left = [times]

    def before(batch: Batch) -> None:
        bad = next((one.key for one in batch if one.key in keys), None)
        if bad and left[0]:
            left[0] -= 1
            raise kind(f"no {bad}")

    return before


# -- order, batches, position ------------------------------------------------------------------------


@pytest.mark.demand("S-038")
def test_all_goes_once_in_order_and_the_next_pass_sends_only_what_is_new(store: SqliteStore) -> None:
    pile = Pile()
    fill(store, *"abcde")
    fill(store, "f")
    (report,) = run(store, configured(pile, batch=4))
    assert (report.state, report.sent, report.waiting, report.error) == ("ok", 6, 0, None)
    assert pile.batches == [["a", "b", "c", "d"], ["e", "f"]]
    fill(store, "g")
    (report,) = run(store, configured(pile, batch=4))
    assert (report.sent, pile.keys) == (1, list("abcdefg"))


def test_more_than_is_read_at_once_goes(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "READ_ROWS", 3)
    pile = Pile()
    keys = [f"k{number}" for number in range(10)]
    fill(store, *keys)
    assert run(store, configured(pile, batch=2))[0].sent == 10
    assert (pile.keys, [len(batch) for batch in pile.batches]) == (keys, [2, 1, 2, 1, 2, 1, 1])


def test_a_sink_gets_only_what_it_wants(store: SqliteStore) -> None:
    fill(store, "a", testcase="rpm.lint")
    fill(store, "b", testcase="rpm.sandbox.x")
    fill(store, "c", testcase="rpm.lint", source="imported")
    fill(store, "d", testcase="other.lint")
    pile = Pile()
    sink = configured(pile, sources=("!imported",), testcases=("rpm.*", "!rpm.sandbox.*"))
    (report,) = run(store, sink)
    assert (pile.keys, report.sent, report.passed, report.waiting, report.state) == (["a"], 1, 3, 0, "ok")
    fill(store, "e", testcase="other.lint")
    assert run(store, sink)[0].passed == 1


def test_a_sink_may_begin_now(store: SqliteStore) -> None:
    fill(store, "old")
    pile = Pile()
    sink = configured(pile, begin="now")
    run(store, sink)
    fill(store, "new")
    run(store, sink)
    assert pile.keys == ["new"]


# -- failures ----------------------------------------------------------------------------------------


def test_an_outage_is_waited_for_and_nothing_is_lost(store: SqliteStore) -> None:
    fill(store, *"abcd")
    pile = Pile(raising(SinkUnavailableError, "c", times=2))
    told: list[SinkReport] = []
    (report,) = run(store, configured(pile, batch=2), tell=told.append)
    assert (report.state, pile.batches) == ("ok", [["a", "b"], ["c", "d"]])
    assert [one.error for one in told if one.state == "waiting"] == ["no c; again in 0 s"] * 2


def test_a_pass_gives_up_where_nothing_goes_through(store: SqliteStore) -> None:
    fill(store, *"abcd")
    calls: list[str] = []

    def away(batch: Batch) -> None:
        calls.append(batch[0].key)
        if batch[0].key == "c":
            raise SinkUnavailableError("away")

    (report,) = run(store, configured(Pile(away), batch=2, retries=2))
    assert (report.state, report.error, report.sent, report.waiting) == ("unreachable", "away", 2, 2)
    assert calls == ["a", "c", "c", "c"]
    (state,) = store.outbox.states()
    assert (state.last_error, state.waiting, state.sent) == ("away", 2, 2)
    assert reach([report]) == 2


def test_what_arrived_before_an_outage_is_not_sent_again(store: SqliteStore) -> None:
    fill(store, *"abcd")
    pile = OneByOne(raising(SinkUnavailableError, "c", times=3))
    (report,) = run(store, configured(pile))
    assert (report.state, pile.keys) == ("ok", list("abcd"))


@pytest.mark.parametrize("kind", [Pile, OneByOne], ids=["all or nothing", "one by one"])
def test_what_is_refused_is_parked_and_blocks_nothing(store: SqliteStore, kind: type[Pile]) -> None:
    fill(store, *"abcdefg")
    pile = kind(raising(SinkRefusedError, "bfg"))
    (report,) = run(store, configured(pile, batch=5))
    assert (report.state, report.sent, report.parked, report.waiting) == ("ok", 4, 3, 0)
    assert pile.keys == list("acde")
    assert [one.reason for one in store.outbox.parked("far")] == ["no b", "no f", "no g"]
    assert reach([report]) == 2


def test_one_failing_sink_does_not_block_another(store: SqliteStore) -> None:
    fill(store, *"abc")
    pile = Pile()

    def broken(batch: Batch) -> None:
        raise KeyError("id")

    reports = run(
        store,
        configured(Pile(raising(SinkUnavailableError, "a")), "away", retries=0),
        configured(pile, "good"),
        configured(Pile(broken), "bad"),
    )
    assert [report.state for report in reports] == ["unreachable", "ok", "broken"]
    assert reports[2].error is not None
    assert reports[2].error.endswith("delivery to bad: KeyError: 'id'")
    assert pile.keys == list("abc")
    assert {state.sink: state.waiting for state in store.outbox.states()} == {"away": 3, "bad": 3, "good": 0}
    assert (reach(reports), reach(reports[:1])) == (2, 3)


def test_a_sink_that_refuses_everything_is_asked_no_further(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "REFUSALS", 3)
    fill(store, *"abcdefgh")
    (report,) = run(store, configured(OneByOne(raising(SinkRefusedError, "abcdefgh"))))
    assert (report.state, report.parked, report.waiting) == ("refused", 3, 5)
    assert report.error == "refused 3 results in a row; the last: no c"
    assert store.outbox.states()[0].last_error == report.error


def test_a_sink_that_claims_more_than_it_was_given_is_broken(store: SqliteStore) -> None:
    def liar(batch: Batch) -> None:
        raise SinkRefusedError("no", delivered=7)

    fill(store, "a")
    (report,) = run(store, configured(Pile(liar)))
    assert (report.state, report.waiting) == ("broken", 1)
    assert report.error is not None
    assert "7 of 1 delivered, and yet: no" in report.error


def test_two_deliveries_to_one_sink_do_not_meet(store: SqliteStore) -> None:
    fill(store, "a")
    with store.outbox.lease("far"):
        (report,) = run(store, configured(Pile()))
    assert (report.state, report.error) == ("busy", "another delivery to sink far is running")


# -- stopping and following ----------------------------------------------------------------------------


def test_it_stops_between_two_batches(store: SqliteStore) -> None:
    fill(store, *"abcdef")
    stop = threading.Event()
    pile = Pile(lambda batch: stop.set() if batch[0].key == "c" else None)
    (report,) = run(store, configured(pile, batch=2), stop=stop)
    assert (report.state, pile.keys, report.waiting) == ("stopped", list("abcd"), 2)
    run(store, configured(pile, batch=2))
    assert pile.keys == list("abcdef")


def test_who_follows_gets_what_comes_and_survives_an_outage(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "POLL_S", 0.01)
    stop = threading.Event()
    pile = Pile(raising(SinkUnavailableError, "b", times=20))
    reports: list[SinkReport] = []
    sink = configured(pile, retries=0)
    monkeypatch.setattr(delivering, "LONGEST_PAUSE_S", 0.01)
    thread = threading.Thread(target=lambda: reports.extend(run(store, sink, stop=stop, follow=True)))
    thread.start()
    for key in "abc":
        fill(store, key)
        deadline = time.monotonic() + 10
        while key not in pile.keys and time.monotonic() < deadline:
            time.sleep(0.005)
    stop.set()
    thread.join(10)
    assert (pile.keys, reports[0].state, reports[0].sent) == (list("abc"), "stopped", 3)


# -- parked --------------------------------------------------------------------------------------------


def test_a_parked_result_is_retried_when_somebody_asks(store: SqliteStore) -> None:
    fill(store, *"abc")
    bad = OneByOne(raising(SinkRefusedError, "ab", times=3))
    run(store, configured(bad))
    sinks = {"far": configured(bad)}
    first = list(retry(all_parked(store, "far"), sinks, store))
    assert [one.reason for one in first] == ["no a", None]
    (left,) = store.outbox.parked()
    assert (left.tries, bad.keys) == (2, ["c", "b"])
    assert [one.reason for one in retry([left], {}, store)] == ["sink far is not configured any more"]
    away = {"far": configured(Pile(raising(SinkUnavailableError, "a")))}
    assert [one.reason for one in retry([left], away, store)] == ["no a"]
    assert store.outbox.parked()[0].tries == 2
    assert [one.reason for one in retry([left], sinks, store)] == [None]
    assert (store.outbox.parked(), store.outbox.states()[0].sent) == ([], 3)


def test_all_that_is_parked_is_found_page_by_page(store: SqliteStore) -> None:
    fill(store, *(f"k{number}" for number in range(1_200)))
    begin = store.outbox.begin("far")
    out = store.outbox.after(begin, 2_000)
    refused = [(position.result, "no") for position in out.positions]
    store.outbox.move("far", begin, out.positions[-1], sent=0, parked=refused)
    assert len(list(all_parked(store))) == 1_200


def test_a_check_asks_each_sink_and_keeps_what_it_said(store: SqliteStore) -> None:
    class Asked(Pile):
        def check(self, options: Any) -> Any:
            yield "hello"
            raise SinkUnavailableError("then it broke off")

    answers = list(check_sinks([configured(Pile(), "quiet"), configured(Asked(), "far")]))
    assert [(one.sink, one.ok, one.lines) for one in answers] == [
        ("quiet", True, ("has nothing to say",)),
        ("far", False, ("hello", "then it broke off")),
    ]
