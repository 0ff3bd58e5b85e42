"""What the commands share: configuration, plugins and store, each opened when first asked for."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

import click

from ..store.urls import store_path

if TYPE_CHECKING:
    from ..bus.choosing import Chosen
    from ..collect.source import Source
    from ..config import Config
    from ..plugin.http import SourceSession
    from ..plugin.http_origin import Origin
    from ..plugin.manager import Plugins
    from ..sinks.configured import ConfiguredSink
    from ..store.protocol import Store


class Closable(Protocol):
    """What is to be let go of."""

    def close(self) -> None:
        """Let go."""


class Context:
    """One call of the command line.

    config_path  --config, or None
    store_url    --store, or None: wins over the configuration
    """

    def __init__(self, config_path: Path | None = None, store_url: str | None = None) -> None:
        self.config_path = config_path
        self.store_url = store_url
        self._held = ExitStack()

    @cached_property
    def config(self) -> Config:
        """The configuration; the defaults where there is no file. Raises ConfigError."""
        from ..config import load_config

        return load_config(self.config_path)

    @cached_property
    def plugins(self) -> Plugins:
        """All plugins; says on stderr which were skipped."""
        from ..plugin.manager import load_plugins

        plugins = load_plugins()
        for broken in plugins.broken:
            click.secho(
                f"plugin {broken.name} ({broken.distribution}) skipped: {broken.problem}",
                fg="yellow",
                err=True,
            )
        return plugins

    @property
    def url(self) -> str:
        """The store's URL: --store, else the configuration's, its file counted from there."""
        return self.store_url or self.config.store_url

    def store(self, *, must_exist: bool = False) -> Store:
        """Open the store; it is closed when the command ends. Raises StoreError, NotFoundError."""
        from ..store.opening import open_store

        url = self.url
        if must_exist:
            _refuse_absent(url)
        store = open_store(url, create=not must_exist)
        self._held.callback(store.close)
        return store

    def store_to_ask(self) -> Store:
        """Open the store to foresee what would be written; an empty one, soon gone, where there is none.

        Raises StoreError where opening it would migrate it, which is to write.
        """
        from tempfile import TemporaryDirectory

        from ..errors import StoreError
        from ..store.opening import shown_store, would_migrate

        path = store_path(self.url)
        if path is not None and not path.exists():
            self.store_url = f"sqlite:{self._held.enter_context(TemporaryDirectory())}/nothing.db"
        elif would_migrate(self.url):
            raise StoreError(
                f"{shown_store(self.url)} has the schema of an older ci-results; reading it would bring it to"
                " that of this version, and a dry run writes nothing: ci-results db migrate, then ask again"
            )
        return self.store(must_exist=path is None)

    def sources(self, names: tuple[str, ...] = ()) -> list[Source]:
        """Return the configured sources of these names, all where none is given. Raises ConfigError."""
        from ..config import build_sources

        return build_sources(names, self.config, self.plugins.collectors)

    def session_for(self, url: str) -> SourceSession:
        """Return a session for an address: with the token of the source that it is at, if any; else bare.

        Of several sources at one host the one whose own address is the longest beginning wins. The
        token goes to that host alone; an address with a user of its own gets that user's. Raises
        ConfigError, SourceGarbledError.
        """
        from ..collect.session import connect
        from ..plugin.http import SourceSession
        from ..plugin.http_origin import origin

        home = origin(url)
        there = [each for each in self.readable_sources().values() if each.url and _at(each.url, home)]
        own = urlsplit(url)
        if own.username is not None:
            return SourceSession(url, user=unquote(own.username), token=unquote(own.password or ""))
        if not there:
            return SourceSession(url)
        above = {each.name: f"{each.url}".rstrip("/") + "/" for each in there}
        return connect(max(there, key=lambda each: url.startswith(above[each.name]) * len(above[each.name])))

    def readable_sources(self) -> dict[str, Source]:
        """Return by name those sources whose tables are sound; the others are told on stderr."""
        from ..errors import ConfigError

        good: dict[str, Source] = {}
        for name in self.config.sources:
            try:
                good[name] = self.sources((name,))[0]
            except ConfigError as err:
                click.secho(str(err), fg="yellow", err=True)
        return good

    def bus(self, name: str) -> Chosen:
        """Return the configured bus of this name. Raises ConfigError."""
        from ..config_bus import build_bus

        config = self.config
        where = f"{config.path or 'ci-results.toml'}: [bus.{name}]"
        return build_bus(config.buses[name], self.plugins.transports, config.folder, where)

    def sinks(self, names: tuple[str, ...] = ()) -> list[ConfiguredSink]:
        """Return the configured sinks of these names, all where none is given. Raises ConfigError."""
        from ..config import build_sinks

        return build_sinks(names, self.config, self.plugins.sinks)

    def readable_sinks(self) -> dict[str, ConfiguredSink]:
        """Return by name those sinks whose tables are sound; the others are told on stderr."""
        from ..errors import ConfigError

        good: dict[str, ConfiguredSink] = {}
        for name in self.config.sinks:
            try:
                good[name] = self.sinks((name,))[0]
            except ConfigError as err:
                click.secho(str(err), fg="yellow", err=True)
        return good

    def closing(self, thing: Closable) -> None:
        """Let go of `thing` as well when the command ends."""
        self._held.callback(thing.close)

    def close(self) -> None:
        """Let go of what was opened."""
        self._held.close()


pass_context = click.make_pass_decorator(Context)


def _at(url: str, home: Origin) -> bool:
    """Say whether an address is at that host and port, by that scheme."""
    from ..errors import SourceGarbledError
    from ..plugin.http_origin import origin

    try:
        return origin(url) == home
    except SourceGarbledError:
        return False


def _refuse_absent(url: str) -> None:
    from ..errors import NotFoundError

    path = store_path(url)
    if path is not None and str(path) != ":memory:" and not path.exists():
        raise NotFoundError(f"no store {path} yet; fill it with: ci-results harvest")
