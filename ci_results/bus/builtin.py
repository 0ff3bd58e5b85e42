"""The plugin of the built-in transports: an entry point of this distribution, found like a stranger's."""

from __future__ import annotations

from typing import Any

from ..plugin.spec import hookimpl
from ..plugin.transport import Transport
from .amqp import Amqp
from .kafka import Kafka
from .spool import Spool
from .stomp import Stomp


@hookimpl
def register_transports() -> list[Transport[Any]]:
    """Offer the transports that this distribution brings."""
    return [Spool(), Amqp(), Stomp(), Kafka()]
