"""Buses: messages in from RabbitMQ and results out to it, beside a client that does nothing with them.

    python bench/bus.py [--messages 5000] [--rounds 3] [--url amqp://127.0.0.1/]

`listen` takes CI messages of 2 kB from a durable queue into a new SQLite file; beside it a bare pika loop
takes the same and acknowledges each. `relay` sends results of a store as `deliver` does; beside it a bare
pika publisher sends bodies of the same size with a window of 100 unconfirmed. Each has a process of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pika
from measure import Figures, compare, one_run, print_table

from ci_results.bus.choosing import choose
from ci_results.decide.policy_set import load
from ci_results.domain.carried import Departure
from ci_results.domain.observation import Observation
from ci_results.domain.page import Page
from ci_results.normalise.normaliser import Normaliser
from ci_results.operations.deliver import deliver
from ci_results.operations.events import EventDoor
from ci_results.operations.ingest import Ingest, Taking
from ci_results.operations.listen import Ear, Surroundings, listen
from ci_results.plugin.manager import load_plugins
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings as Delivering
from ci_results.store.sqlite import SqliteStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = 100
CANDIDATES = ("bare consumer", "listen", "bare publisher", "relay")


def ci_message(number: int) -> bytes:
    """Return the body of a CI message, 2 kB as those of today."""
    nvr = f"widget-{number % 500}-1.fc43"
    body = {
        "contact": {"name": "ci", "team": "t", "docs": "https://ci.example", "email": "a@ci.example"},
        "run": {"url": f"https://ci.example/{number}", "log": f"https://ci.example/{number}/log"},
        "artifact": {
            "type": "koji-build", "id": number, "component": "widget", "issuer": "jdoe", "scratch": False,
            "nvr": nvr, "source": "git+https://src.example/rpms/widget#0123456789",
        },
        "pipeline": {"id": f"p{number}", "name": "tier0"},
        "test": {"category": "functional", "namespace": "ns", "type": f"t{number % 50}", "result": "passed"},
        "system": [{"os": "f43", "provider": "p", "architecture": "x86_64"}],
        "generated_at": "2026-02-02T02:40:00Z", "version": "1.1.14", "padding": "",
    }  # fmt: skip
    body["padding"] = "x" * (1_992 - len(orjson.dumps(body)))
    return orjson.dumps(body)


def fill(url: str, mark: str, count: int) -> None:
    """Put so many messages into a durable queue."""
    choose(f"{url}?queue={mark}&topics={mark}.%23").inlet().close()
    topic = f"{mark}.ci.koji-build.test.complete"
    with closing(choose(url).outlet()) as outlet:
        outlet.publish([
            Departure(topic=topic, body=ci_message(n), id=f"{mark}-{n}", sent_at=NOON) for n in range(count)
        ])  # fmt: skip


def bare_consumer(url: str, mark: str, count: int) -> None:
    """Take and acknowledge each, as a loop of pika's does."""
    with pika.BlockingConnection(pika.URLParameters(url + "%2F")) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=100)
        for taken, (method, _properties, _body) in enumerate(channel.consume(mark), start=1):
            channel.basic_ack(method.delivery_tag)
            if taken == count:
                break
        channel.cancel()


def listener(url: str, mark: str, count: int, folder: str) -> None:
    """Listen until all is stored."""
    plugins = load_plugins()
    taking = Taking(name="bench")
    with SqliteStore.open(Path(folder) / "r.db") as store:
        door = EventDoor(store=store, policies=load([], plugins.rule_types))
        around = Surroundings(store=store, plugins=plugins, door=door)

        class Ends(Ingest):
            """Ends when all has come."""

            seen = 0

            def prepare(self, arrivals: Any, **given: Any) -> Any:
                self.seen += len(arrivals)
                if self.seen >= count:
                    around.stop.set()
                return super().prepare(arrivals, **given)

        ear = Ear(bus=choose(f"{url}?queue={mark}"), taking=taking, ingest=Ends(taking, plugins))
        (state,) = listen([ear], around)
        assert state.stored == count, state


