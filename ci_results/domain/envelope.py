"""Envelope: one message of a bus, taken out of whatever it was wrapped in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from ..errors import InvalidError, shown

KINDS = ("moksha", "archive", "fedmsg", "fedora-messaging", "frame", "cloudevents", "cdevents")
"""What messages come wrapped in; see `messages.opening`."""

_CHANGES_ON_THE_WAY = frozenset({"generated_at", "traceparent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message, as a mapping reads it.

    topic    where it was sent, without what a transport puts before it:
             "org.fedoraproject.prod.autocloud.image.success", "VirtualTopic.eng.ci.brew-build.test.error"
    body     its JSON value: an object as a rule, but texts, lists, numbers and None occur
    id       how its sender or the broker calls it; None = nobody said
    headers  all as texts: {"CI_TYPE": "resultsdb", "JMSXUserID": "msg-producer-osci"}
    time     when it was sent, with its zone; None = nobody said
    kind     what it was wrapped in, one of KINDS
    """

    topic: str
    body: Any
    id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    time: datetime | None = None
    kind: str = "fedora-messaging"

    def __post_init__(self) -> None:
        if not self.topic:
            raise InvalidError("a message needs a topic")
        if self.time is not None and self.time.tzinfo is None:
            raise InvalidError(f"time of a message has no zone: {shown(self.time)}")

    @property
    def key(self) -> str:
        """What tells it from other messages of its source: its id, else a digest of what it says.

        The digest leaves out what differs when the same is sent again (generated_at, traceparent).
        Raises InvalidError for a body that is nested too deeply; one that was opened is not.
        """
        if self.id is not None:
            return self.id
        body = self.body
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in _CHANGES_ON_THE_WAY}
        try:
            said = orjson.dumps((self.topic, body), option=orjson.OPT_SORT_KEYS)
        except TypeError as err:
            raise InvalidError(f"the body of a message is nested too deeply: {err}") from err
        return f"sha256:{sha256(said).hexdigest()}"
