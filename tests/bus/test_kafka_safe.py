"""Kafka behind TLS and accounts: librdkafka before doors that speak both for its own cluster."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ci_results import Departure, SinkUnavailableError, SourceRefusedError
from ci_results.bus.choosing import Chosen, choose
from ci_results.bus.kafka import KafkaOptions, settings
from ci_results.errors import ConfigError, SourceUnavailableError

sys.path.insert(0, str(Path(__file__).parent))
from clusters import Cluster
from kafka_doors import Account, Doors, doors
from tls import Papers, papers

sys.path.pop(0)

pytestmark = pytest.mark.needs("kafka")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
UNTRUSTED = r"its certificate is not trusted; name who signed it: ca = FILE; .*certificate verify failed"
NOT_US = r"who we are does not let us in: sasl_ssl://127\.0\.0\.1:\d+/bootstrap: SASL authentication error"
SOON_S = 8
"""Who is refused is told well before OPEN_WITHIN_S, also on a machine that has other things to do."""


@pytest.fixture
def server(tmp_path: Path) -> Papers:
    return papers(tmp_path / "server", "localhost", "127.0.0.1")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ci_results.bus.kafka_in.OPEN_WITHIN_S", 2)
    monkeypatch.setattr("ci_results.bus.kafka_out.OPEN_WITHIN_S", 2)


@pytest.fixture
def door(brokers: Cluster, server: Papers) -> Iterator[Doors]:
    with doors(brokers.servers, server) as made:
        yield made


def bus(servers: str, topic: str, scheme: str = "kafkas", user: str = "", **keys: Any) -> Chosen:
    given = {name: str(value) for name, value in keys.items()}
    read = {"topics": [topic], "group": topic, "session_s": 4}
    return choose(f"{scheme}://{user}{servers}/", keys={**read, **given})


def carried(over: Chosen, brokers: Cluster, topic: str) -> list[str | None]:
    """Send and take, and say what came."""
    brokers.reads(topic)
    with closing(over.outlet()) as outlet:
        outlet.publish([Departure(topic=topic, body=b"{}", id=f"m{n}", sent_at=NOON) for n in range(3)])
    found: list[Any] = []
    with closing(over.inlet()) as inlet:
        while len(found) < 3 and (more := inlet.receive(9, 5, 0)):
            found += more
        inlet.ack(found)
    return sorted(each.id for each in found)


def refused(over: Chosen, why: str) -> None:
    """Hold that both ways are told why, and soon."""
    for way, error in ((over.inlet, SourceRefusedError), (over.outlet, SinkUnavailableError)):
        began = time.monotonic()
        with pytest.raises(error, match=why):
            way()  # type: ignore[operator]
        assert time.monotonic() - began < SOON_S


def away(over: Chosen, why: str) -> None:
    for way, error in ((over.inlet, SourceUnavailableError), (over.outlet, SinkUnavailableError)):
        with pytest.raises(error, match=why):
            way()  # type: ignore[operator]


def test_what_a_url_and_its_keys_say_is_what_librdkafka_is_told(server: Papers, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3:cret\n")
    options = KafkaOptions(
        password_file=tmp_path / "password", sasl="SCRAM-SHA-512", ca=server.ca, cert=server.cert,
        key=server.key,
    )  # fmt: skip
    found = settings(options, "kafkas://ci%40x@a,b:1")
    assert {name: value for name, value in found.items() if name.startswith(("b", "s"))} == {
        "bootstrap.servers": "a:9093,b:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ci@x",
        "sasl.password": "s3:cret",
        "ssl.ca.location": str(server.ca),
        "ssl.certificate.location": str(server.cert),
        "ssl.key.location": str(server.key),
    }
    protocols = {
        url: settings(KafkaOptions(), url)["security.protocol"]
        for url in ("kafka://a", "kafkas://a", "kafka://ci:x@a", "kafkas://ci:x@a")
    }
    assert list(protocols.values()) == ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


def test_a_cluster_of_an_authority_that_is_trusted_is_spoken_to(
    brokers: Cluster, topic: str, door: Doors, server: Papers
) -> None:
    assert carried(bus(door.servers, topic, ca=server.ca), brokers, topic) == ["m0", "m1", "m2"]
    assert set(door.names) == {""}


def test_a_cluster_of_another_authority_is_refused(topic: str, door: Doors, tmp_path: Path) -> None:
    refused(bus(door.servers, topic, ca=papers(tmp_path / "other", "127.0.0.1").ca), UNTRUSTED)
    refused(bus(door.servers, topic), UNTRUSTED)  # the system trusts none of it


def test_a_cluster_of_another_name_is_refused(brokers: Cluster, topic: str, tmp_path: Path) -> None:
    elsewhere = papers(tmp_path / "elsewhere", "bus.example")
    with doors(brokers.servers, elsewhere) as door:
        refused(bus(door.servers, topic, ca=elsewhere.ca), UNTRUSTED)


def test_our_own_certificate_says_who_we_are(
    brokers: Cluster, topic: str, server: Papers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = papers(tmp_path / "ours")
    with doors(brokers.servers, server, callers=ours.ca) as door:
        safe = bus(door.servers, topic, ca=server.ca, cert=ours.cert, key=ours.key)
        assert carried(safe, brokers, topic) == ["m0", "m1", "m2"]
        assert set(door.names) == {"ci-results"}
        monkeypatch.setattr("ci_results.bus.kafka_in.OPEN_WITHIN_S", 2)
        monkeypatch.setattr("ci_results.bus.kafka_out.OPEN_WITHIN_S", 2)
        away(bus(door.servers, topic, ca=server.ca), r"127\.0\.0\.1:\d+: .+")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_an_account_is_shown_as_the_cluster_wants_it(
    mechanism: str, brokers: Cluster, topic: str, server: Papers
) -> None:
    with doors(brokers.servers, server, Account(mechanism, "ci", "s3cret")) as door:
        safe = bus(door.servers, topic, user="ci:s3cret@", ca=server.ca, sasl=mechanism)
        assert carried(safe, brokers, topic) == ["m0", "m1", "m2"]
        assert set(door.entered) == {"ci"}
        refused(bus(door.servers, topic, user="ci:wrong@", ca=server.ca, sasl=mechanism), NOT_US)


def test_a_mechanism_that_the_cluster_has_not_is_told(brokers: Cluster, topic: str, server: Papers) -> None:
    with doors(brokers.servers, server, Account("SCRAM-SHA-512", "ci", "s3cret")) as door:
        why = "who we are does not let us in: .*PLAIN mechanism.*supported mechanisms: SCRAM-SHA-512"
        refused(bus(door.servers, topic, user="ci:s3cret@", ca=server.ca), why)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_an_account_is_shown_without_tls_too(mechanism: str, brokers: Cluster, topic: str) -> None:
    with doors(brokers.servers, None, Account(mechanism, "ci", "s3cret")) as door:
        plain = bus(door.servers, topic, "kafka", "ci:s3cret@", sasl=mechanism)
        assert carried(plain, brokers, topic) == ["m0", "m1", "m2"]


@pytest.mark.usefixtures("short")
def test_who_does_not_speak_as_the_port_does_is_told(
    brokers: Cluster, topic: str, door: Doors, server: Papers
) -> None:
    away(bus(brokers.servers, topic, ca=server.ca), r"127\.0\.0\.1:\d+.*: ssl://.*(PLAINTEXT|Disconnected)")
    away(bus(door.servers, topic, "kafka"), r": (no broker answers there; .*kafkas:|127\..*Disconnected)")


def test_a_key_with_a_pass_phrase_is_refused_before_anything_is_opened(server: Papers) -> None:
    from cryptography.hazmat.primitives import serialization as keys

    key = keys.load_pem_private_key(server.key.read_bytes(), None)
    hidden = keys.BestAvailableEncryption(b"secret")
    form = keys.PrivateFormat.TraditionalOpenSSL
    server.key.write_bytes(key.private_bytes(keys.Encoding.PEM, form, hidden))
    with pytest.raises(ConfigError, match=re.escape(f"{server.key}: cannot be used as certificates")):
        bus("127.0.0.1:1", "t", cert=server.cert, key=server.key).ready()
