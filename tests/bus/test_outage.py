"""A broker that is away for a while: what is under way comes again, each side goes on by itself."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

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

HERE = "amqp://127.0.0.1/"
COUNT = 400
LONG_S = 60


class Road:
    """A way to the broker. Where it is cut, what is connected breaks, and nobody gets through."""

    def __init__(self, door: socket.socket) -> None:
        self.port = door.getsockname()[1]
        self._door, self._ends = door, selectors.DefaultSelector()
        self.open, self.cut_after, self.carried = True, 0, 0
        self._ends.register(door, selectors.EVENT_READ)
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _events in self._ends.select(0.05):
                if key.fileobj is self._door:
                    self._let_in()
                else:
                    self._carry(key.fileobj, key.data)  # type: ignore[arg-type]
            if self.cut_after and self.carried > self.cut_after:
                self.cut_after, self.open = 0, False
                self._cut()

    def _let_in(self) -> None:
        end, _ = self._door.accept()
        if not self.open:
            end.close()
            return
        other = socket.create_connection(("127.0.0.1", 5672))
        self._ends.register(end, selectors.EVENT_READ, other)
        self._ends.register(other, selectors.EVENT_READ, end)

    def _carry(self, end: socket.socket, other: socket.socket) -> None:
        try:
            said = end.recv(65_536)
            other.sendall(said)
        except OSError:
            said = b""
        self.carried += len(said)
        if not said:
            self._forget(end, other)

    def _forget(self, *ends: socket.socket) -> None:
        for end in ends:
            if end in self._ends.get_map():
                self._ends.unregister(end)
            end.close()

    def _cut(self) -> None:
        for key in list(self._ends.get_map().values()):
            if key.fileobj is not self._door:
                self._forget(key.fileobj)  # type: ignore[arg-type]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._cut()
        self._ends.close()


@contextmanager
def road() -> Iterator[Road]:
    with socket.create_server(("127.0.0.1", 0)) as door, closing(Road(door)) as made:
        yield made


pytestmark = [pytest.mark.needs("rabbitmq"), pytest.mark.timeout(2 * LONG_S)]


@pytest.mark.demand("S-059")
def test_what_was_under_way_comes_again_and_nothing_twice(tmp_path: Path, rabbitmq: str) -> None:
    plugins, out = load_plugins(), f"{rabbitmq}.out"
    choose(f"{HERE}?queue={out}&topics={out}.%23").inlet().close()
    states: list[State] = []
    with SqliteStore.open(tmp_path / "from.db") as store, road() as way:
        results = [result(f"k{n}", testcase=f"ns.t{n:03}", data={"x": "y" * 500}) for n in range(COUNT)]
        store.commit_page(Page(source="ci", results=results))
        way.cut_after = 150_000
        options = Options(url=f"amqp://127.0.0.1:{way.port}/", prefix=out)
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
    with SqliteStore.open(tmp_path / "to.db") as store, road() as way:
        way.cut_after = 150_000
        bus = choose(f"amqp://127.0.0.1:{way.port}/?queue={out}&prefetch=20")
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
