"""Bare clients of each bus: the same libraries, and nothing done with what they carry.

Each takes or sends messages of 2 kB with the guarantee that ours gives: what is taken is acknowledged,
what is sent is persistent and confirmed, a window of it on its way.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from queue import Queue
from typing import Any

WINDOW = 100
GROUP = 250
BODY = b"x" * 1_992
AMQP, STOMP = "amqp://127.0.0.1/", "stomp://guest:guest@127.0.0.1/"
Begin = Callable[[], None]


class Amqp:
    """RabbitMQ by pika: a loop that acknowledges each message, and a window of unconfirmed ones."""

    library, port = "pika", 5672

    @contextmanager
    def bus(self, mark: str) -> Iterator[tuple[str, str]]:
        """Give URLs to read a queue, which is made here, and to send to it."""
        from ci_results.bus.choosing import choose

        choose(f"{AMQP}?queue={mark}&topics={mark}.%23").inlet().close()
        try:
            yield f"{AMQP}?queue={mark}", AMQP
        finally:
            with self._connected() as connection:
                connection.channel().queue_delete(mark)

    def take(self, _url: str, mark: str, count: int, begin: Begin) -> None:
        with self._connected() as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=WINDOW)
            begin()
            for taken, (method, _properties, _body) in enumerate(channel.consume(mark), start=1):
                channel.basic_ack(method.delivery_tag)
                if taken == count:
                    break
            channel.cancel()

    def send(self, _url: str, mark: str, count: int, begin: Begin) -> None:
        import pika

        properties = pika.BasicProperties(delivery_mode=2, message_id=str(uuid.uuid4()))
        sent = confirmed = 0

        def fill_window(channel: Any) -> None:
            nonlocal sent
            while sent < count and sent - confirmed < WINDOW:
                channel.basic_publish("amq.topic", f"{mark}.x", BODY, properties)
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

        begin()
        connection = pika.SelectConnection(
            pika.URLParameters(AMQP + "%2F"),
            on_open_callback=lambda made: made.channel(on_open_callback=opened),
            on_close_callback=lambda made, _err: made.ioloop.stop(),
        )
        connection.ioloop.start()

    def _connected(self) -> Any:
        import pika

        return pika.BlockingConnection(pika.URLParameters(AMQP + "%2F"))


class Stomp(Amqp):
    """RabbitMQ by stomp.py: its thread gives each message to a listener, which acknowledges it."""

    library, port = "stomp", 61613

    @contextmanager
    def bus(self, mark: str) -> Iterator[tuple[str, str]]:
        with super().bus(mark):
            yield f"{STOMP}?queue={mark}", STOMP

    def take(self, _url: str, mark: str, count: int, begin: Begin) -> None:
        def came(connection: Any, frame: Any) -> None:
            connection.ack(frame.headers["ack"])
            done.put(None)

        done: Queue[None] = Queue()
        with _stomp_py(on_message=came) as connection:
            begin()
            how = {"prefetch-count": str(WINDOW)}
            connection.subscribe(f"/queue/{mark}", id="1", ack="client-individual", headers=how)
            for _ in range(count):
                done.get(timeout=60)

    def send(self, _url: str, mark: str, count: int, begin: Begin) -> None:
        def came(_connection: Any, frame: Any) -> None:
            done.put(None)

        done: Queue[None] = Queue()
        with _stomp_py(on_receipt=came) as connection:
            begin()
            for number in range(count):
                if number >= WINDOW:
                    done.get(timeout=60)
                told = {"persistent": "true", "receipt": str(number)}
                connection.send(f"/topic/{mark}.x", BODY, "application/json", headers=told)
            for _ in range(min(count, WINDOW)):
                done.get(timeout=60)


@contextmanager
def _stomp_py(**handlers: Callable[[Any, Any], None]) -> Iterator[Any]:
    import stomp

    made = stomp.StompConnection12([("127.0.0.1", 61613)], vhost="/", auto_content_length=False)
    listener = stomp.ConnectionListener()
    for name, handler in handlers.items():
        setattr(listener, name, lambda frame, call=handler: call(made, frame))
    made.connect("guest", "guest", wait=True)
    made.set_listener("", listener)
    yield made
    made.remove_listener("")
    made.disconnect()


class Kafka:
    """librdkafka's cluster of three brokers in memory, in a process of its own: it has no disk to wait for.

    Of each of its four partitions it keeps 5 MB, so that some 8,000 messages are the most.
    """

    library, port = "confluent_kafka", 0

    @contextmanager
    def bus(self, mark: str) -> Iterator[tuple[str, str]]:
        command = [sys.executable, __file__, f"{mark}.ci.koji-build.test.complete", f"{mark}.x"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cluster:
            assert cluster.stdout is not None
            url = f"kafka://{cluster.stdout.readline().strip()}/"
            yield f"{url}?topics={mark}.ci.koji-build.test.complete&group={mark}", url
            cluster.kill()

    def take(self, url: str, mark: str, count: int, begin: Begin) -> None:
        from confluent_kafka import Consumer

        own = {
            "group.id": mark, "auto.offset.reset": "earliest", "enable.auto.commit": False, **_servers(url),
        }  # fmt: skip
        with closing(Consumer(own)) as consumer:
            consumer.subscribe([f"{mark}.ci.koji-build.test.complete"])
            taken = 0
            while taken < count:
                found = consumer.consume(min(GROUP, count - taken), 1)
                if found and not taken:
                    begin()
                taken += len(found)
                if found:
                    consumer.commit(asynchronous=False)

    def send(self, url: str, mark: str, count: int, begin: Begin) -> None:
        from confluent_kafka import Producer

        producer = Producer({"enable.idempotence": True, "acks": "all", **_servers(url)})
        producer.list_topics(timeout=10)
        begin()
        for number in range(count):
            producer.produce(f"{mark}.x", BODY, key=str(number % 500), on_delivery=_delivered)
            producer.poll(0)
        producer.flush(60)


def _delivered(err: Any, _message: Any) -> None:
    assert err is None, err


def _servers(url: str) -> dict[str, str]:
    return {"bootstrap.servers": url.partition("//")[2].partition("/")[0]}


BARE = {"amqp": Amqp(), "stomp": Stomp(), "kafka": Kafka()}


def missing(kind: str) -> str | None:
    """Say why a bus cannot be measured here, None where it can."""
    client = BARE[kind]
    if find_spec(client.library) is None:
        return f"no {client.library} is installed: pip install 'ci-results[{kind}]'"
    if client.port:
        try:
            socket.create_connection(("127.0.0.1", client.port), 2).close()
        except OSError as err:
            return f"127.0.0.1:{client.port}: {err}"
    return None


def _be_a_cluster(topics: list[str]) -> None:
    """Hold a cluster until nobody wants it any more, and print its servers."""
    from confluent_kafka import Producer

    holder = Producer({"bootstrap.servers": "nowhere", "test.mock.num.brokers": 3, "log_level": 0})
    for topic in topics:
        holder.list_topics(topic, timeout=10)
    brokers = holder.list_topics(timeout=10).brokers.values()
    print(",".join(f"{each.host}:{each.port}" for each in brokers), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _be_a_cluster(sys.argv[1:])
