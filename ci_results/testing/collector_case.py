"""CollectorCase: what the author of a collector states, and the harvests that all rules look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from ..domain.itemtype import ItemType
from ..errors import InvalidError
from ..normalise.items import BUILT_IN
from ..normalise.normaliser import Normaliser
from ..plugin.contract import Collector
from .exchange import Exchange, load, load_about
from .hooks import modules_of, offers
from .lessons import broken
from .rehearsal import EndlessHarvestError, Told, rehearse
from .replay import Alter

_kept: dict[tuple[object, ...], Any] = {}


class CollectorCase:
    """What to test, as class attributes.

    collector  the instance that the plugin registers
    options    its options, of a source with the recording's address
    recording  folder of recorded exchanges; override `exchanges` for another origin
    plugin     module of the entry point; None = the one that the collector is defined in, or above
    outcomes   further outcome words that every user of the plugin configures
    most_requests  what a harvest of the recording may ask at most; None = 20 and 2 a run
    """

    collector: ClassVar[Collector[Any]]
    options: ClassVar[Any]
    recording: ClassVar[Path]
    plugin: ClassVar[ModuleType | None] = None
    outcomes: ClassVar[Mapping[str, str]] = {}
    most_requests: ClassVar[int | None] = None

    def exchanges(self) -> Sequence[Exchange]:
        """Return the recorded exchanges. Override it to give them from elsewhere than `recording`."""
        return load(self.recording)

    def pages(self) -> int | None:
        """Return how many pages the recording holds, None = the source to its end."""
        about = load_about(self.recording) if hasattr(self, "recording") else {}
        return about.get("pages")

    def recorded(self) -> Sequence[Exchange]:
        """Return the exchanges, read once for all rules."""
        return self._once("exchanges", self.exchanges)  # type: ignore[no-any-return]

    def rehearse(
        self, cursor: str | None = None, pages: int | None = None, alter: Alter | None = None
    ) -> Told:
        """Harvest the recording once more from `cursor`, with altered answers where `alter` says so."""
        if cursor is None and pages is None:
            pages = self.pages()
        return rehearse(self.collector, self.options, self.recorded(), cursor, pages, alter)

    def harvested(self) -> Told:
        """Return an undisturbed harvest of the recording from its start, made once for all rules."""
        told: Told = self._once("harvest", self.rehearse)
        if isinstance(told.error, EndlessHarvestError):
            raise broken("cursor", str(told.error)) from told.error
        if told.unknown:
            raise broken("recording", str(told.error)) from told.error
        if told.error is not None:
            what = f"the harvest ended with {type(told.error).__name__}: {told.error}"
            raise broken("yields", what) from told.error
        return told

    def item_types(self) -> dict[str, ItemType]:
        """Return the vocabulary of item types: ours and what the plugin registers."""
        given = offers(modules_of(self.collector, self.plugin), "register_vocabularies")
        return {kind.name: kind for kind in (*BUILT_IN, *(one for one in given if isinstance(one, ItemType)))}

    def words(self) -> dict[str, str]:
        """Return the outcome words, lower case, to ours."""
        return {**self.collector.outcomes, **self.outcomes}

    def normaliser(self) -> Normaliser:
        """Return the translation that the core would use; a mapping to nothing breaks "outcomes"."""
        try:
            return Normaliser("contract", self.words(), self.item_types())
        except InvalidError as err:
            raise broken("outcomes", str(err)) from err

    def _once(self, what: str, make: Any) -> Any:
        key = (type(self), what)
        if key not in _kept:
            _kept[key] = make()
        return _kept[key]
