"""The hub of a Koji on loopback tells builds; what it says wrongly is no absent build."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from forge import Forge, forge

from ci_results import Build, SourceGarbledError, SourceRefusedError, SourceSession, SourceUnavailableError
from ci_results.errors import ConfigError, InvalidError
from ci_results.plugin.koji import Koji, KojiOptions
from ci_results.plugin.lookups import build_lookup

NVR = "bash-5.2-1.fc40"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<methodResponse><params><param><value><string>&b;</string></value></param></params></methodResponse>"
)


@pytest.fixture
def hub() -> Iterator[Forge]:
    with forge() as served:
        yield served


def ask(hub: Forge, nvr: str = NVR, **limits: Any) -> Build | None:
    with SourceSession(attempts=1, leaves_origin=False, **{"max_bytes": 100_000, **limits}) as http:
        return Koji().build(KojiOptions(url=hub.koji), nvr, http)


def answer(value: bytes) -> bytes:
    return (
        b"<?xml version='1.0'?><methodResponse><params><param><value>"
        + value
        + b"</value></param></params></methodResponse>"
    )


def test_a_build_is_told_whole(hub: Forge) -> None:
    hub.build(NVR, epoch=1)
    assert ask(hub) == Build(
        nvr=NVR, component="bash", version="5.2", release="1.fc40", epoch=1, owner="maintainer", task_id=42,
        source="git+https://src.example/rpms/bash.git#c0ffee", told_by=hub.koji,
        built_at=datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC),
    )  # fmt: skip
    assert ask(hub, "bash-5.2-2.fc40") is None
    assert hub.seen == [f"getBuild {NVR}", "getBuild bash-5.2-2.fc40"]


def test_the_source_may_stand_further_inside(hub: Forge) -> None:
    hub.build(NVR, source=None, extra={"source": {"original_url": "git://x/bash#abc"}})
    found = ask(hub)
    assert found is not None
    assert found.source == "git://x/bash#abc"
    for extra in (None, {}, {"source": None}, {"source": "x"}, []):
        hub.build(NVR, source=None, extra=extra)
        found = ask(hub)
        assert found is not None
        assert found.source is None


@pytest.mark.parametrize(
    ("stamp", "text", "time"),
    [
        (None, "2026-03-01 12:00:00.5", datetime(2026, 3, 1, 12, 0, 0, 500_000, UTC)),
        (None, "2026-03-01T12:00:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (None, "yesterday", None),
        (1e300, None, None),
        (True, None, None),
        (None, None, None),
    ],
)
def test_a_time_is_read_or_there_is_none(hub: Forge, stamp: Any, text: Any, time: datetime | None) -> None:
    hub.build(NVR, creation_ts=stamp, creation_time=text)
    found = ask(hub)
    assert found is not None
    assert found.built_at == time


@pytest.mark.parametrize(
    "nvr", ["bash", "bash-1", "", "a b-1-1", "a\n-1-1", "<x>-1-1", "é-1-1", "a" * 400 + "-1-1"]
)
def test_what_is_no_nvr_is_never_asked_for(hub: Forge, nvr: str) -> None:
    with pytest.raises(InvalidError, match=r"^Invalid NVR format: '"):
        ask(hub, nvr)
    assert hub.seen == []


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no answer in XML-RPC"),
        (b"<html>", "no answer in XML-RPC"),
        (b"not xml", "no answer in XML-RPC"),
        (BOMB, "document type has no place"),
        (BOMB.decode().encode("utf-16"), "document type has no place"),
        (answer(b"<int>" + b"9" * 6_000 + b"</int>"), "no answer in XML-RPC"),
        (answer(b"<array><data>" * 2_000), "no answer in XML-RPC"),
        (answer(b"<string>x</string>"), "what is no build"),
        (answer(b"<struct><member><name>name</name><value>x</value></member></struct>"), "what is no build"),
        (answer(b"<base64>!!!</base64>"), "what is no build|no answer"),
        (answer(b"<dateTime.iso8601>x</dateTime.iso8601>"), "no answer in XML-RPC"),
        (answer(b"<string>" + b"x" * 200_000 + b"</string>"), "answer is larger than"),
        (b"\xff\xfe<x/>", "no answer in XML-RPC"),
    ],
)
def test_an_answer_that_is_none_is_told(hub: Forge, raw: bytes, said: str) -> None:
    hub.builds["raw"] = raw
    with pytest.raises(SourceGarbledError, match=said):
        ask(hub)


def test_a_fault_of_the_hub_is_no_absent_build(hub: Forge) -> None:
    hub.builds[NVR] = "database is down\nfor now"
    with pytest.raises(SourceRefusedError, match="getBuild: database is down for now"):
        ask(hub)


def test_a_hub_that_is_away_is_no_absent_build() -> None:
    with SourceSession(attempts=1) as http, pytest.raises(SourceUnavailableError, match="refused"):
        Koji().build(KojiOptions(url="http://127.0.0.1:1/kojihub"), NVR, http)


def test_the_configuration_is_held_to_the_options() -> None:
    kinds = {"koji": Koji()}
    found = build_lookup({"kind": "koji", "url": "https://k"}, kinds, Path(), "x: [gate.builds]")
    assert found.options == KojiOptions(url="https://k")
    for table, said in (
        ({"url": "x"}, r"x: \[gate.builds\] kind: no plugin offers None; known are koji"),
        ({"kind": "brew", "url": "x"}, "no plugin offers 'brew'"),
        ({"kind": "koji"}, "url: missing, and lookup koji needs it"),
        ({"kind": "koji", "url": 5}, "url: must be a text"),
        ({"kind": "koji", "url": "x", "ur": "y"}, "ur: unknown key; known are url"),
    ):
        with pytest.raises(ConfigError, match=said):
            build_lookup(table, kinds, Path(), "x: [gate.builds]")
