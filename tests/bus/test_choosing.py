"""A URL names a transport and its options; what it names wrongly is told."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from ci_results import SinkUnavailableError, SourceUnavailableError
from ci_results.bus.access import Place
from ci_results.bus.amqp import AmqpOptions, parameters
from ci_results.bus.choosing import choose
from ci_results.bus.kafka import KafkaOptions, settings
from ci_results.bus.stomp import StompOptions, dial
from ci_results.errors import ConfigError


def test_options_come_from_the_query_and_from_a_table(tmp_path: Path) -> None:
    chosen = choose(
        "amqp://h/?queue=q&topics=a.%23&topics=b&quorum=yes", keys={"ca": "ca.pem"}, folder=tmp_path
    )
    assert chosen.url == "amqp://h/"
    assert chosen.options == AmqpOptions(queue="q", topics=("a.#", "b"), quorum=True, ca=tmp_path / "ca.pem")


def test_a_path_counts_from_the_folder(tmp_path: Path) -> None:
    assert choose("spool:in", folder=tmp_path).url == f"spool:{tmp_path / 'in'}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nats://h", r"no transport for 'nats://h'; known are spool:, amqp:, amqps:, stomp:, .*kafkas:"),
        ("amqp://h?qeue=x", "qeue: unknown key; known are ca, cert"),
        ("amqp://h?prefetch=many", "prefetch: must be a whole number, got 'many'"),
        ("amqp://h?prefetch=0", "prefetch must be at least 1"),
        ("amqp://h?quorum=perhaps", "quorum: must be true or false"),
        ("amqp://h?cert=a.pem", "cert and key go together"),
        ("stomp://h?topics=a", "topics: unknown key; known are ca, cert"),
        ("stomp://h?prefetch=0", "prefetch must be at least 1, got 0"),
        ("stomp://h?heartbeat_s=-1", "heartbeat_s must be at least 0, got -1"),
        ("stomps://h?key=a.pem", "cert and key go together"),
        ("kafka://h?queue=a", "queue: unknown key; known are ca, cert, group"),
        ("kafka://h?sasl=GSSAPI", "sasl must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, got 'GSSAPI'"),
        ("kafka://h?group=", "group is empty"),
        ("kafka://h?session_s=0", "session_s must be at least 1"),
    ],
)
def test_what_is_named_wrongly_is_told(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        choose(url)


def test_where_and_as_whom_is_in_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    found = parameters(AmqpOptions(password_env="SECRET"), "amqps://ci@bus.example/%2Fpubsub")
    assert (found.host, found.port, found.virtual_host) == ("bus.example", 5671, "/pubsub")
    assert (found.credentials.username, found.credentials.password) == ("ci", "s3cret")
    assert found.ssl_options is not None
    found = parameters(AmqpOptions(), "amqp://h")
    assert (found.port, found.virtual_host, found.ssl_options) == (5672, "/", None)
    with pytest.raises(ConfigError, match=r"no\.pem: cannot be used as certificates"):
        parameters(AmqpOptions(ca=Path("no.pem")), "amqps://h")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("stomp://h", r"h:61613: queue: missing.* write queue = "),
        ("stomp://h:x?queue=q", r"h:x: Port could not be cast"),
        ("stomps://h?queue=q&ca=no.pem", r"no\.pem: cannot be used as certificates"),
        ("stomp://ci@h?queue=q&password_env=NOT_THERE", r"^password_env: .*; export NOT_THERE="),
        ("amqps://h?ca=no.pem", r"no\.pem: cannot be used as certificates"),
        ("kafka://h", r"h: topics: missing.* write topics = "),
        ("kafka://h/ci?topics=a", r"h: a path means nothing to Kafka: '/ci'"),
        ("kafka://h:9092,?topics=a", r"h:9092,: no host and port: ''; write HOST:9092"),
        ("kafkas://h?topics=a&ca=no.pem", r"no\.pem: cannot be used as certificates"),
        ("kafka://h?topics=a&password_file=no.txt", r"no\.txt cannot be read"),
    ],
)
def test_what_keeps_from_listening_is_told_without_a_connection(url: str, said: str) -> None:
    pytest.importorskip("stomp")
    pytest.importorskip("confluent_kafka")
    with pytest.raises(ConfigError, match=said):
        choose(url).ready()


@pytest.mark.parametrize(
    ("scheme", "library", "extra"),
    [("amqp", "pika", "amqp"), ("stomps", "stomp.utils", "stomp"), ("kafka", "confluent_kafka", "kafka")],
)
def test_a_library_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, scheme: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    for name in ("stomp_line", "stomp_frames"):
        monkeypatch.delitem(sys.modules, f"ci_results.bus.{name}", raising=False)
    with pytest.raises(ConfigError, match=rf"{scheme}: needs .*: pip install 'ci-results\[{extra}\]'"):
        choose(f"{scheme}://h").ready()


def test_a_cluster_and_an_account_are_in_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("confluent_kafka")
    monkeypatch.setenv("SECRET", "s3cret")
    found = settings(KafkaOptions(password_env="SECRET", sasl="SCRAM-SHA-512"), "kafkas://ci@a,[::1]:99,b:9")
    assert found["bootstrap.servers"] == "a:9093,[::1]:99,b:9"
    assert (found["security.protocol"], found["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (found["sasl.username"], found["sasl.password"]) == ("ci", "s3cret")
    found = settings(KafkaOptions(), "kafka://a")
    assert (found["bootstrap.servers"], found["security.protocol"]) == ("a:9092", "PLAINTEXT")
    assert "sasl.username" not in found


def test_a_stomp_broker_and_an_account_are_in_the_url() -> None:
    pytest.importorskip("stomp")
    found = dial(StompOptions(), "stomps://ci:s3cret@bus.example/%2Fci")
    assert found.place == Place(host="bus.example", port=61612, virtual_host="/ci")
    assert (found.user, found.password, found.tls is None) == ("ci", "s3cret", False)
    found = dial(StompOptions(), "stomp://bus.example:1")
    assert found.place == Place(host="bus.example", port=1, virtual_host="/")
    assert (found.user, found.password, found.tls) == (None, None, None)


@pytest.mark.parametrize("scheme", ["amqp", "stomp", "kafka"])
def test_a_broker_that_is_away_is_told(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if scheme != "amqp":
        pytest.importorskip({"stomp": "stomp", "kafka": "confluent_kafka"}[scheme])
    if scheme == "kafka":
        monkeypatch.setattr("ci_results.bus.kafka_in.OPEN_WITHIN_S", 1)
        monkeypatch.setattr("ci_results.bus.kafka_out.OPEN_WITHIN_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    keys: dict[str, Any] = {"stomp": {"queue": "q"}, "kafka": {"topics": ["t"]}}.get(scheme, {})
    with pytest.raises(SourceUnavailableError, match=rf"127\.0\.0\.1:{port}: .*refused"):
        choose(f"{scheme}://127.0.0.1:{port}/", keys=keys).inlet()
    with pytest.raises(SinkUnavailableError, match=rf"127\.0\.0\.1:{port}: .*refused"):
        choose(f"{scheme}://127.0.0.1:{port}/").outlet()
