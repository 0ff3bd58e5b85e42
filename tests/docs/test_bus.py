"""docs/bus.md: its configuration is one, and its tables name every key there is."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from ci_results import open_message
from ci_results.bus.access import Access
from ci_results.bus.amqp import AmqpOptions
from ci_results.bus.choosing import Chosen
from ci_results.bus.kafka import KafkaOptions
from ci_results.bus.stomp import StompOptions
from ci_results.cli.listen import told
from ci_results.config import read_config
from ci_results.config_bus import BusKeys, Listening, build_bus
from ci_results.domain.bus_message import ListenerState
from ci_results.plugin.manager import load_plugins

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "bus"))
from clusters import cluster
from documents import ROOT, blocks

sys.path.pop(0)
sys.path.pop(0)

PAGE = ROOT / "docs" / "bus.md"


def rows(heading: str) -> dict[str, str]:
    """Return the first two cells of each row under a heading, one row for each key it names."""
    text = PAGE.read_text(encoding="utf-8").split(f"# {heading}\n", 1)[1]
    text = re.split(r"^##+ ", text, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]*)", text, re.MULTILINE)
    return {key: said.strip() for cell, said in found for key in re.findall(r"`(\w+)`", cell)}


def test_the_configuration_is_one() -> None:
    block = blocks(PAGE, "toml")[0]
    config = read_config(block.text, Path("ci-results.toml"))
    transports = load_plugins().transports
    fedora, files = (
        build_bus(table, transports, Path("/etc/ci"), name) for name, table in config.buses.items()
    )
    assert (fedora.transport.name, fedora.options.ca) == ("amqp", Path("/etc/ci/cacert.pem"))
    assert files.url == "spool:/etc/ci/messages"
    assert config.listen == Listening()
    for each in fields(Listening):
        assert each.name == "origin" or f"\n{each.name} = " in block.text


def test_every_key_of_a_bus_is_named() -> None:
    assert list(rows("Listen")) == [each.name for each in fields(BusKeys)]


def test_secrets_and_tls_are_named() -> None:
    assert set(rows("Secrets and TLS")) == {each.name for each in fields(Access)}


@pytest.mark.parametrize(
    ("name", "options"), [("amqp", AmqpOptions), ("stomp", StompOptions), ("kafka", KafkaOptions)]
)
def test_every_key_of_a_transport_is_named_with_its_default(name: str, options: type[Any]) -> None:
    told_of = rows(f"`{name}://` and `{name}s://`")
    own = [each for each in fields(options) if each.name not in {of.name for of in fields(Access)}]
    assert set(told_of) == {each.name for each in own}
    for each in own:
        default: Any = each.default
        if default is not MISSING and default not in (None, (), ""):
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert told_of[each.name].strip("`") == shown


def configured(name: str, **changes: str) -> Chosen:
    """Return the bus of this name that the page configures, with other values where they are of a place."""
    (block,) = (each for each in blocks(PAGE, "toml") if f"[bus.{name}]" in each.text)
    table = read_config(block.text, Path("ci-results.toml")).buses[name]
    if changes:
        places = {"ca", "cert", "key", "password_env"}
        rest = {key: value for key, value in table.rest.items() if key not in places}
        table = replace(table, core=replace(table.core, **changes), rest=rest)
    return build_bus(table, load_plugins().transports, Path("/etc/ci"), name)


def test_the_configurations_of_stomp_and_kafka_are_ones() -> None:
    umb, kafka = configured("umb"), configured("kafka")
    assert (umb.transport.name, umb.options.cert) == ("stomp", Path("/etc/ci/ci-results.pem"))
    assert (kafka.transport.name, kafka.options.ca) == ("kafka", Path("/etc/ci/ca.pem"))
    assert re.fullmatch(kafka.options.topics[1], "eng.ci.x.complete")


@pytest.mark.needs("stomp")
def test_the_configuration_of_stomp_reads() -> None:
    import pika

    bus = configured("umb", url="stomp://guest:guest@127.0.0.1")
    try:
        with closing(bus.inlet()) as inlet:
            assert list(inlet.receive(1, 0, 0)) == []
    finally:
        with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
            connection.channel().queue_delete(bus.options.queue)


@pytest.mark.needs("kafka")
def test_the_configuration_of_kafka_reads() -> None:
    with cluster() as made:
        made.reads(configured("kafka").options.topics[0])
        with closing(configured("kafka", url=made.url).inlet()) as inlet:
            assert list(inlet.receive(1, 0, 0)) == []


def test_every_scheme_is_in_the_table() -> None:
    table = PAGE.read_text(encoding="utf-8").split("| URL | bus | install |")[1].split("\n\n")[0]
    schemes = {scheme for each in load_plugins().transports.values() for scheme in each.schemes}
    assert set(re.findall(r"`(\w+):", table)) == schemes


def test_the_message_opens() -> None:
    (block,) = blocks(PAGE, "json")
    assert open_message(block.text.encode()).key == "1f0c"


@pytest.mark.demand("S-115")
def test_the_line_is_what_is_written() -> None:
    (block,) = blocks(PAGE, "text")
    state = ListenerState(name="files", received=38, stored=36, events=1, quarantined=1, backlog=0, lag_s=0.4)
    assert told(state) == block.text.strip()
