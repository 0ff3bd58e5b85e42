"""A place of its own on a RabbitMQ, which goes with its connection: how a message is sent there and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from ..errors import ConfigError, SourceRefusedError
from ..plugin.transport import Inlet, Outlet
from .access import shown_place
from .amqp import AmqpOptions, parameters
from .amqp_in import AmqpInlet
from .amqp_out import AmqpOutlet
from .several import first_open


@contextmanager
def aside(options: AmqpOptions, url: str, topic: str) -> Iterator[tuple[Inlet, Outlet]]:
    """Open a queue that is ours alone, bound to one topic, and a way out. See Transport.aside."""
    mine = replace(options, queue=topic, topics=(topic,))

    def reading(one: str, several: bool) -> Inlet:
        return _Passing(mine, parameters(mine, one, SourceRefusedError, several), shown_place(one))

    def sending(one: str, several: bool) -> Outlet:
        return AmqpOutlet(options, parameters(options, one, ConfigError, several), shown_place(one))

    with closing(first_open(url, reading)) as inlet, closing(first_open(url, sending)) as outlet:
        yield inlet, outlet


class _Passing(AmqpInlet):
    """Reads a queue that nobody else sees, and that is deleted when the connection closes."""

    def _begin(self) -> None:
        options, channel = self._options, self._channel
        (topic,) = options.topics
        channel.queue_declare(options.queue, exclusive=True, auto_delete=True)
        channel.queue_bind(options.queue, options.exchange, topic)
        channel.basic_consume(options.queue, self._take)
