"""Open the envelopes that messages come in, into one value.

    moksha            {"topic", "headers", "body": {"msg", ...}}    what moksha hubs hand on (STOMP)
    archive           {"topic", "msg", "msg_id", "headers", ...}    what datanommer keeps
    fedmsg            {"topic", "msg", "msg_id", "i", "timestamp"}  as fedmsg sent it
    fedora-messaging  {"topic", "id", "headers", "body"}            saved; live: routing key, payload
    frame             {"headers": {"destination"}, "body"}          saved; live: headers, payload
                                                                    (STOMP, AMQP 1.0)
    cloudevents       {"specversion", "id", "source", "type", "data"}    structured CloudEvents 1.0
    cdevents          {"context": {"id", "source", "type"}, "subject"}   an event of CDEvents, bare

What cannot be opened raises InvalidError: that message will never be readable.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from ..domain.carried import Arrival
from ..domain.envelope import Envelope
from ..errors import InvalidError, shown

_QUEUE = re.compile(r"/queue/Consumer\..*?(?=VirtualTopic\.)")
_PREFIXES = ("/topic/", "topic://")
_MOKSHA = frozenset({"msg", "topic", "headers", "msg_id", "timestamp", "i", "username"})
_ESCAPES = {r"\c": ":", r"\n": "\n", r"\r": "\r", r"\\": "\\"}
_ESCAPED = re.compile(r"\\[cnr\\]")


def open_message(raw: bytes) -> Envelope:
    """Open a message that was saved as JSON, in any of the five envelopes. Raises InvalidError."""
    return open_saved(_json(raw))


def open_saved(value: Any) -> Envelope:
    """Open a saved message that is parsed already: one element of a list of them. Raises InvalidError."""
    if not isinstance(value, dict):
        raise InvalidError(f"a saved message is no JSON object: {shown(value)}")
    if "specversion" in value and "body" not in value:
        return _cloud_event(value)
    if isinstance(value.get("context"), dict) and "subject" in value and "topic" not in value:
        return _standard(value["context"], value, "cdevents")
    headers = _headers(value.get("headers"))
    if "msg" in value:
        kept = "source_name" in value or "destination" in headers or "message-id" in headers
        return _opened(value, headers, value["msg"], value.get("msg_id"), "archive" if kept else "fedmsg")
    if "body" not in value:
        raise InvalidError(f"a saved message has neither body nor msg: {shown(value)}")
    body = value["body"]
    if "topic" not in value and (destination := _destination(headers)):
        payload = _json(body.encode("utf-8", "surrogatepass")) if isinstance(body, str) else body
        return _opened({"topic": destination}, headers, payload, None, "frame")
    if isinstance(body, dict) and "msg" in body and body.keys() <= _MOKSHA:
        inner = {**body, "topic": value.get("topic") or body.get("topic")}
        return _opened(
            inner, headers | _headers(body.get("headers")), body["msg"], body.get("msg_id"), "moksha"
        )
    return _opened(value, headers, body, value.get("id"), "fedora-messaging")


def open_amqp(
    payload: bytes, topic: str, message_id: str | None = None, headers: Mapping[str, Any] | None = None
) -> Envelope:
    """Open a message of AMQP 0.9.1 as fedora-messaging sends it; `topic` is its routing key.

    Raises InvalidError.
    """
    saved = {"topic": topic, "id": message_id}
    return _opened(saved, _headers(headers), _json(payload), message_id, "fedora-messaging")


def open_frame(payload: bytes, headers: Mapping[str, Any], message_id: str | None = None) -> Envelope:
    """Open a frame of STOMP, or a message of AMQP 1.0 with its properties as headers.

    `message_id` goes before what the headers say. Raises InvalidError.
    """
    texts = _headers(headers)
    return _opened({"topic": _destination(texts)}, texts, _json(payload), message_id, "frame")


def open_arrival(arrival: Arrival) -> Envelope:
    """Open a message as a transport handed it over. Raises InvalidError."""
    if arrival.kind == "saved":
        return open_message(arrival.raw)
    if arrival.kind == "frame":
        return open_frame(arrival.raw, arrival.headers, arrival.id)
    return open_amqp(arrival.raw, arrival.topic, arrival.id, arrival.headers)


def plain_topic(topic: str) -> str:
    """Return a topic without what transports put before it.

    >>> plain_topic("/queue/Consumer.client-a.prod.VirtualTopic.eng.ci.brew-build.test.error")
    'VirtualTopic.eng.ci.brew-build.test.error'
    """
    for prefix in _PREFIXES:
        topic = topic.removeprefix(prefix)
    return _QUEUE.sub("", topic, count=1)


def _cloud_event(value: Mapping[str, Any]) -> Envelope:
    """Open a structured CloudEvent; data that is no JSON comes as base64."""
    body = value.get("data")
    if "data_base64" in value:
        try:
            body = _json(b64decode(value["data_base64"], validate=True))
        except (TypeError, ValueError) as err:
            raise InvalidError(f"data_base64 of an event is none: {shown(value['data_base64'])}") from err
    return _standard(value, body, "cloudevents")


def _standard(told: Mapping[str, Any], body: Any, kind: str) -> Envelope:
    """Make an envelope of the attributes that CloudEvents and CDEvents share: source and id are unique."""
    for name in ("id", "source", "type"):
        if not isinstance(told.get(name), str) or not told[name]:
            raise InvalidError(f"an event without {name}: {shown(told.get(name))}")
    stamp = told.get("time") or told.get("timestamp")
    envelope = Envelope(
        topic=told["type"],
        body=body,
        id=f"{told['source']} {told['id']}",
        headers=_headers({name: said for name, said in told.items() if not isinstance(said, dict | list)}),
        time=_sent_at({"sent-at": stamp}) if isinstance(stamp, str) else None,
        kind=kind,
    )
    _ = envelope.key
    return envelope


def _opened(
    saved: Mapping[str, Any], headers: Mapping[str, str], body: Any, said_id: Any, kind: str
) -> Envelope:
    topic = saved.get("topic")
    if not isinstance(topic, str) or not topic:
        raise InvalidError(f"a message without a topic: {shown(topic)}")
    message_id = said_id if isinstance(said_id, str) and said_id else headers.get("message-id")
    envelope = Envelope(
        topic=plain_topic(topic),
        body=body,
        id=_unescaped(message_id) if message_id else None,
        headers=headers,
        time=_time(saved.get("timestamp"), 1) or _time(headers.get("timestamp"), 1000) or _sent_at(headers),
        kind=kind,
    )
    _ = envelope.key  # raises for a body that has none
    return envelope


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as err:
        raise InvalidError(f"a message is no JSON: {err}: {shown(raw[:60])}") from err


def _headers(given: object) -> dict[str, str]:
    """Return headers as texts; AMQP has numbers, booleans and tables among them."""
    if not isinstance(given, Mapping):
        return {}
    return {
        str(name): value if isinstance(value, str) else _text(value)
        for name, value in given.items()
        if value is not None
    }


def _text(value: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _destination(headers: Mapping[str, str]) -> str:
    """Return where a frame was sent: some brokers name the queue, and keep the topic beside it."""
    return headers.get("original-destination") or headers.get("destination") or ""


def _unescaped(text: str) -> str:
    """Undo what STOMP 1.1 escapes in headers, and some clients hand on."""
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)


def _time(stamp: object, units: int) -> datetime | None:
    """Read a count of `units` of a second since 1970; 0 is what brokers write who do not know."""
    if isinstance(stamp, str) and stamp.isascii() and stamp.isdigit():
        stamp = int(stamp)
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not stamp > 0:
        return None
    try:
        return datetime.fromtimestamp(stamp / units, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _sent_at(headers: Mapping[str, str]) -> datetime | None:
    """Read fedora-messaging's header; without a zone it is another time on each machine, so none."""
    try:
        time = datetime.fromisoformat(headers.get("sent-at") or headers.get("sent_at") or "")
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
