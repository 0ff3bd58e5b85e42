"""RabbitMQ's STOMP keeps the contract of transports, and stomp.py, AMQP and we read each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from ci_results import Departure, SinkRefusedError, SinkUnavailableError, SourceRefusedError
from ci_results.bus.choosing import Chosen, choose
from ci_results.errors import ConfigError, SourceUnavailableError
from ci_results.messages.opening import open_arrival
from ci_results.testing.transport_contract import TransportContract

pytestmark = pytest.mark.needs("stomp")
HERE = "stomp://guest:guest@127.0.0.1/"
AMQP = "amqp://127.0.0.1/"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sent(topic: str, number: int = 0, **more: Any) -> Departure:
    return Departure(topic=topic, body=b'{"n": %d}' % number, id=f"m:{number}", sent_at=NOON, **more)


def bind(queue: str, *topics: str) -> str:
    """Make a durable queue, as an operator does; return a URL that reads it."""
    given = "".join(f"&topics={topic.replace('#', '%23')}" for topic in topics)
    choose(f"{AMQP}?queue={queue}{given}").inlet().close()
    return f"{HERE}?queue={queue}"


class TestStomp(TransportContract):
    @pytest.fixture
    def bus(self, rabbitmq: str) -> Chosen:
        self.topic = f"{rabbitmq}.contract"
        return choose(bind(rabbitmq, f"{rabbitmq}.#"))


def test_a_virtual_topic_is_read_from_the_queue_of_its_name(rabbitmq: str) -> None:
    queue = f"{rabbitmq}.VirtualTopic.eng.>"
    try:
        bind(queue, f"VirtualTopic.{rabbitmq}.#")
        with closing(choose(HERE, keys={"queue": queue}).inlet()) as inlet:
            with closing(choose(HERE).outlet()) as outlet:
                outlet.publish([sent(f"VirtualTopic.{rabbitmq}.ci.brew-build.test.error")])
            (found,) = inlet.receive(9, 5, 0)
            assert open_arrival(found).topic == f"VirtualTopic.{rabbitmq}.ci.brew-build.test.error"
            inlet.ack([found])
    finally:
        delete(queue)


def delete(queue: str) -> None:
    import pika

    with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
        connection.channel().queue_delete(queue)


def test_what_is_sent_by_stomp_is_read_by_amqp_and_back(rabbitmq: str) -> None:
    bind(rabbitmq, rabbitmq)
    said = {"ci_results_origin": "ci: ä\\b", "subject_type": "koji_build"}
    for there, back in ((HERE, AMQP), (AMQP, HERE)):
        with closing(choose(there).outlet()) as outlet:
            outlet.publish([sent(rabbitmq, 7, headers=said)])
        with closing(choose(f"{back}?queue={rabbitmq}").inlet()) as inlet:
            (found,) = inlet.receive(9, 5, 0)
            inlet.ack([found])
        opened = open_arrival(found)
        assert (opened.topic, opened.key, opened.body, opened.time) == (rabbitmq, "m:7", {"n": 7}, NOON)
        assert said.items() <= opened.headers.items()


@contextmanager
def stomp_py() -> Iterator[tuple[Any, Queue[Any]]]:
    """Connect as ResultsDB, WaiverDB and Greenwave do."""
    import stomp

    class Listener(stomp.ConnectionListener):
        def on_message(self, frame: Any) -> None:
            came.put(frame)

    came: Queue[Any] = Queue()
    connection = stomp.StompConnection11([("127.0.0.1", 61613)], vhost="/")
    connection.set_listener("", Listener())
    connection.connect("guest", "guest", wait=True)
    yield connection, came
    connection.disconnect(receipt="bye")


def test_stomp_py_reads_what_we_send(rabbitmq: str) -> None:
    bind(rabbitmq, rabbitmq)
    with stomp_py() as (connection, came), closing(choose(HERE).outlet()) as outlet:
        connection.subscribe(f"/queue/{rabbitmq}", id="1", ack="auto")
        outlet.publish([sent(rabbitmq, 3, headers={"policies_satisfied": "true"})])
        frame = came.get(timeout=5)
    assert (frame.body, frame.headers["destination"]) == ('{"n": 3}', f"/topic/{rabbitmq}")
    assert frame.headers["persistent"] == "true"
    assert frame.headers["policies_satisfied"] == "true"


def test_we_read_what_stomp_py_sends_as_it_was(rabbitmq: str) -> None:
    bodies = ['{"msg": {"a": "ä:\\n"}}', "a\0b", "", "[1]", "x" * 300_000]
    with closing(choose(bind(rabbitmq, rabbitmq)).inlet()) as inlet:
        with stomp_py() as (connection, _came):
            for body in bodies:
                connection.send(f"/topic/{rabbitmq}", body.encode(), headers={"CI_TYPE": "a:b\\c"})
        found: list[Any] = []
        while len(found) < len(bodies) and (more := inlet.receive(9, 5, 0.1)):
            found += more
        inlet.ack(found)
    assert [each.raw.decode() for each in found] == bodies
    assert {each.headers["CI_TYPE"] for each in found} == {"a:b\\c"}
    assert {each.topic for each in found} == {f"/topic/{rabbitmq}"}
    assert [each.id for each in found] == [None] * len(bodies)  # RabbitMQ's names are of deliveries


def test_what_was_not_acknowledged_comes_again_under_the_name_that_it_had(rabbitmq: str) -> None:
    bus = choose(bind(rabbitmq, rabbitmq) + "&prefetch=3")
    with closing(bus.outlet()) as outlet:
        outlet.publish([sent(rabbitmq, number) for number in range(5)])
    with closing(bus.inlet()) as inlet:
        first = inlet.receive(9, 5, 0.3)
        assert [each.again for each in first] == [False] * 3  # no more are handed over ahead
        inlet.ack([first[1]])  # each for itself
    with closing(bus.inlet()) as inlet:
        again = inlet.receive(2, 5, 0.3)
        assert [(each.id, each.again) for each in again] == [("m:0", True), ("m:2", True)]
        assert [open_arrival(each).key for each in again] == ["m:0", "m:2"]


@pytest.mark.parametrize(
    ("topic", "ok"), [("/queue/{0}", True), ("", False), ("a b", False), ("x" * 256, False), ("a\nb", False)]
)
def test_a_topic_that_is_none_is_refused_and_those_before_it_are_sent(
    rabbitmq: str, topic: str, ok: bool
) -> None:
    with (
        closing(choose(bind(rabbitmq, rabbitmq)).inlet()) as inlet,
        closing(choose(HERE).outlet()) as outlet,
    ):
        messages = [sent(rabbitmq), sent(topic.format(rabbitmq), 1), sent(rabbitmq, 2)]
        if ok:
            outlet.publish(messages)
        else:
            with pytest.raises(SinkRefusedError, match="topic is empty, too long") as told:
                outlet.publish(messages)
            assert told.value.delivered == 1
        found = inlet.receive(3, 5, 0.3)
        assert [each.id for each in found] == (["m:0", "m:1", "m:2"] if ok else ["m:0"])


def test_what_the_broker_refuses_is_told() -> None:
    for url in ("stomp://guest:wrong@127.0.0.1/?queue=q", "stomp://guest:guest@127.0.0.1/none?queue=q"):
        with pytest.raises(SourceRefusedError, match=r"127\.0\.0\.1:61613: Bad CONNECT: "):
            choose(url).inlet()
        with pytest.raises(SinkUnavailableError, match="Bad CONNECT"):
            choose(url).outlet()
    with pytest.raises(SourceRefusedError, match="not_found"):
        choose(f"{HERE}?queue=/amq/queue/ci_results_none").inlet()
    with closing(choose(HERE).outlet()) as outlet:
        with pytest.raises(SinkUnavailableError, match="not_found") as told:
            outlet.publish([sent("/exchange/ci_results_none/x")])
        assert told.value.delivered == 0


def test_a_queue_that_is_deleted_is_told(rabbitmq: str) -> None:
    with closing(choose(bind(rabbitmq, rabbitmq)).inlet()) as inlet:
        delete(rabbitmq)
        with pytest.raises(SourceUnavailableError, match=r"127\.0\.0\.1:61613: "):
            inlet.receive(1, 5, 0)


def test_hearts_beat_while_nothing_else_is_said(rabbitmq: str) -> None:
    """The broker closes a connection that is silent for longer than it promised to be."""
    with closing(choose(bind(rabbitmq, rabbitmq) + "&heartbeat_s=1").inlet()) as inlet:
        inlet.idle(3)
        assert list(inlet.receive(1, 0.1, 0)) == []


def test_nothing_is_read_without_a_queue(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"127.0.0.1:61613: queue: missing.* write queue = "):
        choose(HERE).inlet()
