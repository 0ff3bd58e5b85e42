"""Harvest many sources at once, a thread each; none of them can stop another."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Thread

from ..domain.page import Committed
from .garbage import seldom_collected
from .harvest import Surroundings, harvest_source
from .progress import Progress, SourceReport, State
from .source import Source

log = logging.getLogger(__name__)

_POLL_S = 0.2


def harvest_fleet(sources: Sequence[Source], around: Surroundings) -> list[SourceReport]:
    """Harvest all `sources` at once and return how each ended, in their order.

    Set `around.stop` to end each at its next Checkpoint. A KeyboardInterrupt leaves at once: the
    threads are daemons, and what they have not committed comes again with the next harvest.
    """
    reports: dict[str, SourceReport] = {}

    def work(source: Source) -> None:
        try:
            reports[source.name] = harvest_source(source, around)
        except Exception as err:
            log.exception("harvest broke", extra={"source": source.name})
            reports[source.name] = _broken(source, err)
            around.tell(Progress(source=source.name, state=State.BROKEN, note=str(err)))

    threads = [
        Thread(target=work, args=(source,), name=f"harvest {source.name}", daemon=True) for source in sources
    ]
    with seldom_collected():
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_POLL_S)  # a join without time-out would keep Ctrl-C waiting
    return [reports[source.name] for source in sources]


def _broken(source: Source, err: Exception) -> SourceReport:
    return SourceReport(
        source=source.name, state=State.BROKEN, counts=Committed(), error=f"{type(err).__name__}: {err}"
    )
