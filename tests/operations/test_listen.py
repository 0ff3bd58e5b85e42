"""Messages become results: stored before they are acknowledged, once, whatever goes wrong in between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ci_results import Arrival, Departure, Inlet, Outlet, SourceUnavailableError, Transport
from ci_results.bus.choosing import Chosen, choose
from ci_results.decide.policy_set import load
from ci_results.domain.bus_message import ListenerState
from ci_results.domain.expectation import EventRule, EventRules
from ci_results.domain.page import Committed, Page
from ci_results.domain.subject import Subject
from ci_results.errors import StoreError
from ci_results.messages.opening import open_arrival
from ci_results.operations.deliver import deliver
from ci_results.operations.events import EventDoor
from ci_results.operations.follow import Following, follow_once
from ci_results.operations.gate import Gate
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.listen import Ear, Surroundings, listen
from ci_results.operations.messages_again import MessagesAgain
from ci_results.operations.quarantine import retry
from ci_results.plugin.manager import Plugins
from ci_results.query.results import ResultQuery
from ci_results.sinks.bus import Bus as BusSink
from ci_results.sinks.bus import Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings as Delivering
from ci_results.store.protocol import Store

TOPIC = "org.centos.prod.ci.koji-build.test.complete"


def said(number: int = 1, result: str = "passed", **changes: Any) -> dict[str, Any]:
    """Return the body of a CI message."""
    return {
        "contact": {"name": "ci", "team": "t", "docs": "https://ci.example", "email": "a@ci.example"},
        "run": {"url": f"https://ci.example/{number}", "log": "https://ci.example/log"},
        "artifact": {
            "type": "koji-build", "id": number, "component": "widget", "issuer": "jdoe", "scratch": False,
            "nvr": f"widget-1.4-{number}.fc43", "source": "s",
        },
        "pipeline": {"id": f"p{number}", "name": "tier0"},
        "test": {"category": "functional", "namespace": "ns", "type": "tier0", "result": result},
        "system": [{"os": "f43", "provider": "p", "architecture": "x86_64"}],
        "generated_at": "2026-02-02T02:40:00Z", "version": "1.1.14",
    } | changes  # fmt: skip


def arrival(number: int = 1, body: Any = None, topic: str = TOPIC, **fields: Any) -> Arrival:
    raw = json.dumps(said(number) if body is None else body).encode()
    return Arrival(**({"raw": raw, "topic": topic, "id": f"id-{number}", "tag": number} | fields))


@dataclass(frozen=True)
class NoOptions:
    pass


@dataclass
class Bus(Transport[NoOptions], Inlet):
    """A bus in memory that writes down what is done; `faults` are raised by the next calls of receive."""

    waiting: list[Arrival]
    log: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    unsettled: list[Arrival] = field(default_factory=list)

    name = "memory"
    schemes = ("memory",)
    options = NoOptions

    def inlet(self, options: NoOptions, url: str) -> Inlet:
        self.waiting[:0], self.unsettled = self.unsettled, []
        self.log.append("open")
        return self

    def outlet(self, options: NoOptions, url: str) -> Outlet:
        raise NotImplementedError

    def publish(self, messages: Sequence[Departure]) -> None:
        raise NotImplementedError

    def receive(self, most: int, wait_s: float, linger_s: float) -> Sequence[Arrival]:
        if self.faults:
            raise self.faults.pop(0)
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        self.unsettled += found
        return found

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        self.unsettled = [each for each in self.unsettled if each not in arrivals]
        self.log.append(f"ack {len(arrivals)}")

    def nack(self, arrivals: Sequence[Arrival]) -> None:
        raise NotImplementedError

    def idle(self, seconds: float) -> None:
        self.log.append("idle")

    def close(self) -> None:
        self.log.append("close")


@dataclass
class Listens:
    """Listens to buses until nothing waits."""

    store: Store
    plugins: Plugins
    vocabulary: tuple[str, ...] = ()

    @property
    def door(self) -> EventDoor:
        rules = EventRules(rules=(EventRule(kind="*", testcases=("ns.tier0",)),))
        return EventDoor(store=self.store, policies=load([], self.plugins.rule_types), rules=rules)

    def ear(self, bus: Bus, **taking: Any) -> Ear:
        chosen = Chosen(transport=bus, url="memory:", options=NoOptions())
        rules = Taking(**({"name": "fedora"} | taking))
        return Ear(bus=chosen, taking=rules, ingest=Ingest(rules, self.plugins, {}, self.vocabulary))

    def __call__(self, *ears: Ear, **around: Any) -> list[ListenerState]:
        given = {"store": self.store, "plugins": self.plugins, "door": self.door, "once": True}
        return listen(ears, Surroundings(**(given | {"first_pause_s": 0.001} | around)))

    def all(self, *arrivals: Arrival, **taking: Any) -> ListenerState:
        (state,) = self(self.ear(Bus(list(arrivals)), **taking))
        return state

    def again(self, vocabulary: tuple[str, ...] = ()) -> list[str | None]:
        reads = MessagesAgain(store=self.store, plugins=self.plugins, door=self.door, vocabulary=vocabulary)
        records = self.store.quarantined()
        return [each.reason for each in retry(records, {}, self.store, self.plugins, messages=reads)]


@pytest.fixture
def listens(store: Store, plugins: Plugins) -> Listens:
    return Listens(store, plugins)


def items(store: Store) -> list[str]:
    return sorted(each.item for each in store.results(ResultQuery()))


@pytest.mark.demand("S-115", "S-116")
def test_a_message_becomes_a_result_that_says_by_what_it_came(listens: Listens, store: Store) -> None:
    state = listens.all(arrival())
    assert (state.state, state.received, state.stored) == ("stopped", 1, 1)
    (result,) = store.results(ResultQuery())
    assert (result.testcase, result.outcome, result.source) == ("ns.tier0.functional", "PASSED", "bus")
    (told,) = store.bus.of_result(result.id)
    assert (told.key, told.mapping, told.topic) == ("id-1", "ci_messages@1", TOPIC)
    kept = store.bus.message("bus", "id-1")
    assert kept is not None
    assert (kept.raw, kept.told["carried"]) == (arrival().raw, "fedora-messaging")


@pytest.mark.demand("S-057")
def test_a_message_that_comes_five_times_is_stored_once(listens: Listens, store: Store) -> None:
    assert listens.all(*[arrival()] * 3).stored == 1
    assert listens.all(arrival(), arrival(id="other-id")).stored == 0
    assert len(store.results(ResultQuery())) == 1


@pytest.mark.demand("S-114")
def test_one_event_by_two_buses_is_stored_once_with_both_noted(listens: Listens, store: Store) -> None:
    buses = [Bus([arrival(number) for number in range(1, 9)]) for _ in range(2)]
    listens(*(listens.ear(bus, name=name) for bus, name in zip(buses, ("fedora", "umb"), strict=True)))
    results = store.results(ResultQuery())
    assert len(results) == 8
    assert {each.transports for one in results for each in store.bus.of_result(one.id)} == {("fedora", "umb")}


@pytest.mark.demand("S-121")
def test_a_second_teams_bus_is_another_source(listens: Listens, store: Store) -> None:
    listens(listens.ear(Bus([arrival()])), listens.ear(Bus([arrival()]), name="team", source="team"))
    assert sorted(each.source for each in store.results(ResultQuery())) == ["bus", "team"]


def test_many_messages_share_a_commit_and_an_acknowledgement(listens: Listens, store: Store) -> None:
    bus = Bus([arrival(number) for number in range(1, 8)])
    listens(listens.ear(bus), group=5)
    assert bus.log == ["open", "ack 5", "ack 2", "close"]
    assert len({each.seq for each in store.results(ResultQuery())}) == 2


def test_what_is_committed_is_acknowledged_and_nothing_before(
    listens: Listens, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = Bus([arrival()])
    commit = store.commit_page
    faults = [StoreError("disk full"), StoreError("locked")]

    def away(page: Page) -> Committed:
        bus.log.append("commit")
        if faults:
            raise faults.pop()
        return commit(page)

    monkeypatch.setattr(store, "commit_page", away)
    (state,) = listens(listens.ear(bus))
    told = [each for each in bus.log if each != "idle"]
    assert told == ["open", "commit", "commit", "commit", "ack 1", "close"]
    assert "idle" in bus.log
    assert (state.stored, state.error) == (1, None)


def test_a_bus_that_goes_away_is_opened_anew_and_nothing_is_lost(listens: Listens, store: Store) -> None:
    bus = Bus([arrival(1)], faults=[SourceUnavailableError("gone")])
    told: list[ListenerState] = []
    again = Event()

    def tell(state: ListenerState) -> None:
        told.append(state)
        if state.state == "away":
            again.set()

    stop = Event()
    thread = Thread(target=lambda: listens(listens.ear(bus), once=False, stop=stop, tell=tell))
    thread.start()
    assert again.wait(10)
    while not items(store):
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    assert [each.error for each in told if each.state == "away"] == ["gone"]
    assert bus.log[:3] == ["open", "close", "open"]
    assert told[-1].state == "stopped"


def test_who_is_to_stop_while_the_store_is_away_acknowledges_nothing(
    listens: Listens, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, stop = Bus([arrival()]), Event()

    def away(page: Page) -> Committed:
        stop.set()
        raise StoreError("disk full")

    monkeypatch.setattr(store, "commit_page", away)
    listens(listens.ear(bus), stop=stop)
    assert bus.log == ["open", "close"]
    assert bus.unsettled == [arrival()]


@pytest.mark.demand("S-115", "S-030")
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (json.dumps(said(result=7)).encode(), "result"),
        (json.dumps(said(artifact={"type": "koji-build"})).encode(), "missing"),
    ],
)
def test_what_cannot_be_read_is_kept_with_its_bytes_and_holds_nothing_up(
    raw: bytes, reason: str, listens: Listens, store: Store
) -> None:
    state = listens.all(arrival(1), arrival(2, raw=raw), arrival(3), arrival(2, raw=raw))
    assert (state.stored, state.quarantined) == (2, 1)
    (record,) = store.quarantined()
    assert (record.raw, record.kind, record.door, record.seen) == (raw, "message", "message", 1)
    assert reason in record.reason
    assert listens.again() == [record.reason]


def test_a_word_that_is_mapped_since_is_stored_with_where_it_came_from(
    listens: Listens, store: Store
) -> None:
    listens.all(arrival(1, said(1, "crashed")))
    assert "CRASHED" in store.quarantined()[0].reason.upper()
    assert listens.again(vocabulary=("CRASHED",)) == [None]
    (result,) = store.results(ResultQuery())
    (told,) = store.bus.of_result(result.id)
    assert (result.outcome, told.key, told.mapping) == ("CRASHED", "id-1", "ci_messages@1")
    assert store.quarantined() == []


def test_text_that_no_store_takes_is_quarantined_alone(listens: Listens, store: Store) -> None:
    bad = said(2)
    bad["test"]["namespace"] = "n\0s"
    state = listens.all(arrival(1), arrival(2, bad), arrival(3))
    assert (state.stored, state.quarantined) == (2, 1)


def test_a_message_that_is_too_long_is_kept_and_not_read(listens: Listens, store: Store) -> None:
    listens.all(arrival(), max_bytes=100)
    assert "max_bytes" in store.quarantined()[0].reason
    assert listens.again() == [None]
    assert items(store) == ["widget-1.4-1.fc43"]


def test_of_a_long_message_the_digest_is_kept(listens: Listens, store: Store) -> None:
    listens.all(arrival(), keep_bytes=10)
    kept = store.bus.message("bus", "id-1")
    assert kept is not None
    assert (kept.raw, kept.size, len(kept.digest)) == (None, len(arrival().raw), 64)


def test_what_stores_announce_and_what_nobody_reads_is_passed_by(listens: Listens, store: Store) -> None:
    result = {"outcome": "PASSED", "testcase": {"name": "a.b"}, "ref_url": "", "data": {"item": ["x-1-1"]}}
    echoes = [
        arrival(1, result, "org.fedoraproject.prod.resultsdb.result.new"),
        arrival(2, headers={"ci_results_origin": "here"}),
        arrival(3, {}, "org.fedoraproject.prod.mailman.receive"),
        arrival(4, "text"),
    ]
    state = listens.all(*echoes)
    assert (state.received, state.passed, state.stored, state.quarantined) == (4, 4, 0, 0)
    assert listens.all(*echoes, unread=True).quarantined == 2
    assert listens.all(arrival(5, headers={"ci_results_origin": "there"}), origin="here").stored == 1


_TEXTS = st.text(max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=8) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.binary(max_size=40) | _VALUES.map(lambda value: json.dumps(value, default=str).encode()),
    topic=_TEXTS,
    headers=st.dictionaries(_TEXTS, _VALUES, max_size=3),
    name=st.none() | st.text(max_size=300),
    kind=st.sampled_from(["fedora-messaging", "frame", "saved"]),
)
@example(raw=b"{}", topic="t\ud800", headers={"a": "\udfff", "b": 1 << 80}, name="\0\ud800", kind="frame")
def test_any_bytes_and_any_headers_are_taken(
    raw: bytes, topic: str, headers: dict[str, Any], name: str | None, kind: str,
    listens: Listens, store: Store,
) -> None:  # fmt: skip
    odd = Arrival(raw=raw, topic=topic, headers=headers, id=name, kind=kind)
    (state,) = listens(listens.ear(Bus([odd, arrival(), odd]), unread=True))
    assert (state.state, state.received, items(store)) == ("stopped", 3, ["widget-1.4-1.fc43"])
    listens.again()


@pytest.mark.demand("S-053", "S-054")
@pytest.mark.parametrize(
    ("topic", "body", "subject"),
    [
        (
            "org.fedoraproject.prod.buildsys.build.state.change",
            {"new": 1, "name": "widget", "version": "1", "release": "2.fc43", "owner": "jdoe"},
            ("koji_build", "widget-1-2.fc43"),
        ),
        (
            "VirtualTopic.eng.brew.build.complete",
            {"info": {"nvr": "widget-1-2.el9", "owner_name": "jdoe"}},
            ("brew-build", "widget-1-2.el9"),
        ),
        (
            "org.fedoraproject.prod.bodhi.update.status.testing.koji-build-group.build.complete",
            {"agent": "jdoe", "artifact": {"builds": [{"nvr": "widget-1-2.fc43"}]}},
            ("koji_build", "widget-1-2.fc43"),
        ),
        (
            "org.fedoraproject.prod.pagure.git.receive",
            {"repo": {"fullname": "rpms/widget"}, "end_commit": "abc123", "agent": "jdoe"},
            ("dist-git-commit", "rpms/widget@abc123"),
        ),
        (
            "org.fedoraproject.prod.git.receive",
            {"commit": {"namespace": "rpms", "repo": "widget", "rev": "abc123", "username": "jdoe"}},
            ("dist-git-commit", "rpms/widget@abc123"),
        ),
    ],
    ids=["koji", "brew", "bodhi", "pagure", "dist-git"],
)
def test_a_build_or_a_commit_lets_expect_results(
    topic: str, body: Any, subject: tuple[str, str], listens: Listens, store: Store
) -> None:
    state = listens.all(arrival(1, body, topic), arrival(1, body, topic), arrival(2, {"x": 1}, topic + ".x"))
    assert (state.events, state.passed) == (2, 1)
    ((about, testcase), expected), *others = store.expectations.of([Subject(*subject)]).items()
    assert (about, testcase, others) == (Subject(*subject), "ns.tier0", [])
    assert expected.owner == "jdoe"
    assert sum('"event"' in line[:60] for line in store.dump()) <= 1


def test_a_build_that_failed_lets_expect_nothing_and_a_broken_event_is_kept(
    listens: Listens, store: Store
) -> None:
    topic = "org.fedoraproject.prod.buildsys.build.state.change"
    state = listens.all(arrival(1, {"new": 3}, topic), arrival(2, {"new": 1}, topic))
    assert (state.passed, state.events, state.quarantined) == (1, 0, 1)
    assert "KeyError: 'name'" in store.quarantined()[0].reason


def test_how_it_fares_is_in_the_store(listens: Listens, store: Store) -> None:
    state = listens.all(arrival())
    assert [replace(each, told_at=None) for each in store.bus.listeners()] == [state]
    assert state.lag_s is not None or state.last_message is not None


POLICY = b"""
id: push
product_versions: [fedora-*]
decision_context: push
subject_type: koji_build
rules:
- !PassingTestCaseRule {test_case_name: ns.tier0.functional}
"""


@pytest.mark.demand("S-012")
def test_from_a_build_to_a_decision_by_messages_alone(
    listens: Listens, store: Store, plugins: Plugins, tmp_path: Path
) -> None:
    policies = load([("p.yaml", POLICY)], plugins.rule_types)
    door = EventDoor(store=store, policies=policies)
    gate = Gate(store=store, policies=policies)
    built = {"new": 1, "name": "widget", "version": "1.4", "release": "1.fc43", "owner": "jdoe"}
    for each in (
        arrival(1, built, "org.fedoraproject.prod.buildsys.build.state.change"),
        arrival(2, said(1)),
    ):
        listens(listens.ear(Bus([each])), door=door)
        follow_once(Following(gate=lambda: gate))
    sink = ConfiguredSink(
        name="out",
        sink=BusSink(),
        options=Options(url=f"spool:{tmp_path / 'out'}"),
        keys=SinkKeys(kind="bus"),
    )
    deliver([sink], Delivering(store=store))
    with closing(choose(f"spool:{tmp_path / 'out'}").inlet()) as inlet:
        told = [open_arrival(each) for each in inlet.receive(9, 0, 0)]
    assert [(each.topic, each.body.get("policies_satisfied")) for each in told] == [
        ("greenwave.decision.update", False),
        ("resultsdb.result.new", None),
        ("greenwave.decision.update", True),
    ]
