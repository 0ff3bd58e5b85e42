"""One harvest of one source, as a worker does it: everything is opened for it, and closed again.

So it sees tokens and tables as they are now, and a worker can be forked at any time. Knows no Celery.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

from ..collect.progress import SourceReport, State, state_of
from ..config import build_sources, load_config
from ..errors import CiResultsError
from ..operations.harvest import harvest
from ..plugin.manager import load_plugins
from ..store.opening import open_store

LOOK_EVERY_S = 0.5
AGAIN = frozenset({State.UNREACHABLE, State.STORE})
"""What a later try may mend."""


def harvest_one(
    name: str,
    config_path: Path | None,
    store_url: str | None,
    *,
    limit_s: float,
    ending: Callable[[], bool] = lambda: False,
) -> SourceReport:
    """Harvest the source of that name and say how it ended; raises nothing that mending outside mends.

    config_path, store_url  as the command line's --config and --store
    limit_s  after so long it ends at its next safe point; so it does where `ending` says true
    """
    began = time.monotonic()
    try:
        config = load_config(config_path)
        plugins = load_plugins()
        sources = build_sources((name,), config, plugins.collectors)
        with (
            closing(open_store(store_url or config.store_url)) as store,
            _stop_when(lambda: ending() or time.monotonic() - began > limit_s) as stop,
        ):
            (report,) = harvest(sources, store, plugins, stop=stop, vocabulary=config.outcomes)
            return report
    except CiResultsError as err:
        took = time.monotonic() - began
        return SourceReport(source=name, state=state_of(err), error=str(err), seconds=took)


@contextmanager
def _stop_when(done: Callable[[], bool]) -> Iterator[Event]:
    """Give an Event that is set soon after `done` says true."""
    stop, over = Event(), Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            if done():
                stop.set()

    watch = Thread(target=look, name="harvest limit", daemon=True)
    watch.start()
    try:
        yield stop
    finally:
        over.set()
        watch.join()
