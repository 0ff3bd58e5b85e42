"""Find plugins, hold them to the hooks, and join what they offer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ..domain.itemtype import ItemType
from ..errors import PluginError, shown
from . import builtin, spec
from .contract import Collector, Format, Sink

GROUP = spec.PROJECT
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One plugin as found: its name, distribution and version, its hooks; `problem` = why it was skipped."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Everything that the plugins offer, by name; `hook` calls the hooks themselves."""

    collectors: dict[str, Collector[Any]]
    sinks: dict[str, Sink[Any]]
    formats: dict[str, Format]
    item_types: dict[str, ItemType]
    loaded: tuple[Loaded, ...]
    hook: pluggy.HookRelay
    commands: Callable[[], list[Any]]
    owners: dict[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> tuple[Loaded, ...]:
        """The plugins that were skipped."""
        return tuple(one for one in self.loaded if one.problem)


def load_plugins(found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Import the plugins of the entry point group `ci_results` beside the built-in ones.

    A plugin that fails to import, misspells a hook or breaks the contract is named in `loaded`
    with its problem, and skipped; the rest runs.
    """
    manager = _new_manager()
    manager.register(builtin, "builtin")
    loaded = [
        Loaded(name="builtin", distribution="ci-results", version=_version(), hooks=_hooks(manager, builtin))
    ]
    for entry in sorted(entry_points(group=GROUP) if found is None else found, key=lambda entry: entry.name):
        loaded.append(_load(manager, entry))
    offers = _Offers(manager)
    return Plugins(
        collectors=offers.collectors,
        sinks=offers.sinks,
        formats=offers.formats,
        item_types=offers.item_types,
        loaded=tuple(loaded),
        hook=manager.hook,
        commands=lambda: [command for offer in manager.hook.register_commands() for command in offer],
        owners=offers.owners,
    )


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(spec.PROJECT)
    manager.add_hookspecs(spec)
    return manager


def _version() -> str:
    from importlib.metadata import version

    return version("ci-results")


def _load(manager: pluggy.PluginManager, entry: EntryPoint) -> Loaded:
    """Register one plugin, after it has shown on a manager of its own that it keeps the contract."""
    name = entry.name
    distribution = entry.dist.name if entry.dist else "?"
    version = entry.dist.version if entry.dist else "?"
    try:
        plugin = entry.load()
        trial = _new_manager()
        trial.register(builtin, "builtin")
        trial.register(plugin, name)
        trial.check_pending()
        _refuse_unmarked(plugin, name)
        _Offers(trial, manager)
        manager.register(plugin, name)
    except Exception as err:  # noqa: BLE001 (around a plugin: its fault must not be ours)
        problem = f"{type(err).__name__}: {err}"
        return Loaded(name=name, distribution=distribution, version=version, problem=problem)
    return Loaded(name=name, distribution=distribution, version=version, hooks=_hooks(manager, plugin))


def _hooks(manager: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))


def _refuse_unmarked(plugin: object, name: str) -> None:
    """A function that is called like a hook and lacks @hookimpl would silently do nothing."""
    hooks = {hook for hook in vars(spec) if hasattr(getattr(spec, hook), f"{spec.PROJECT}_spec")}
    for hook in sorted(hooks):
        given = getattr(plugin, hook, None)
        if callable(given) and not hasattr(given, f"{spec.PROJECT}_impl"):
            raise PluginError(f"plugin {name}: function {hook} lacks @hookimpl")


class _Offers:
    """What the plugins of a manager register, each name once.

    `beside`: what these managers' plugins offer must not be offered again.
    """

    def __init__(self, manager: pluggy.PluginManager, beside: pluggy.PluginManager | None = None) -> None:
        self.owners: dict[str, str] = {}
        self.collectors: dict[str, Collector[Any]] = self._join(manager, "register_collectors", Collector)
        self.sinks: dict[str, Sink[Any]] = self._join(manager, "register_sinks", Sink)
        self.formats: dict[str, Format] = self._join(manager, "register_formats", Format)
        self.item_types: dict[str, ItemType] = self._join(manager, "register_vocabularies", ItemType)
        if beside is not None:
            theirs = _Offers(beside)
            mine = set(self.owners) - set(_Offers(_builtin_only()).owners)
            for taken in sorted(mine & set(theirs.owners)):
                raise PluginError(f"{taken} is offered already by plugin {theirs.owners[taken]}")

    def _join(self, manager: pluggy.PluginManager, hook: str, kind: type[Any]) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        caller = getattr(manager.hook, hook)
        for implementation in sorted(caller.get_hookimpls(), key=lambda one: one.plugin_name != "builtin"):
            for offer in implementation.function():
                if not isinstance(offer, kind):
                    raise PluginError(
                        f"{hook} of {implementation.plugin_name} gives no {kind.__name__}: {shown(offer)}"
                    )
                name = str(offer.name)
                if kind is not ItemType and not _NAME.fullmatch(name):
                    raise PluginError(
                        f"{kind.__name__} of {implementation.plugin_name} has a bad name: {shown(name)}"
                    )
                if name in joined:
                    raise PluginError(f"{kind.__name__} {shown(name)} is offered twice")
                joined[name] = offer
                self.owners[f"{kind.__name__} {name}"] = implementation.plugin_name
        return joined


def _builtin_only() -> pluggy.PluginManager:
    manager = _new_manager()
    manager.register(builtin, "builtin")
    return manager