def filled_store(folder: str, count: int) -> SqliteStore:
    """Return a store with so many results."""
    normalise = Normaliser("ci", {})
    store = SqliteStore.open(Path(folder) / "out.db")
    for start in range(0, count, 1_000):
        page = [
            normalise(
                Observation(
                    key=f"k{n}", testcase=f"ns.t{n % 50}", outcome="PASSED", item=f"widget-{n % 500}-1.fc43",
                    item_type="koji_build", time=NOON, ref_url=f"https://ci.example/{n}",
                    data={"note": "x" * 1_500},
                )
            )
            for n in range(start, min(start + 1_000, count))
        ]  # fmt: skip
        store.commit_page(Page(source="ci", results=page))
    return store


def relay(url: str, mark: str, store: SqliteStore, count: int) -> None:
    """Deliver all that is stored."""
    sink = ConfiguredSink(
        name="out", sink=Bus(), options=Options(url=url, prefix=mark), keys=SinkKeys(kind="bus", batch=500)
    )
    (report,) = deliver([sink], Delivering(store=store))
    assert report.sent == count, report


def bare_publisher(url: str, mark: str, count: int) -> None:
    """Publish bodies of the same size, a window of them unconfirmed, as an example of pika's does."""
    body = b"x" * 1_992
    properties = pika.BasicProperties(delivery_mode=2, message_id=str(uuid.uuid4()))
    sent = confirmed = 0

    def fill_window(channel: Any) -> None:
        nonlocal sent
        while sent < count and sent - confirmed < WINDOW:
            channel.basic_publish("amq.topic", f"{mark}.x", body, properties)
            sent += 1

    def on_confirm(frame: Any) -> None:
        nonlocal confirmed
        tag = frame.method.delivery_tag
        confirmed = tag if frame.method.multiple else confirmed + 1
        if confirmed >= count:
            connection.close()
        else:
            fill_window(channels[0])

    channels: list[Any] = []

    def opened(channel: Any) -> None:
        channels.append(channel)
        channel.confirm_delivery(on_confirm, callback=lambda _frame: fill_window(channel))

    connection = pika.SelectConnection(
        pika.URLParameters(url + "%2F"),
        on_open_callback=lambda made: made.channel(on_open_callback=opened),
        on_close_callback=lambda made, _err: made.ioloop.stop(),
    )
    connection.ioloop.start()


def work(name: str, url: str, count: int) -> dict[str, float]:
    """Do one candidate's work; only what it does itself counts."""
    mark = f"ci_results_bench_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            store = filled_store(folder, count) if name == "relay" else None
            fill(url, mark, 0 if "publish" in name or store else count)
            began, cpu = time.perf_counter(), time.process_time()
            if name == "bare consumer":
                bare_consumer(url, mark, count)
            elif name == "listen":
                listener(url, mark, count, folder)
            elif store is not None:
                relay(url, mark, store, count)
            else:
                bare_publisher(url, mark, count)
            took, used = time.perf_counter() - began, time.process_time() - cpu
            if store is not None:
                store.close()
        finally:
            with pika.BlockingConnection(pika.URLParameters(url + "%2F")) as connection:
                connection.channel().queue_delete(mark)
    return {"wall": took, "cpu": used, "rate": count / took}


def main() -> None:
    """Print rates, and ours in parts of the bare client's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", default="amqp://127.0.0.1/")
    parser.add_argument("--one", choices=CANDIDATES)
    given = parser.parse_args()
    if given.one:
        one_run(lambda: work(given.one, given.url, given.messages))
        return
    arguments = ["--messages", str(given.messages), "--url", given.url]
    found = compare(__file__, CANDIDATES, arguments, given.rounds)
    rows = [_row(name, found, given.messages) for name in CANDIDATES]
    columns = ["", "messages/s", "of bare", "CPU us a message", "MB"]
    print_table(f"{given.messages} messages of 2 kB, median of {given.rounds}", columns, rows)


def _row(name: str, found: dict[str, Figures], count: int) -> list[Any]:
    figures = found[name]
    bare = found["bare consumer" if name in CANDIDATES[:2] else "bare publisher"]
    return [
        name, round(figures["rate"]), f"{figures['rate'] / bare['rate']:.2f}",
        round(figures["cpu"] / count * 1e6), round(figures["rss_mb"]),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
