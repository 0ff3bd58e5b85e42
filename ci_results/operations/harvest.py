"""Harvest: bring what is new at the sources into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from threading import Event
from typing import TYPE_CHECKING

from ..collect.fleet import harvest_fleet
from ..collect.harvest import Surroundings
from ..collect.progress import SourceReport, Tell, untold
from ..collect.session import connect
from ..collect.source import Source
from ..errors import ConfigError, InvalidError
from ..normalise.normaliser import Normaliser
from ..plugin.manager import Plugins
from ..store.protocol import Store

if TYPE_CHECKING:
    from ..plugin.http import SourceSession


class Reach(IntEnum):
    """How many sources gave all they had; the value is the exit code of `harvest`."""

    ALL = 0
    SOME = 2
    NONE = 3


def harvest(
    sources: Sequence[Source],
    store: Store,
    plugins: Plugins,
    *,
    stop: Event | None = None,
    tell: Tell = untold,
    dry_run: bool = False,
    vocabulary: Iterable[str] = (),
    connect: Callable[[Source], SourceSession] = connect,
) -> list[SourceReport]:
    """Harvest all `sources` at once, each from its cursor; return how each ended.

    A source that is away, says no or has a broken plugin is reported and stops no other.
    `vocabulary`: outcomes that the configuration adds. Raises ConfigError.
    """
    words = tuple(vocabulary)
    around = Surroundings(
        store=store,
        connect=connect,
        normaliser=lambda source: normaliser_of(source, plugins, words),
        hook=plugins.hook,
        stop=stop or Event(),
        tell=tell,
        dry_run=dry_run,
    )
    return harvest_fleet(sources, around)


def normaliser_of(source: Source, plugins: Plugins, vocabulary: Iterable[str] = ()) -> Normaliser:
    """Return what turns the observations of `source` into results. Raises ConfigError."""
    try:
        return Normaliser(source.name, source.words(), plugins.item_types, vocabulary, source.ownership)
    except InvalidError as err:
        raise ConfigError(f"[source.{source.name}] outcomes: {err}") from err


def reach(reports: Sequence[SourceReport]) -> Reach:
    """Sum up: did all sources give all they had, some, or none?"""
    good = sum(report.ok for report in reports)
    if good == len(reports):
        return Reach.ALL
    some = good or any(report.state == "stopped" for report in reports)
    return Reach.SOME if some else Reach.NONE
