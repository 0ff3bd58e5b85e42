"""Brokers behind TLS: who signed them is checked, and our own certificate is shown."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ci_results import Departure, SinkUnavailableError, SourceRefusedError
from ci_results.bus.choosing import Chosen, choose
from ci_results.errors import ConfigError, SourceUnavailableError

sys.path.insert(0, str(Path(__file__).parent))
from tls import Papers, gate, papers

sys.path.pop(0)

NOON = datetime(2026, 1, 1, tzinfo=UTC)
PORTS = {"amqps": 5672, "stomps": 61613}
pytestmark = [
    pytest.mark.needs("rabbitmq"),
    pytest.mark.parametrize(
        "scheme", ["amqps", pytest.param("stomps", marks=pytest.mark.needs("stomp"))], ids=str
    ),
]


@pytest.fixture
def server(tmp_path: Path) -> Papers:
    return papers(tmp_path / "server", "localhost", "127.0.0.1")


@pytest.fixture
def at(rabbitmq: str) -> Callable[..., Chosen]:
    """Return what names the bus behind a port, reading a queue of this test."""
    choose(f"amqp://127.0.0.1/?queue={rabbitmq}&topics={rabbitmq}").inlet().close()

    def bus(scheme: str, port: int, host: str = "127.0.0.1", **files: Path) -> Chosen:
        given = {name: str(path) for name, path in files.items()}
        return choose(f"{scheme}://guest:guest@{host}:{port}/?queue={rabbitmq}", keys=given)

    return bus


def carried(bus: Chosen, topic: str) -> list[bytes]:
    """Send a few messages and take them."""
    sent = [
        Departure(topic=topic, body=b'{"n": %d, "x": "%s"}' % (n, b"x" * 50_000), id=f"m{n}", sent_at=NOON)
        for n in range(5)
    ]
    with closing(bus.inlet()) as inlet:
        with closing(bus.outlet()) as outlet:
            outlet.publish(sent)
        found = []
        while len(found) < len(sent) and (more := inlet.receive(9, 10, 0)):
            found += more
        inlet.ack(found)
    return [each.raw for each in found]


def test_a_broker_of_an_authority_that_is_trusted_is_spoken_to(
    scheme: str, server: Papers, at: Callable[..., Chosen], rabbitmq: str
) -> None:
    with gate(server, PORTS[scheme]) as door:
        found = carried(at(scheme, door.port, ca=server.ca), rabbitmq)
        carried(at(scheme, door.port, host="localhost", ca=server.ca), rabbitmq)
    assert [each[:7] for each in found] == [b'{"n": %d' % number for number in range(5)]
    assert set(door.names) == {""}  # nobody was asked who they are


def test_a_broker_of_another_authority_is_refused(
    scheme: str, server: Papers, at: Callable[..., Chosen], tmp_path: Path
) -> None:
    other = papers(tmp_path / "other", "127.0.0.1")
    said = r"127\.0\.0\.1:\d+: its certificate is not trusted: .*certificate.*; name who signed it: ca = FILE"
    with gate(server, PORTS[scheme]) as door:
        for trusted in ({"ca": other.ca}, {}):
            with pytest.raises(SourceRefusedError, match=said):
                at(scheme, door.port, **trusted).inlet()
            with pytest.raises(SinkUnavailableError, match=said):
                at(scheme, door.port, **trusted).outlet()


def test_a_broker_of_another_name_is_refused(scheme: str, at: Callable[..., Chosen], tmp_path: Path) -> None:
    elsewhere = papers(tmp_path / "elsewhere", "bus.example")
    with (
        gate(elsewhere, PORTS[scheme]) as door,
        pytest.raises(SourceRefusedError, match=r"not trusted: IP address mismatch.* '127\.0\.0\.1'"),
    ):
        at(scheme, door.port, ca=elsewhere.ca).inlet()


def test_our_own_certificate_says_who_we_are(
    scheme: str, server: Papers, at: Callable[..., Chosen], rabbitmq: str, tmp_path: Path
) -> None:
    ours = papers(tmp_path / "ours")
    with gate(server, PORTS[scheme], callers=ours.ca) as door:
        carried(at(scheme, door.port, ca=server.ca, cert=ours.cert, key=ours.key), rabbitmq)
        assert set(door.names) == {"ci-results"}
        with pytest.raises((SourceUnavailableError, SourceRefusedError), match=f"127.0.0.1:{door.port}: "):
            at(scheme, door.port, ca=server.ca).inlet()


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked_for_it(scheme: str, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as keys

    ours = papers(tmp_path / "ours")
    key = keys.load_pem_private_key(ours.key.read_bytes(), None)
    hidden = keys.BestAvailableEncryption(b"secret")
    ours.key.write_bytes(key.private_bytes(keys.Encoding.PEM, keys.PrivateFormat.TraditionalOpenSSL, hidden))
    files = {"queue": "q", "cert": str(ours.cert), "key": str(ours.key)}
    with pytest.raises(ConfigError, match=r"key\.pem: cannot be used as certificates"):
        choose(f"{scheme}://127.0.0.1", keys=files).ready()


def test_a_broker_that_speaks_no_tls_is_told(scheme: str, at: Callable[..., Chosen]) -> None:
    with pytest.raises(SourceUnavailableError, match=r"127\.0\.0\.1:\d+: .+"):
        at(scheme, PORTS[scheme]).inlet()
