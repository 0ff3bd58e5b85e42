"""The plugin of the built-in sinks: an entry point of this distribution, found like a stranger's."""

from __future__ import annotations

from typing import Any

from ..plugin.contract import Sink
from ..plugin.spec import hookimpl
from .archive import ArchiveSink
from .bus import Bus
from .elastic import Elastic
from .jsonlines import JsonLines
from .resultsdb import ResultsDB
from .sqlite import Sqlite


@hookimpl
def register_sinks() -> list[Sink[Any]]:
    """Offer the sinks that this distribution brings."""
    return [ResultsDB(), JsonLines(), Bus(), Sqlite(), Elastic(), ArchiveSink()]
