"""docs/bus.md: its configuration is one, and its tables name every key there is."""

from __future__ import annotations

import re
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from ci_results import open_message
from ci_results.bus.amqp import AmqpOptions
from ci_results.cli.listen import told
from ci_results.config import read_config
from ci_results.config_bus import BusKeys, Listening, build_bus
from ci_results.domain.bus_message import ListenerState
from ci_results.plugin.manager import load_plugins

sys.path.insert(0, str(Path(__file__).parent))
from documents import ROOT, blocks

sys.path.pop(0)

PAGE = ROOT / "docs" / "bus.md"


def rows(heading: str) -> dict[str, str]:
    """Return the first two cells of each row under a heading, one row for each key it names."""
    text = PAGE.read_text(encoding="utf-8").split(f"# {heading}\n", 1)[1]
    text = re.split(r"^##+ ", text, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]*)", text, re.MULTILINE)
    return {key: said.strip() for cell, said in found for key in re.findall(r"`(\w+)`", cell)}


def test_the_configuration_is_one() -> None:
    (block,) = blocks(PAGE, "toml")
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


def test_every_key_of_amqp_is_named_with_its_default() -> None:
    told_of = rows("`amqp://` and `amqps://`")
    assert set(told_of) == {each.name for each in fields(AmqpOptions)}
    for each in fields(AmqpOptions):
        default: Any = each.default
        if default is not MISSING and default not in (None, ()):
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert told_of[each.name].strip("`") == shown


def test_the_message_opens() -> None:
    (block,) = blocks(PAGE, "json")
    assert open_message(block.text.encode()).key == "1f0c"


@pytest.mark.demand("S-115")
def test_the_line_is_what_is_written() -> None:
    (block,) = blocks(PAGE, "text")
    state = ListenerState(name="files", received=38, stored=36, events=1, quarantined=1, backlog=0, lag_s=0.4)
    assert told(state) == block.text.strip()
