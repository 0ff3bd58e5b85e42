"""Find plugins, hold them to the hooks, and join what they offer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ..domain.itemtype import ItemType
from ..domain.purpose import PurposeKind
from ..domain.rule import RuleType
from ..errors import PluginError, shown
from . import builtin, spec
from .contract import Collector, Format, Lookup, Messages, Sink
from .transport import Transport

GROUP = spec.PROJECT
WORDS = (ItemType, PurposeKind)
"""What one hook offers both of: words of vocabularies."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAG = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")


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
    messages: dict[str, Messages[Any]]
    transports: dict[str, Transport[Any]]
    item_types: dict[str, ItemType]
    rule_types: dict[str, RuleType[Any]]
    purposes: dict[str, PurposeKind]
    lookups: dict[str, Lookup[Any]]
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
        messages=offers.messages,
        transports=offers.transports,
        item_types=offers.item_types,
        rule_types=offers.rule_types,
        purposes=offers.purposes,
        lookups=offers.lookups,
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
        self.messages: dict[str, Messages[Any]] = self._join(manager, "register_messages", Messages)
        self.transports: dict[str, Transport[Any]] = self._join(manager, "register_transports", Transport)
        self.item_types: dict[str, ItemType] = self._join(manager, "register_vocabularies", ItemType)
        self.rule_types: dict[str, RuleType[Any]] = self._join(manager, "register_rules", RuleType)
        self.purposes: dict[str, PurposeKind] = self._join(manager, "register_vocabularies", PurposeKind)
        self.lookups: dict[str, Lookup[Any]] = self._join(manager, "register_lookups", Lookup)
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
                if kind in WORDS and isinstance(offer, WORDS) and not isinstance(offer, kind):
                    continue
                if not isinstance(offer, kind):
                    raise PluginError(
                        f"{hook} of {implementation.plugin_name} gives no {kind.__name__}: {shown(offer)}"
                    )
                name = str(offer.name)
                named = _TAG if kind is RuleType else _NAME
                if kind is not ItemType and not named.fullmatch(name):
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
