"""A broker that is away for a while: what is under way comes again, each side goes on by itself."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from ci_results import Departure, SinkUnavailableError
from ci_results.bus.choosing import choose
from ci_results.decide.policy_set import load
from ci_results.domain.bus_message import ListenerState
from ci_results.domain.page import Page
from ci_results.operations.deliver import deliver
from ci_results.operations.events import EventDoor
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.listen import Ear, Surroundings, listen
from ci_results.plugin.manager import load_plugins
from ci_results.query.results import ResultQuery
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings as Delivering
from ci_results.sinks.progress import SinkReport, State
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.store_contract import result

sys.path.insert(0, str(Path(__file__).parent))
from roads import road

sys.path.pop(0)

HERE = "amqp://127.0.0.1/"
COUNT = 400
LONG_S = 60


KINDS = pytest.mark.parametrize(
    ("there", "port"),
    [
        pytest.param("amqp://127.0.0.1", 5672, id="amqp"),
        pytest.param("stomp://guest:guest@127.0.0.1", 61613, marks=pytest.mark.needs("stomp"), id="stomp"),
    ],
)
pytestmark = [pytest.mark.needs("rabbitmq"), pytest.mark.timeout(2 * LONG_S)]


@pytest.mark.demand("S-059")
@KINDS
def test_what_was_under_way_comes_again_and_nothing_twice(
    tmp_path: Path, rabbitmq: str, there: str, port: int
) -> None:
    plugins, out = load_plugins(), f"{rabbitmq}.out"
    choose(f"{HERE}?queue={out}&topics={out}.%23").inlet().close()
    states: list[State] = []
    with SqliteStore.open(tmp_path / "from.db") as store, road(port) as way:
        results = [result(f"k{n}", testcase=f"ns.t{n:03}", data={"x": "y" * 500}) for n in range(COUNT)]
        store.commit_page(Page(source="ci", results=results))
        way.cut_after = 150_000
        options = Options(url=f"{there}:{way.port}/", prefix=out)
        keys = SinkKeys(kind="bus", batch=50, retries=9)
        sink = ConfiguredSink(name="out", sink=Bus(), options=options, keys=keys)

        def went(report: SinkReport) -> None:
            states.append(report.state)
            if report.state is State.WAITING:
                way.open = True

        (report,) = deliver([sink], Delivering(store=store, tell=went, first_pause_s=0.01))
        assert (report.state, report.sent, report.waiting) == (State.OK, COUNT, 0)
        assert State.WAITING in states

    told: list[str] = []
    with SqliteStore.open(tmp_path / "to.db") as store, road(port) as way:
        way.cut_after = 150_000
        bus = choose(f"{there}:{way.port}/?queue={out}&prefetch=20")
        taking = Taking(name="out", origin="another", announced=True)
        stop = Event()

        def came(state: ListenerState) -> None:
            told.append(state.state)
            if state.state == "away":
                way.open = True

        around = Surroundings(
            store=store, plugins=plugins, door=EventDoor(store=store, policies=load([], plugins.rule_types)),
            group=10, linger_s=0.01, stop=stop, tell=came, first_pause_s=0.01,
        )  # fmt: skip
        ear = Ear(bus=bus, taking=taking, ingest=Ingest(taking, plugins))
        thread = Thread(target=listen, args=([ear], around))
        thread.start()
        for _ in range(LONG_S * 20):
            if store.counts()["results"] >= COUNT:
                break
            stop.wait(0.05)
        stop.set()
        thread.join(LONG_S)
        assert "away" in told
        assert (store.counts()["results"], store.quarantined()) == (COUNT, [])
        names = [each.testcase for each in store.results(ResultQuery(limit=2 * COUNT))]
        assert sorted(names) == [f"ns.t{n:03}" for n in range(COUNT)]


@KINDS
def test_a_connection_that_was_lost_while_nothing_was_sent_is_told(
    rabbitmq: str, there: str, port: int
) -> None:
    sent = Departure(topic=rabbitmq, body=b"{}", id="m", sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    with road(port) as way, closing(choose(f"{there}:{way.port}/").outlet()) as outlet:
        outlet.publish([sent])
        way.open = False
        time.sleep(0.3)
        for _ in range(2):
            with pytest.raises(
                SinkUnavailableError, match=rf"127\.0\.0\.1:{way.port}: (?!confirms nothing)"
            ) as told:
                outlet.publish([sent])
            assert told.value.delivered == 0
