"""A URL that names several brokers: the first that is alive is used, and the next when it goes."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from ci_results import Departure, SinkUnavailableError, SourceRefusedError
from ci_results.bus.choosing import choose
from ci_results.bus.several import each_broker
from ci_results.decide.policy_set import load
from ci_results.domain.bus_message import ListenerState
from ci_results.domain.page import Page
from ci_results.errors import ConfigError, SourceUnavailableError
from ci_results.operations.deliver import deliver
from ci_results.operations.events import EventDoor
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.listen import Ear, Surroundings, listen
from ci_results.plugin.manager import load_plugins
from ci_results.query.results import ResultQuery
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings as Delivering
from ci_results.sinks.progress import State
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

sys.path.insert(0, str(Path(__file__).parent))
from roads import road

sys.path.pop(0)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS = pytest.mark.parametrize(
    ("there", "port"),
    [
        pytest.param("amqp://guest:guest@", 5672, marks=pytest.mark.needs("rabbitmq"), id="amqp"),
        pytest.param("stomp://guest:guest@", 61613, marks=pytest.mark.needs("stomp"), id="stomp"),
    ],
)
COUNT = 300


@pytest.fixture
def dead() -> Iterator[str]:
    """Give a host and port where nobody is."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # but does not listen: whoever calls is refused
        yield f"127.0.0.1:{held.getsockname()[1]}"


def queue_of(name: str) -> None:
    choose(f"amqp://127.0.0.1/?queue={name}&topics={name}.%23").inlet().close()


def test_account_path_and_order_are_kept() -> None:
    assert each_broker("stomps://ci:p%40@a,b:1,[::1]:2/v%2Fh") == (
        "stomps://ci:p%40@a/v%2Fh",
        "stomps://ci:p%40@b:1/v%2Fh",
        "stomps://ci:p%40@[::1]:2/v%2Fh",
    )
    assert each_broker("amqp:///ci") == ("amqp:///ci",)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("stomp://a,?queue=q", r"a,: a host is missing beside a comma; write HOST:PORT,HOST:PORT"),
        ("stomp://a,:1?queue=q", r"a host is missing beside a comma"),
        ("amqp://a,,b", r"a host is missing beside a comma"),
        ("stomp://a,b:x?queue=q", r"^b:x: Port"),
        ("amqp://a,b:x", r"^b:x: Port"),
    ],
)
def test_a_list_that_is_none_is_told_before_anything_is_opened(url: str, why: str) -> None:
    pytest.importorskip("stomp")
    with pytest.raises(ConfigError, match=why):
        choose(url).ready()


@KINDS
def test_the_one_that_is_alive_is_used(rabbitmq: str, dead: str, there: str, port: int) -> None:
    """As four brokers of the UMB, of which one is master."""
    queue_of(rabbitmq)
    bus = choose(f"{there}{dead},{dead},127.0.0.1:{port},{dead}/?queue={rabbitmq}")
    with closing(bus.outlet()) as outlet:
        outlet.publish([Departure(topic=f"{rabbitmq}.a", body=b"{}", id="m1", sent_at=NOON)])
    with closing(bus.inlet()) as inlet:
        found = inlet.receive(9, 5, 0)
        inlet.ack(found)
    assert [each.id for each in found] == ["m1"]


@KINDS
def test_the_canary_finds_the_one_that_is_alive(rabbitmq: str, dead: str, there: str, port: int) -> None:
    bus = choose(f"{there}{dead},127.0.0.1:{port}/?queue={rabbitmq}")
    with bus.transport.aside(bus.options, bus.url, f"{rabbitmq}.canary") as (inlet, outlet):
        outlet.publish([Departure(topic=f"{rabbitmq}.canary", body=b"{}", id="m1", sent_at=NOON)])
        assert len(inlet.receive(1, 5, 0)) == 1


@KINDS
def test_what_all_say_is_told(dead: str, there: str, port: int) -> None:
    with socket.socket() as another:
        another.bind(("127.0.0.1", 0))
        other = f"127.0.0.1:{another.getsockname()[1]}"
        bus = choose(f"{there}{dead},{other}/?queue=q")
        with pytest.raises(SourceUnavailableError, match=rf"{dead}: .*refused.*; {other}: .*refused"):
            bus.inlet()
        with pytest.raises(SinkUnavailableError, match=rf"{dead}: .*refused.*; {other}: .*refused"):
            bus.outlet()


@KINDS
def test_a_refusal_of_the_one_that_is_alive_counts(dead: str, there: str, port: int) -> None:
    wrong = there.replace(":guest@", ":wrong@")
    with pytest.raises(SourceRefusedError, match=rf"{dead}: .*refused.*; 127\.0\.0\.1:{port}: "):
        choose(f"{wrong}{dead},127.0.0.1:{port}/?queue=q").inlet()


@KINDS
def test_one_that_answers_nothing_is_not_waited_for_long(there: str, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes the call, and says nothing
        began = time.monotonic()
        choose(f"{there}127.0.0.1:{deaf.getsockname()[1]},127.0.0.1:{port}/").outlet().close()
    assert time.monotonic() - began < 15


@pytest.mark.demand("S-059")
@KINDS
def test_when_a_broker_goes_the_next_one_is_used_and_nothing_is_lost_or_twice(
    tmp_path: Path, rabbitmq: str, there: str, port: int
) -> None:
    queue_of(rabbitmq)
    with SqliteStore.open(tmp_path / "from.db") as store, road(port) as first, road(port) as second:
        results = [result(f"k{n}", testcase=f"ns.t{n:03}", data={"x": "y" * 500}) for n in range(COUNT)]
        store.commit_page(Page(source="ci", results=results))
        first.cut_after = 100_000
        options = Options(url=f"{there}127.0.0.1:{first.port},127.0.0.1:{second.port}/", prefix=rabbitmq)
        keys = SinkKeys(kind="bus", batch=50, retries=9)
        sink = ConfiguredSink(name="out", sink=Bus(), options=options, keys=keys)
        (report,) = deliver([sink], Delivering(store=store, first_pause_s=0.01))
        assert (report.state, report.sent, report.waiting) == (State.OK, COUNT, 0)
        assert second.carried > 50_000

    told: list[str] = []
    with SqliteStore.open(tmp_path / "to.db") as store, road(port) as first, road(port) as second:
        first.cut_after = 100_000
        plugins, stop = load_plugins(), Event()
        taking = Taking(name="in", origin="another", announced=True)

        def came(state: ListenerState) -> None:
            told.append(state.state)

        around = Surroundings(
            store=store, plugins=plugins, door=EventDoor(store=store, policies=load([], plugins.rule_types)),
            group=10, linger_s=0.01, stop=stop, tell=came, first_pause_s=0.01,
        )  # fmt: skip
        url = f"{there}127.0.0.1:{first.port},127.0.0.1:{second.port}/?queue={rabbitmq}&prefetch=20"
        ear = Ear(bus=choose(url), taking=taking, ingest=Ingest(taking, plugins))
        thread = Thread(target=listen, args=([ear], around))
        thread.start()
        until = time.monotonic() + 20
        while store.counts()["results"] < COUNT and time.monotonic() < until:
            time.sleep(0.05)
        stop.set()
        thread.join(20)
        assert "away" in told
        assert second.carried > 50_000
        names = [each.testcase for each in store.results(ResultQuery(limit=2 * COUNT))]
        assert sorted(names) == [f"ns.t{n:03}" for n in range(COUNT)]
