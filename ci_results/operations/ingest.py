"""Ingest: make pages of the messages of a bus; stores nothing itself."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from ..collect.refine import refine
from ..domain.bus_message import BusMessage
from ..domain.carried import Arrival
from ..domain.envelope import Envelope
from ..domain.expectation import Event
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.ownership import Ownership
from ..domain.page import Page
from ..domain.result import Result
from ..errors import InvalidError, PluginError
from ..messages.echo import is_echo
from ..messages.opening import open_arrival
from ..messages.triggers import MAPPING as TRIGGERS
from ..messages.triggers import events_of
from ..normalise.normaliser import Normaliser
from ..plugin.contract import Messages
from ..plugin.faults import plugin_call
from ..plugin.manager import Plugins
from ..plugin.reading import read_message
from ..store.sidenotes import storable

KIND, DOOR = "message", "message"
UNREAD = "-"
"""The mapping of a message that nothing could read."""

_MAX_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """How the messages of one bus are taken.

    name       what the bus is called
    source     whose results they are; messages with one id are one within it
    origin     how we are called in what we send: that is never taken; None = nothing of any ci-results is
    announced  take what other stores announce
    unread     whether a message that nothing reads is quarantined, instead of passed by
    keep_bytes of a message are kept at most; a longer one is known by its digest
    max_bytes  of a message are read at most
    ownership  the testcases that they may say something about; None = any
    """

    name: str
    source: str = "bus"
    origin: str | None = None
    announced: bool = False
    unread: bool = False
    keep_bytes: int = 64 * 1024
    max_bytes: int = 8 * 1024 * 1024
    ownership: Ownership | None = None


@dataclass(slots=True)
class Prepared:
    """What some messages come to: a page, events, and counts."""

    page: Page
    events: list[Event] = field(default_factory=list)
    passed: int = 0
    newest: datetime | None = None


@dataclass(slots=True)
class _Read:
    """What one message comes to."""

    results: list[Result] = field(default_factory=list)
    garbled: list[Garbled] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    kept: BusMessage | None = None
    time: datetime | None = None


class Ingest:
    """Reads the messages of one bus.

    options     of readers, by name, as the configuration gives them
    vocabulary  outcomes that the configuration adds
    """

    def __init__(
        self,
        taking: Taking,
        plugins: Plugins,
        options: Mapping[str, Any] | None = None,
        vocabulary: Iterable[str] = (),
    ) -> None:
        self._taking, self._plugins = taking, plugins
        self._options = dict(options or {})
        self._vocabulary = tuple(vocabulary)
        self._normalisers: dict[str, Normaliser] = {}

    def prepare(self, arrivals: Iterable[Arrival], *, again: bool = False) -> Prepared:
        """Return what `arrivals` come to, in order. `again`: they were stored, and could not be read."""
        prepared = Prepared(Page(source=self._taking.source, door=DOOR))
        results: list[Result] = []
        garbled: list[Garbled] = []
        kept: list[BusMessage] = []
        for each in arrivals:
            read = self._read(each)
            results += read.results
            garbled += read.garbled
            prepared.events += read.events
            if read.kept is None:
                prepared.passed += 1
            else:
                kept.append(replace(read.kept, again=True) if again else read.kept)
            if read.time is not None and (prepared.newest is None or read.time > prepared.newest):
                prepared.newest = read.time
        prepared.page = replace(prepared.page, results=results, quarantine=garbled, messages=kept)
        return prepared

    def refused(self, arrival: Arrival, reason: str) -> Page:
        """Return a page that quarantines a message."""
        garbled = [self._garbled(arrival, reason)]
        kept = self._kept(arrival, None, UNREAD, 0, 1)
        return Page(source=self._taking.source, door=DOOR, quarantine=garbled, messages=[kept])

    def _read(self, arrival: Arrival) -> _Read:
        envelope = None
        try:
            if len(arrival.raw) > self._taking.max_bytes:
                raise InvalidError(f"has {len(arrival.raw)} bytes, more than max_bytes of [listen]: raise it")
            envelope = _opened(arrival)
            if is_echo(envelope, self._taking.origin, self._taking.announced):
                return _Read(time=envelope.time)
            return self._understood(arrival, envelope)
        except (InvalidError, PluginError) as err:
            return _Read(
                garbled=[self._garbled(arrival, str(err))],
                kept=self._kept(arrival, envelope, UNREAD, 0, 1),
                time=None if envelope is None else envelope.time,
            )

    def _understood(self, arrival: Arrival, envelope: Envelope) -> _Read:
        """Read a message. Raises InvalidError, PluginError for one that cannot be read."""
        events = events_of(envelope)
        reader = self._reader(envelope)
        if reader is None:
            if not events and not self._taking.unread:
                return _Read(time=envelope.time)
            if not events:
                raise InvalidError(f"nothing reads messages like it, with topic {envelope.topic[:80]}")
            kept = self._kept(arrival, envelope, TRIGGERS, 0, 0)
            return _Read(events=events, kept=kept, time=envelope.time)
        with plugin_call(f"reading a message of {self._taking.name}", reader):
            options = self._options.get(reader.name) or reader.options()
            seen = read_message(reader, options, envelope, arrival.raw)
        observed = [each for each in seen if isinstance(each, Observation)]
        results, refused = refine(observed, self._normaliser(reader), self._plugins.hook)
        bad = [
            self._garbled(arrival, each.reason, each.key)
            for each in (*(each for each in seen if isinstance(each, Garbled)), *refused)
        ]
        mapping = f"{reader.name}@{reader.version}"
        kept = self._kept(arrival, envelope, mapping, len(results), len(bad))
        return _Read(results=results, garbled=bad, events=events, kept=kept, time=envelope.time)

    def _reader(self, envelope: Envelope) -> Messages[Any] | None:
        for each in self._plugins.messages.values():
            with plugin_call(f"recognising a message of {self._taking.name}", each):
                if each.recognises(envelope):
                    return each
        return None

    def _normaliser(self, reader: Messages[Any]) -> Normaliser:
        known = self._normalisers.get(reader.name)
        if known is None:
            known = self._normalisers[reader.name] = Normaliser(
                self._taking.source, reader.outcomes, self._plugins.item_types, self._vocabulary,
                self._taking.ownership,
            )  # fmt: skip
        return known

    def _kept(
        self, arrival: Arrival, envelope: Envelope | None, mapping: str, results: int, garbled: int
    ) -> BusMessage:
        digest = sha256(arrival.raw).hexdigest()
        key = (arrival.id if envelope is None else envelope.key) or f"sha256:{digest}"
        if len(key) > _MAX_KEY:
            key = f"sha256:{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"
        return BusMessage(
            key=storable(key),
            topic=storable(arrival.topic if envelope is None else envelope.topic),
            mapping=mapping,
            transport=self._taking.name,
            results=results,
            garbled=garbled,
            raw=zlib.compress(arrival.raw, 1) if len(arrival.raw) <= self._taking.keep_bytes else None,
            digest=digest,
            size=len(arrival.raw),
            told=storable(orjson.dumps(_told(arrival)).decode()),
        )

    def _garbled(self, arrival: Arrival, reason: str, key: str | None = None) -> Garbled:
        return Garbled(
            raw=arrival.raw, reason=reason, key=key or arrival.id, kind=KIND,
            told={**_told(arrival), "bus": self._taking.name},
        )  # fmt: skip


def arrival_of(raw: bytes, told: Mapping[str, str] | None) -> Arrival:
    """Return a message as it came, of what is kept of it. Raises InvalidError."""
    if told is None or not {"carried", "topic", "headers"} <= told.keys():
        raise InvalidError("is a message of which nothing is known but its bytes")
    headers = json.loads(told["headers"])
    return Arrival(raw=raw, topic=told["topic"], headers=headers, id=told.get("id"), kind=told["carried"])


def _opened(arrival: Arrival) -> Envelope:
    """Open a message. Raises InvalidError, also for headers that are no text in any encoding."""
    try:
        return open_arrival(arrival)
    except (TypeError, ValueError, RecursionError) as err:
        raise err if isinstance(err, InvalidError) else InvalidError(f"cannot be opened: {err}") from err


def _told(arrival: Arrival) -> dict[str, str]:
    """Return what came beside the bytes of a message, as texts."""
    headers = {str(name): value for name, value in arrival.headers.items()}
    said = {
        "carried": arrival.kind,
        "topic": storable(arrival.topic),
        "headers": storable(json.dumps(headers, default=str, skipkeys=True)),
    }
    return said if arrival.id is None else {**said, "id": storable(arrival.id)}
