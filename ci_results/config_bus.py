"""Tables `bus.*`, `listen` and `messages.*`: which buses are listened to, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .bus.choosing import Chosen, choose, has_password
from .errors import ConfigError, shown
from .plugin.contract import Messages
from .plugin.transport import Transport
from .strict import placed, structure


@dataclass(frozen=True, slots=True, kw_only=True)
class BusKeys:
    """The keys of a table `bus.NAME` that the core reads; all others belong to its transport.

    url        names the transport and the place: "amqps://rabbitmq.example/%2Fpubsub"
    source     whose results they are; messages with one id are one within it, whichever bus brings them
    owns       globs of the testcases that they may say something about; without it any
    announced  take what other stores announce: from a ResultsDB, say
    unread     quarantine messages that nothing reads, instead of passing them by
    """

    url: str
    source: str = "bus"
    owns: tuple[str, ...] = ()
    announced: bool = False
    unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BusTable:
    """One table as written: its core keys, and the rest for its transport."""

    name: str
    core: BusKeys
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Table `listen`: how messages are taken.

    origin      how we are called in what we send, which is never taken; None = what any ci-results sends
    group       messages in one commit, at most; linger_ms: how long it waits for them to come together
    keep_bytes  of a message are kept beside its results; of a longer one, its digest; 0 = of each
    max_bytes   of a message are read; a longer one is quarantined
    """

    origin: str | None = None
    group: int = 250
    linger_ms: int = 50
    keep_bytes: int = 64 * 1024
    max_bytes: int = 8 * 1024 * 1024

    def __post_init__(self) -> None:
        for name, least in (("group", 1), ("linger_ms", 0), ("keep_bytes", 0), ("max_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")


def read_bus(name: str, table: object, where: str) -> BusTable:
    """Read one table; `where` begins its messages: "ci-results.toml: [bus.fedora]". Raises ConfigError."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    if "url" not in table:
        raise ConfigError(f'{where} url: missing; write url = "spool:messages"')
    names = {each.name for each in fields(BusKeys)}
    core: BusKeys = structure({key: value for key, value in table.items() if key in names}, BusKeys, where)
    if has_password(core.url):
        raise ConfigError(f"{where} url: no secrets in this file; use password_env or password_file")
    if "owns" in table and (not core.owns or not all(glob.strip() for glob in core.owns)):
        raise ConfigError(f'{where} owns: a glob is empty, or there is none; write owns = ["baseos.*"]')
    return BusTable(name=name, core=core, rest={key: table[key] for key in table if key not in names})


def build_bus(table: BusTable, transports: Mapping[str, Transport[Any]], folder: Path, where: str) -> Chosen:
    """Return the bus that a table describes, its options checked by its transport. Raises ConfigError."""
    return choose(table.core.url, transports, table.rest, folder, where)


def reader_options(
    tables: Mapping[str, Any], readers: Mapping[str, Messages[Any]], folder: Path, where: str
) -> dict[str, Any]:
    """Return the options of readers of messages, by name; `where` is the file. Raises ConfigError."""
    options = {}
    for name, table in tables.items():
        if name not in readers:
            known = ", ".join(sorted(readers))
            raise ConfigError(f"{where}: [messages.{name}]: nothing reads {shown(name)}; known are {known}")
        found = structure(table, readers[name].options, f"{where}: [messages.{name}]")
        options[name] = placed(found, folder)
    return options
