"""Choose a transport by a URL: "spool:/var/spool/ci", "amqps://bus.example/%2Fpubsub?queue=ci&topic=org.#"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import parse_qs, urlsplit

from ..errors import ConfigError, shown
from ..plugin.manager import load_plugins
from ..plugin.transport import Inlet, Outlet, Transport
from ..strict import placed, structure

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A bus as it was named: its transport, the URL without its query, and the transport's options."""

    transport: Transport[Any]
    url: str
    options: Any

    @property
    def name(self) -> str:
        """The URL for people, without a password."""
        return without_password(self.url)

    def ready(self) -> None:
        """Raise ConfigError for what keeps us from listening; see Transport."""
        self.transport.ready(self.options, self.url)

    def inlet(self) -> Inlet:
        """Open a way in; see Transport."""
        return self.transport.inlet(self.options, self.url)

    def outlet(self) -> Outlet:
        """Open a way out; see Transport."""
        return self.transport.outlet(self.options, self.url)


def choose(
    url: str,
    transports: Mapping[str, Transport[Any]] | None = None,
    keys: Mapping[str, Any] | None = None,
    folder: Path = Path(),
    where: str = "bus",
) -> Chosen:
    """Return the bus that `url` and further `keys` of its table name. Raises ConfigError.

    transports  by name; None = those that are installed
    where       begins messages: "ci-results.toml: [bus.fedora]"
    """
    known = installed() if transports is None else transports
    scheme = url.partition(":")[0].lower()
    transport = next((each for each in known.values() if scheme in each.schemes), None)
    if transport is None:
        schemes = ", ".join(f"{name}:" for each in known.values() for name in each.schemes)
        raise ConfigError(
            f"{where} url: no transport for {shown(without_password(url))}; known are {schemes}"
        )
    bare, _mark, query = url.partition("?")
    rest = {**_of_query(query, transport.options, where), **(keys or {})}
    options = placed(structure(rest, transport.options, where), folder)
    return Chosen(transport=transport, url=transport.placed(bare, folder), options=options)


@cache
def installed() -> Mapping[str, Transport[Any]]:
    """Return the transports of all plugins, by name."""
    return load_plugins().transports


def without_password(url: str) -> str:
    """Return a URL for people.

    >>> without_password("amqp://ci:secret@bus.example:5672/%2Fci?queue=a")
    'amqp://ci@bus.example:5672/%2Fci'
    """
    scheme, colon, rest = url.partition("?")[0].partition("://")
    if not colon:
        return scheme
    account, at, place = rest.rpartition("@")
    return f"{scheme}://{account.partition(':')[0]}{at}{place}"


def has_password(url: str) -> bool:
    """Say whether a URL holds a secret."""
    return bool(urlsplit(url).password)


def _of_query(query: str, options: type[Any], where: str) -> dict[str, Any]:
    """Read the query of a URL as a table would give it; a name that comes several times is a list."""
    hints = get_type_hints(options)
    known = {each.name for each in fields(options)}
    read: dict[str, Any] = {}
    for name, texts in parse_qs(query, keep_blank_values=True).items():
        hint = str(hints.get(name, ""))
        if name not in known:
            raise ConfigError(f"{where} {name}: unknown key; known are {', '.join(sorted(known)) or 'none'}")
        if "tuple" in hint:
            read[name] = texts
        elif "bool" in hint:
            read[name] = _WORDS.get(texts[-1].lower(), texts[-1])
        elif "int" in hint or "float" in hint:
            read[name] = _number(texts[-1])
        else:
            read[name] = texts[-1]
    return read


def _number(text: str) -> int | float | str:
    """Return a number, or the text that is none, for `structure` to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
