"""The five envelopes: whatever a message came in, its topic, id, time and body are the same."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results import Envelope, InvalidError, open_message, open_saved
from ci_results.messages.opening import open_amqp, open_frame, plain_topic

BODY: dict[str, Any] = {"run": {"url": "https://ci.example/1"}, "status": "passed"}
TIME = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECONDS = int(TIME.timestamp())
STOMP = "/topic/VirtualTopic.eng.ci.brew-build.test.complete"
TOPIC = "VirtualTopic.eng.ci.brew-build.test.complete"
FRAME = {"destination": STOMP, "message-id": r"ID\chost-1", "timestamp": str(SECONDS * 1000)}

SAVED = {
    "moksha": {
        "topic": STOMP,
        "headers": {"message-id": r"ID\chost-1", "timestamp": str(SECONDS * 1000)},
        "body": {"msg": BODY, "headers": {}, "topic": STOMP},
    },
    "archive": {
        "topic": STOMP,
        "headers": {"message-id": "ID:host-1", "destination": STOMP},
        "msg": BODY,
        "msg_id": "ID:host-1",
        "timestamp": float(SECONDS),
        "source_name": "datanommer",
    },
    "fedmsg": {"topic": TOPIC, "msg": BODY, "msg_id": "ID:host-1", "i": 3, "timestamp": float(SECONDS)},
    "fedora-messaging": {
        "topic": TOPIC,
        "id": "ID:host-1",
        "headers": {"sent-at": TIME.isoformat(), "fedora_messaging_severity": 20},
        "body": BODY,
    },
    "frame": {"headers": FRAME, "body": json.dumps(BODY)},
}


@pytest.mark.parametrize("kind", SAVED)
def test_all_envelopes_hold_the_same_message(kind: str) -> None:
    opened = open_message(json.dumps(SAVED[kind]).encode())
    assert (opened.kind, opened.topic, opened.id, opened.time) == (kind, TOPIC, "ID:host-1", TIME)
    assert opened.body == BODY
    assert opened.key == "ID:host-1"


def test_what_comes_over_the_wire_is_what_is_saved() -> None:
    payload = json.dumps(BODY).encode()
    headers = {"sent-at": TIME.isoformat(), "fedora_messaging_severity": 20}
    assert open_amqp(payload, TOPIC, "ID:host-1", headers) == open_saved(SAVED["fedora-messaging"])
    assert open_frame(payload, FRAME) == open_saved(SAVED["frame"])


@pytest.mark.parametrize(
    ("topic", "plain"),
    [
        ("/topic/VirtualTopic.eng.ci.x", "VirtualTopic.eng.ci.x"),
        ("topic://VirtualTopic.eng.ci.x", "VirtualTopic.eng.ci.x"),
        ("/queue/Consumer.client-a.b-c.VirtualTopic.eng.ci.x", "VirtualTopic.eng.ci.x"),
        ("/topic/CI", "CI"),
        ("org.fedoraproject.prod.resultsdb.result.new", "org.fedoraproject.prod.resultsdb.result.new"),
    ],
)
def test_a_topic_loses_what_transports_put_before_it(topic: str, plain: str) -> None:
    assert plain_topic(topic) == plain


def test_a_frame_from_a_queue_keeps_its_topic_beside_it() -> None:
    headers = {"destination": "/queue/Consumer.a.b.VirtualTopic.eng.>", "original-destination": STOMP}
    assert open_frame(b"{}", headers).topic == TOPIC


def test_headers_are_texts_whatever_amqp_has_there() -> None:
    headers = {"severity": 20, "fedora_messaging_rpm_bash": True, "x-death": [{"count": 1}], "none": None}
    assert open_amqp(b"{}", TOPIC, None, headers).headers == {
        "severity": "20",
        "fedora_messaging_rpm_bash": "true",
        "x-death": '[{"count":1}]',
    }


@pytest.mark.parametrize("body", ["text", "", [1], None, 7], ids=repr)
def test_a_body_that_is_no_object_is_a_message_all_the_same(body: Any) -> None:
    assert open_saved({"topic": TOPIC, "msg": body}).body == body
    assert open_amqp(json.dumps(body).encode(), TOPIC).body == body


@pytest.mark.parametrize("stamp", ["0", 0, -5, "soon", True, None, 1e300, float("nan"), [1]], ids=repr)
def test_a_time_that_nobody_knows_is_none(stamp: Any) -> None:
    assert open_saved({"topic": TOPIC, "msg": {}, "timestamp": stamp}).time is None


def test_a_time_without_a_zone_is_none() -> None:
    saved = {"topic": TOPIC, "body": {}, "headers": {"sent-at": "2026-03-01T12:00:00"}}
    assert open_saved(saved).time is None


def test_without_an_id_the_same_message_sent_again_has_the_same_key() -> None:
    first = Envelope(topic=TOPIC, body={"a": 1, "b": 2, "generated_at": "x"})
    again = Envelope(topic=TOPIC, body={"b": 2, "a": 1, "generated_at": "y", "traceparent": "z"}, time=TIME)
    other = Envelope(topic=TOPIC, body={"a": 1, "b": 3})
    assert first.key == again.key != other.key
    assert Envelope(topic="elsewhere", body={"a": 1, "b": 2}).key != first.key


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is no JSON"),
        (b'{"topic": "a", "msg": ', "is no JSON"),
        (b'{"topic": "a", "msg": "\xff"}', "is no JSON"),
        (b"[1]", "is no JSON object"),
        (b'{"topic": "a"}', "neither body nor msg"),
        (b'{"msg": {}}', "without a topic"),
        (b'{"topic": 7, "msg": {}}', "without a topic"),
        (b'{"headers": {"destination": "/topic/CI"}, "body": "no json"}', "is no JSON"),
        (b'{"topic": "a", "msg": ' + b"[" * 500 + b"]" * 500 + b"}", "nested too deeply"),
        (b'{"topic": "a", "msg": ' + b"[" * 50000 + b"]" * 50000 + b"}", "is no JSON"),
    ],
)
def test_what_cannot_be_opened_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        open_message(raw)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["topic", "msg", "body", "headers", "msg_id", "id", "timestamp", "destination"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_any_json_is_opened_or_refused(value: Any) -> None:
    try:
        raw = orjson.dumps(value)
    except TypeError:
        return
    try:
        opened = open_message(raw)
    except InvalidError:
        return
    assert opened.topic
    assert opened.key


@given(st.binary(max_size=60), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_any_bytes_are_opened_or_refused(payload: bytes, headers: dict[str, str]) -> None:
    for opening in (
        lambda: open_message(payload),
        lambda: open_amqp(payload, "a.b", None, headers),
        lambda: open_frame(payload, headers),
    ):
        with contextlib.suppress(InvalidError):
            assert opening().topic
