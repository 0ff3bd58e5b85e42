"""The sink `bus`: puts results, waivers and decisions on a bus, as ResultsDB, WaiverDB and Greenwave do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import orjson

from ..bus.choosing import Chosen, choose, has_password
from ..domain.carried import Departure
from ..domain.happening import DECISION, KINDS
from ..errors import ConfigError, SinkUnavailableError
from ..messages.echo import ORIGIN
from ..plugin.contract import Sink
from ..wire.peers_messages import (
    DECISION_TOPIC,
    RESULT_TOPIC,
    WAIVER_TOPIC,
    decision_headers,
    event_id,
    happened_at,
    peers_body,
    result_message,
)

if TYPE_CHECKING:
    from ..domain.batch import Batch
    from ..domain.happening import Happening
    from ..domain.receipt import Receipt
    from ..domain.result import Result
    from ..plugin.transport import Outlet

_PASSED_ON = ("password_env", "password_file", "ca", "cert", "key")


@dataclass(frozen=True, kw_only=True)
class Options:
    """`url` names the bus and its transport's options: "amqp://ci@bus.example/%2Fci?exchange=amq.topic".

    prefix  of topics: "org.fedoraproject.prod"
    origin  how we are called, in the header ci_results_origin: whoever listens there takes nothing of ours
    api     address of our API 2.0 for the links in results: "https://ci.example/api/v2.0"
    The others are of the transport, where it has them.
    """

    url: str
    prefix: str = ""
    origin: str = "ci_results"
    api: str = ""
    password_env: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class Bus(Sink[Options]):
    """Publishes in order, each message confirmed by the bus before it counts as delivered.

    After a crash or an outage those that were not confirmed are sent again with the ids that they had, in the
    same order: a reader that knows ids gets each once, and of one subject in order.
    """

    name = "bus"
    options = Options
    takes = frozenset(KINDS)

    def deliver(self, options: Options, batch: Batch) -> None:
        """Publish each result; see Sink."""
        with self.opened(options) as opened:
            opened.deliver(options, batch)

    def announce(self, options: Options, happenings: Sequence[Happening]) -> None:
        """Publish waivers that begin to count, and decisions that changed; see Sink."""
        with self.opened(options) as opened:
            opened.announce(options, happenings)

    @contextmanager
    def opened(self, options: Options) -> Iterator[Sink[Options]]:
        """Give the sink with a connection that is opened when it is needed; see Sink."""
        opened = _Opened(chosen(options))
        try:
            yield opened
        finally:
            opened.close()

    def placed(self, options: Options, folder: Path) -> Options:
        """Return options with the path of a `spool:` counted from `folder`. Raises ConfigError."""
        if has_password(options.url):
            raise ConfigError("url: no secrets in this file; use password_env or password_file")
        found = chosen(options)
        _bare, mark, query = options.url.partition("?")
        return replace(options, url=f"{found.transport.placed(found.url, folder)}{mark}{query}")

    def check(self, options: Options) -> Iterator[str]:
        """Say how the bus is; see Sink."""
        found = chosen(options)
        yield f"{found.name}, topics {_topic(options, RESULT_TOPIC)} and kin"
        yield from found.transport.check(found.options, found.url)


class _Opened(Bus):
    """The sink with its connection, for one run of deliveries."""

    def __init__(self, bus: Chosen) -> None:
        self._bus = bus
        self._outlet: Outlet | None = None

    def deliver(self, options: Options, batch: Batch) -> None:
        self._publish(_Rendered(options, batch))

    def announce(self, options: Options, happenings: Sequence[Happening]) -> None:
        self._publish([said for each in happenings if (said := _of_happening(options, each)) is not None])

    def close(self) -> None:
        """Let go of the connection."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None

    def _publish(self, messages: Sequence[Departure]) -> None:
        if not messages:
            return
        if self._outlet is None:
            self._outlet = self._bus.outlet()
        try:
            self._outlet.publish(messages)
        except SinkUnavailableError:
            self.close()
            raise


def chosen(options: Options) -> Chosen:
    """Return the bus that the options name. Raises ConfigError."""
    scheme = options.url.partition(":")[0]
    keys = {name: value for name in _PASSED_ON if (value := getattr(options, name)) is not None}
    texts: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else value for name, value in keys.items()
    }
    return choose(options.url, keys=texts, where=f"sink bus at {scheme}:")


class _Rendered(Sequence["Departure"]):
    """The messages of a batch, each made when it is first asked for."""

    def __init__(self, options: Options, batch: Batch) -> None:
        self._batch = batch
        self._topic, self._origin = _topic(options, RESULT_TOPIC), options.origin
        self._api, self._headers = options.api.rstrip("/"), {ORIGIN: options.origin}
        self._made: dict[int, Departure] = {}

    def __len__(self) -> int:
        return len(self._batch)

    @overload
    def __getitem__(self, place: int) -> Departure: ...
    @overload
    def __getitem__(self, place: slice) -> list[Departure]: ...

    def __getitem__(self, place: int | slice) -> Departure | list[Departure]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        made = self._made.get(place)
        if made is None:
            made = self._made[place] = self._make(self._batch[place], self._batch.receipts[place])
        return made

    def _make(self, result: Result, receipt: Receipt) -> Departure:
        moment = receipt.received_at
        return Departure(
            topic=self._topic,
            body=orjson.dumps(result_message(result, receipt, self._batch.ref_urls, self._api)),
            id=event_id(self._origin, "result", receipt.seq, receipt.id, moment.isoformat()),
            sent_at=moment,
            headers=self._headers,
            about=result.item,
        )


def _of_happening(options: Options, happening: Happening) -> Departure | None:
    body = peers_body(happening)
    if body is None:
        return None
    decided = happening.event == DECISION
    moment = happened_at(happening)
    return Departure(
        topic=_topic(options, DECISION_TOPIC if decided else WAIVER_TOPIC),
        body=orjson.dumps(body),
        id=event_id(options.origin, happening.event, happening.seq, happening.n, moment.isoformat()),
        sent_at=moment,
        headers={ORIGIN: options.origin, **(decision_headers(body) if decided else {})},
        about=str(body["subject_identifier"]),
    )


def _topic(options: Options, name: str) -> str:
    return f"{options.prefix}.{name}" if options.prefix else name
