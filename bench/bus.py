"""Buses: messages in and results out, beside a client of the same library that does nothing with them.

    python bench/bus.py [--messages 5000] [--rounds 3] [--only amqp|stomp|kafka]

`listen` takes CI messages of 2 kB from a bus into a new SQLite file; `relay` sends results of a store as
`deliver` does. Beside each is the bare client of `bus_clients.py`. Each has a process of its own, and is
measured from when it is connected. A bus that is not here is left out, and told.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from bus_clients import BARE, missing
from measure import Figures, compare, one_run, print_table

from ci_results.bus.choosing import Chosen, choose
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
from ci_results.plugin.transport import Inlet
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys
from ci_results.sinks.delivering import Surroundings as Delivering
from ci_results.store.sqlite import SqliteStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORK = ("bare consumer", "listen", "bare publisher", "relay")
CANDIDATES = tuple(f"{kind} {what}" for kind in BARE for what in WORK)


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
    """Put so many messages into a bus."""
    topic = f"{mark}.ci.koji-build.test.complete"
    with closing(choose(url).outlet()) as outlet:
        outlet.publish([
            Departure(
                topic=topic, body=ci_message(n), id=f"{mark}-{n}", sent_at=NOON, about=f"widget-{n % 500}"
            )
            for n in range(count)
        ])  # fmt: skip


def listener(url: str, count: int, folder: str, begin: Callable[[], None]) -> None:
    """Listen until all is stored."""

    class Begins(Chosen):
        """Begins when it is connected."""

        def inlet(self) -> Inlet:
            made = super().inlet()
            begin()
            return made

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

        chosen = choose(url)
        bus = Begins(transport=chosen.transport, url=chosen.url, options=chosen.options)
        ear = Ear(bus=bus, taking=taking, ingest=Ends(taking, plugins))
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


def work(candidate: str, count: int) -> dict[str, float]:
    """Do one candidate's work; only what it does itself counts, from when it begins."""
    kind, _space, what = candidate.partition(" ")
    mark, bare = f"ci_results_bench_{uuid.uuid4().hex[:8]}", BARE[kind]
    began = [time.perf_counter(), time.process_time()]

    def begin() -> None:
        began[:] = [time.perf_counter(), time.process_time()]

    with ExitStack() as stack:
        reads, sends = stack.enter_context(bare.bus(mark))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if what in ("bare consumer", "listen"):
            fill(sends, mark, count)
        if what == "bare consumer":
            bare.take(reads, mark, count, begin)
        elif what == "listen":
            listener(reads, count, folder, begin)
        elif what == "bare publisher":
            bare.send(sends, mark, count, begin)
        else:
            store = stack.enter_context(filled_store(folder, count))
            choose(sends).outlet().close()  # which loads the client, as the bare one's is loaded
            begin()
            relay(sends, mark, store, count)
        took, used = time.perf_counter() - began[0], time.process_time() - began[1]
    return {"wall": took, "cpu": used, "rate": count / took}


def main() -> None:
    """Print rates, and ours in parts of the bare client's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=tuple(BARE))
    parser.add_argument("--one", choices=CANDIDATES)
    given = parser.parse_args()
    if given.one:
        one_run(lambda: work(given.one, given.messages))
        return
    found: dict[str, Figures] = {}
    for kind in [given.only] if given.only else BARE:
        if why := missing(kind):
            sys.stdout.write(f"{kind}: skipped: {why}\n")
            continue
        names = [f"{kind} {what}" for what in WORK]
        found |= compare(__file__, names, ["--messages", str(given.messages)], given.rounds)
    rows = [_row(name, found, given.messages) for name in found]
    columns = ["", "messages/s", "of bare", "CPU us a message", "MB"]
    print_table(f"{given.messages} messages of 2 kB, median of {given.rounds}", columns, rows)


def _row(name: str, found: dict[str, Figures], count: int) -> list[Any]:
    kind, _space, what = name.partition(" ")
    figures = found[name]
    bare = found[f"{kind} {WORK[0] if what in WORK[:2] else WORK[2]}"]
    return [
        name, round(figures["rate"]), f"{figures['rate'] / bare['rate']:.2f}",
        round(figures["cpu"] / count * 1e6), round(figures["rss_mb"]),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
