"""A URL names a transport and its options; what it names wrongly is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ci_results import SinkUnavailableError, SourceUnavailableError
from ci_results.bus.amqp import AmqpOptions, parameters
from ci_results.bus.choosing import choose
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
        ("nats://h", r"no transport for 'nats://h'; known are spool:, amqp:, amqps:"),
        ("amqp://h?qeue=x", "qeue: unknown key; known are ca, cert"),
        ("amqp://h?prefetch=many", "prefetch: must be a whole number, got 'many'"),
        ("amqp://h?prefetch=0", "prefetch must be at least 1"),
        ("amqp://h?quorum=perhaps", "quorum: must be true or false"),
        ("amqp://h?cert=a.pem", "cert and key go together"),
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


def test_a_broker_that_is_away_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(SourceUnavailableError, match=f"127.0.0.1:{port}: "):
        choose(f"amqp://127.0.0.1:{port}/").inlet()
    with pytest.raises(SinkUnavailableError, match=f"127.0.0.1:{port}: "):
        choose(f"amqp://127.0.0.1:{port}/").outlet()
