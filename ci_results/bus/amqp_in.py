"""Messages in from RabbitMQ: a durable queue, read ahead, acknowledged many at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from ..domain.carried import Arrival
from ..errors import SourceUnavailableError
from ..plugin.transport import Inlet
from .amqp import AmqpOptions, closed, told
from .gathering import gather

T = TypeVar("T")


class AmqpInlet(Inlet):
    """Reads one queue. A broken connection closes it: what was not acknowledged comes again."""

    def __init__(self, options: AmqpOptions, where: pika.ConnectionParameters, place: str) -> None:
        self._options, self._place = options, place
        self._ready: deque[Arrival] = deque()
        self._unsettled: deque[int] = deque()
        self._cancelled = False
        self._connection: BlockingConnection = told(lambda: pika.BlockingConnection(where), place)
        try:
            self._channel: BlockingChannel = self._told(self._connection.channel)
            self._told(self._begin)
        except BaseException:
            closed(self._connection)
            raise

    def receive(self, most: int, wait_s: float, linger_s: float) -> Sequence[Arrival]:
        """Return the next messages; see Inlet."""
        found = gather(self._ready, self._pass_time, most, wait_s, linger_s)
        self._unsettled.extend(each.tag for each in found)
        return found

    def ack(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge, all with one frame; see Inlet."""
        if arrivals:
            self._settle(arrivals, self._channel.basic_ack)

    def nack(self, arrivals: Sequence[Arrival]) -> None:
        """Give back; see Inlet."""
        if arrivals:
            self._settle(arrivals, self._channel.basic_nack)

    def idle(self, seconds: float) -> None:
        """Let time go by; heartbeats go on."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._told(partial(self._connection.sleep, min(left, 1)))

    def backlog(self) -> int | None:
        """Return how many messages are ready in the queue; see Inlet."""
        asked: Any = self._told(lambda: self._channel.queue_declare(self._options.queue, passive=True))
        return int(asked.method.message_count) + len(self._ready)

    def close(self) -> None:
        """Close the connection; the broker takes back what was not acknowledged."""
        closed(self._connection)

    def _begin(self) -> None:
        options, channel = self._options, self._channel
        if options.declare:
            kind = {"x-queue-type": "quorum"} if options.quorum else None
            channel.queue_declare(options.queue, durable=True, arguments=kind)
            for topic in options.topics:
                channel.queue_bind(options.queue, options.exchange, topic)
        channel.basic_qos(prefetch_count=options.prefetch)
        channel.add_on_cancel_callback(self._cancel)
        channel.basic_consume(options.queue, self._take)

    def _take(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        """Keep one message until it is asked for."""
        self._ready.append(
            Arrival(
                raw=body,
                topic=method.routing_key,
                headers=properties.headers or {},
                id=properties.message_id,
                again=method.redelivered,
                tag=method.delivery_tag,
            )
        )

    def _cancel(self, _frame: Any) -> None:
        self._cancelled = True

    def _pass_time(self, seconds: float) -> None:
        self._told(lambda: self._connection.process_data_events(seconds))
        if self._cancelled:
            raise SourceUnavailableError(f"{self._place}: queue {self._options.queue} is gone")

    def _settle(self, arrivals: Sequence[Arrival], settle: Callable[..., None]) -> None:
        """Settle what are the oldest messages with one frame; else, each with its own."""
        tags = [each.tag for each in arrivals]
        oldest = [self._unsettled[n] for n in range(min(len(tags), len(self._unsettled)))]
        if tags == oldest:
            self._told(lambda: settle(tags[-1], multiple=True))
            for _ in tags:
                self._unsettled.popleft()
            return
        for tag in tags:
            self._told(partial(settle, tag))
            self._unsettled.remove(tag)

    def _told(self, call: Callable[[], T]) -> T:
        return told(call, self._place)
