"""Messages as transports carry them: those that arrive, and those that are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

KINDS = ("fedora-messaging", "frame", "saved")
"""How `raw` is to be opened: the body, beside the properties of AMQP 0.9.1 or of a record of Kafka; the body,
beside the headers of a frame of STOMP or a message of AMQP 1.0; the whole of it in one JSON text (see
messages.opening)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One message as a transport hands it over, untouched.

    raw      its bytes
    topic    where it was sent, as the transport says: a routing key, a destination; "" where `raw` says it
    headers  as they came; values of AMQP may be numbers, booleans and tables
    id       how its sender or the broker calls it; None = nobody said, or `raw` says it
    kind     one of KINDS
    again    the broker says that it was handed over before
    tag      the transport's own, to acknowledge it by
    """

    raw: bytes
    topic: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    kind: str = "fedora-messaging"
    again: bool = False
    tag: Any = None


class Departure(NamedTuple):
    """One message to send.

    topic    "org.fedoraproject.prod.resultsdb.result.new"
    body     its JSON text, an object in UTF-8
    id       names it among all messages of all senders; it is the same whenever it is sent again
    sent_at  what it says of when that happened: the same, too
    headers  texts beside it
    about    what it is about; a transport with parts keeps the order within one subject
    """

    topic: str
    body: bytes
    id: str
    sent_at: datetime
    headers: Mapping[str, str] = {}
    about: str = ""
