"""What goes out by a bus is what the peers' consumers expect, each with an id of its own for good."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from ci_results import open_message
from ci_results.bus.choosing import choose
from ci_results.domain.delivery import Position
from ci_results.domain.envelope import Envelope
from ci_results.domain.page import Page
from ci_results.domain.recorded import Followed
from ci_results.domain.run import Run
from ci_results.domain.waiver import Step, Turn
from ci_results.errors import ConfigError
from ci_results.messages.echo import is_echo
from ci_results.operations.deliver import deliver
from ci_results.plugin.manager import load_plugins
from ci_results.sinks.bus import Bus, Options
from ci_results.sinks.configured import ConfiguredSink, SinkKeys, build_sink, read_table
from ci_results.sinks.delivering import Surroundings
from ci_results.sinks.progress import SinkReport, State
from ci_results.store.sqlite import SqliteStore
from ci_results.testing.decision_rules import POINT, recorded
from ci_results.testing.store_contract import NOON, result
from ci_results.testing.waiver_contract import grant, request, step
from ci_results.wire import resultsdb_json, waiverdb_json

API = "https://ci.example/api/v2.0"
ANSWER: dict[str, Any] = {
    "policies_satisfied": False, "summary": "1 of 1 required tests failed", "applicable_policies": ["p"],
    "satisfied_requirements": [], "unsatisfied_requirements": [], "subject": [{"item": "a", "type": "b"}],
    "expected": [],
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path / "results.db") as opened:
        yield opened


def bus(url: str, name: str = "out", batch: int = 100, **options: Any) -> ConfiguredSink:
    keys = SinkKeys(kind="bus", batch=batch, retries=0)
    return ConfiguredSink(name=name, sink=Bus(), options=Options(url=url, api=API, **options), keys=keys)


def told(store: SqliteStore, tmp_path: Path, **options: Any) -> list[Envelope]:
    """Deliver to a new folder and return what lies there."""
    folder = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    (report,) = deliver(
        [bus(f"spool:{folder}?fsync=false", folder.name, **options)], Surroundings(store=store)
    )
    assert report.state is State.OK, report.error
    lines = [line for file in sorted((folder / "new").iterdir()) for line in file.read_bytes().splitlines()]
    return [open_message(line) for line in lines]


@pytest.mark.demand("S-037")
def test_a_result_is_announced_as_the_api_serves_it(store: SqliteStore, tmp_path: Path) -> None:
    given = [
        result(
            "k1", note="n", duration_s=1.5, scenario="uefi", arch="x86_64", data={"tier": ("1", "2")},
            run=Run(key="job#1", ref_url="https://ci.example/1", data={"job": "job"}),
        ),
        result("k2", testcase="ns.ä/b c", ref_url="https://ci.example/k2", outcome="failed"),
        result("k3", time=NOON.replace(microsecond=1_000)),
    ]  # fmt: skip
    store.commit_page(
        Page(source="ci", results=given, ref_urls={"ns.case": "https://ci.example/case"}, groups={"g": {}})
    )
    announced = told(store, tmp_path, prefix="org.example.prod")
    served = [orjson.loads(orjson.dumps(resultsdb_json.result(store.fact(n), API))) for n in (1, 2, 3)]
    assert [each.body for each in announced] == served
    assert {each.topic for each in announced} == {"org.example.prod.resultsdb.result.new"}


@pytest.mark.demand("S-126")
def test_a_waiver_is_announced_when_it_begins_to_count_as_the_api_serves_it(
    store: SqliteStore, tmp_path: Path
) -> None:
    granted, asked = store.waivers.append([grant(), request()])
    assert [each.body["id"] for each in told(store, tmp_path)] == [granted.id]
    store.waivers.append([step(asked.id, Step.APPROVE, Turn.OPENS)])
    announced = told(store, tmp_path)
    served = [waiverdb_json.waiver(store.waivers.waiver(number)) for number in (granted.id, asked.id)]
    assert [each.body for each in announced] == served
    assert [each.topic for each in announced] == ["waiverdb.waiver.new"] * 2


@pytest.mark.demand("S-074")
def test_a_decision_is_announced_as_greenwave_does(store: SqliteStore, tmp_path: Path) -> None:
    state = store.decisions.begin()
    decided = [recorded(answer=ANSWER)]
    store.decisions.record(state, Position(0, 0), "sha256:1", decided, [Followed(POINT, 1, "wait")])
    (announced,) = told(store, tmp_path)
    subject = POINT.subject
    assert announced.topic == "greenwave.decision.update"
    assert announced.body == {
        **{name: value for name, value in ANSWER.items() if name != "expected"},
        "subject_type": subject.type, "subject_identifier": subject.identifier, "previous": None,
        "decision_context": POINT.context, "product_version": POINT.product_version,
    }  # fmt: skip
    assert announced.headers["policies_satisfied"] == "false"
    assert announced.headers["subject_identifier"] == subject.identifier


def test_what_is_sent_again_has_the_id_that_it_had(store: SqliteStore, tmp_path: Path) -> None:
    store.commit_page(Page(source="ci", results=[result("a"), result("b", testcase="ns.b")]))
    store.waivers.append([grant()])
    first, again, other = (told(store, tmp_path, origin=name) for name in ("here", "here", "there"))
    assert [each.key for each in first] == [each.key for each in again]
    assert len({each.key for each in (*first, *other)}) == 6
    assert [each.time for each in first] == [each.time for each in again]


def test_we_take_nothing_of_our_own(store: SqliteStore, tmp_path: Path) -> None:
    store.commit_page(Page(source="ci", results=[result()]))
    (announced,) = told(store, tmp_path, origin="here", prefix="other.topic")
    assert is_echo(announced, "here", announced=True)
    assert not is_echo(announced, "there", announced=True)


@pytest.mark.demand("S-038")
def test_a_bus_that_is_away_holds_up_no_other_and_loses_nothing(store: SqliteStore, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    store.commit_page(Page(source="ci", results=[result("a"), result("b", testcase="ns.b")]))
    sinks = [bus(f"amqp://127.0.0.1:{port}/", "far"), bus(f"spool:{tmp_path / 'near'}", "near")]
    far, near = deliver(sinks, Surroundings(store=store))
    assert (far.state, far.waiting) == (State.UNREACHABLE, 2)
    assert (near.state, near.sent) == (State.OK, 2)


@pytest.mark.needs("rabbitmq")
@pytest.mark.demand("S-035")
def test_many_results_go_through_rabbitmq_in_order_and_persistent(store: SqliteStore, rabbitmq: str) -> None:
    import pika

    results = [result(f"k{n}", testcase=f"ns.t{n:03}") for n in range(250)]
    store.commit_page(Page(source="ci", results=results))
    store.waivers.append([grant()])
    here = "amqp://127.0.0.1/"
    with closing(choose(f"{here}?queue={rabbitmq}&topics={rabbitmq}.%23").inlet()):
        pass
    report: SinkReport
    (report,) = deliver([bus(here, prefix=rabbitmq, batch=120)], Surroundings(store=store))
    assert (report.state, report.sent) == (State.OK, 250)
    got = []
    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        for method, properties, body in connection.channel().consume(rabbitmq, inactivity_timeout=5):
            got.append((method.routing_key, properties, orjson.loads(body)))
            if len(got) == 251:
                break
    assert [each["testcase"]["name"] for _topic, _given, each in got[:-1]] == [
        f"ns.t{n:03}" for n in range(250)
    ]
    topic, given, _body = got[-1]
    assert topic == f"{rabbitmq}.waiverdb.waiver.new"
    assert (given.delivery_mode, given.content_type, given.content_encoding) == (
        2,
        "application/json",
        "utf-8",
    )
    assert given.headers["fedora_messaging_schema"] == "base.message"
    assert given.headers["fedora_messaging_severity"] == 20
    assert len({given.message_id for _topic, given, _body in got}) == 251


def test_a_table_is_checked_and_its_folder_placed(tmp_path: Path) -> None:
    kinds = load_plugins().sinks

    def build(**keys: Any) -> Any:
        return build_sink(read_table("out", {"kind": "bus", **keys}, "x"), kinds, tmp_path, "[sink.out]")

    assert build(url="spool:out?fsync=false").options.url == f"spool:{tmp_path / 'out'}?fsync=false"
    with pytest.raises(ConfigError, match=r"\[sink\.out\] url: no secrets"):
        build(url="amqp://ci:secret@h/")
    with pytest.raises(ConfigError, match="no transport for 'nats://h'"):
        build(url="nats://h")


def test_it_says_how_the_bus_is(tmp_path: Path) -> None:
    options = Options(url=f"spool:{tmp_path / 'out'}", prefix="org.example")
    said = list(Bus().check(options))
    assert "org.example.resultsdb.result.new" in said[0]
