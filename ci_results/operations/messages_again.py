"""Messages of the quarantine: read again as they came, with the readers of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ..collect.refine import tell_stored
from ..domain.stored import Quarantined
from ..errors import InvalidError, ReusedKeyError
from ..plugin.manager import Plugins
from ..store.protocol import Store
from .events import EventDoor, take_events
from .ingest import Ingest, Taking, arrival_of


@dataclass(frozen=True, kw_only=True)
class MessagesAgain:
    """Reads records that are messages.

    takings  how each bus is listened to, by its name; options: of readers, by theirs
    door     where events go
    """

    store: Store
    plugins: Plugins
    door: EventDoor
    takings: Mapping[str, Taking] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Sequence[str] = ()

    def one(self, record: Quarantined) -> int:
        """Store what a message says now; return how many results that are. Raises InvalidError."""
        arrival = arrival_of(record.raw, record.told)
        name = (record.told or {}).get("bus", "bus")
        taking = replace(self.takings.get(name, Taking(name=name)), source=record.source, unread=True)
        prepared = Ingest(taking, self.plugins, self.options, self.vocabulary).prepare([arrival], again=True)
        page = prepared.page
        for bad in page.quarantine:
            if not page.results or bad.key == record.key:
                raise InvalidError(bad.reason)
        for event in prepared.events:
            with suppress(ReusedKeyError):
                take_events(self.door, [event], record.source)
        kept = [replace(each, garbled=0) for each in page.messages]
        whole = replace(page, quarantine=(), messages=kept)
        committed = self.store.commit_page(whole)
        tell_stored(whole, committed, self.plugins.hook)
        return len(page.results)
