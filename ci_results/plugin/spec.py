"""The hooks: what a plugin may register and react to. See docs/hooks.md for an example of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from ..domain.itemtype import ItemType
from ..domain.page import Committed, Page
from ..domain.purpose import PurposeKind
from ..domain.result import Result
from ..domain.rule import RuleType
from .contract import Collector, Format, Lookup, Messages, Sink
from .transport import Transport

if TYPE_CHECKING:
    import click

PROJECT = "ci_results"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_collectors() -> Iterable[Collector[Any]]:  # type: ignore[empty-body]
    """Offer collectors. Called once at start; all answers are joined, a name given twice is a PluginError."""


@hookspec
def register_sinks() -> Iterable[Sink[Any]]:  # type: ignore[empty-body]
    """Offer sinks. Called once at start; all answers are joined, a name given twice is a PluginError."""


@hookspec
def register_formats() -> Iterable[Format]:  # type: ignore[empty-body]
    """Offer readers of report formats. Called once at start; asked in order of registration."""


@hookspec
def register_messages() -> Iterable[Messages[Any]]:  # type: ignore[empty-body]
    """Offer readers of bus messages. Called once at start; asked in order of registration."""


@hookspec
def register_transports() -> Iterable[Transport[Any]]:  # type: ignore[empty-body]
    """Offer transports of messages. Called once at start; a name given twice is a PluginError.

    A URL names one by its scheme; of two that take the same scheme the first is used.
    """


@hookspec
def register_vocabularies() -> Iterable[ItemType | PurposeKind]:  # type: ignore[empty-body]
    """Offer item types, and kinds of purposes of waivers, with their grammars.

    Called once at start; a name given twice is a PluginError.
    """


@hookspec
def register_lookups() -> Iterable[Lookup[Any]]:  # type: ignore[empty-body]
    """Offer systems that know builds. Called once at start; a name given twice is a PluginError.

    None is asked unless the configuration names it ([gate.builds]).
    """


@hookspec
def register_rules() -> Iterable[RuleType[Any]]:  # type: ignore[empty-body]
    """Offer types of rules for policies. Called once at start; a name given twice is a PluginError."""


@hookspec
def register_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Offer commands for the command line. Called once at start; a taken name is a PluginError."""


@hookspec
def rename_testcases(names: frozenset[str]) -> Mapping[str, str]:  # type: ignore[empty-body]
    """Map testcase names to the names to store, e.g. {"smoke": "widgetci.smoke"}.

    Called once a page with the page's distinct names, not once a result: a hook call costs about
    5 us, and a harvest brings 100,000 results. The first plugin that names a testcase wins.
    Do no I/O.
    """


@hookspec
def enrich_results(results: Sequence[Result]) -> Sequence[Result]:  # type: ignore[empty-body]
    """Return the page's results, of the same number and order, with attributes added to `data`.

    Called once a page, each plugin with the answer of the one before. Identity (source, run, key)
    and outcome must stay as they are. Do no I/O.
    """


@hookspec
def results_stored(page: Page, committed: Committed) -> None:
    """React to a page that is safely stored. Called after the commit, once a page; errors are logged."""
