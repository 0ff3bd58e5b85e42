"""What the commands share: configuration, plugins and store, each opened when first asked for."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..collect.source import Source
    from ..config import Config
    from ..plugin.manager import Plugins
    from ..store.protocol import Store


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
        return self.store_url or _under(self.config.store, self.config.folder)

    def store(self, *, must_exist: bool = False) -> Store:
        """Open the store; it is closed when the command ends. Raises StoreError, NotFoundError."""
        from ..store.opening import open_store

        url = self.url
        if must_exist:
            _refuse_absent(url)
        store = open_store(url)
        self._held.callback(store.close)
        return store

    def sources(self, names: tuple[str, ...] = ()) -> list[Source]:
        """Return the configured sources of these names, all where none is given. Raises ConfigError."""
        from ..config import build_sources

        return build_sources(names, self.config, self.plugins.collectors)

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

    def close(self) -> None:
        """Let go of what was opened."""
        self._held.close()


pass_context = click.make_pass_decorator(Context)


def store_path(url: str) -> Path | None:
    """Return the file of a SQLite store, None where the store is no file."""
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "sqlite":
        return Path(rest)
    return None if colon and "//" in rest else Path(url)


def _under(url: str, folder: Path) -> str:
    """Make the store's file count from the folder of the configuration."""
    path = store_path(url)
    return url if path is None or path.is_absolute() or str(path) == ":memory:" else f"sqlite:{folder / path}"


def _refuse_absent(url: str) -> None:
    from ..errors import NotFoundError

    path = store_path(url)
    if path is not None and str(path) != ":memory:" and not path.exists():
        raise NotFoundError(f"no store {path} yet; fill it with: ci-results harvest")
