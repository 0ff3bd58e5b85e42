"""Answer requests in this process, on a socket that listens already."""

from __future__ import annotations

import gc
import logging
import resource
import socket

from ..config import Serving
from ..store.protocol import Store
from ..store.sqlite import SqliteStore
from .address import hosts_of, rate_of
from .app import application
from .auth.access import Access
from .server import Server
from .surroundings import Arranged, Surroundings, vocabulary

log = logging.getLogger(__name__)

FILES = 256
"""Files that a server has open beside its connections: stores, logs, what Datasette reads."""


def answer(
    store: Store,
    settings: Serving,
    arranged: Arranged,
    access: Access,
    listening: socket.socket,
    *,
    parent: int | None = None,
) -> None:
    """Answer until SIGTERM or Ctrl-C, or until the process `parent` is gone; SIGHUP reads policies anew."""
    allow_files(settings.max_connections + FILES)
    view = store.path if isinstance(store, SqliteStore) else None
    around = Surroundings(
        store=store,
        settings=settings,
        outcomes=vocabulary(arranged.outcomes),
        inline=view is not None,
        access=access,
        reports=arranged.reports,
        waive=arranged.waive,
        events=arranged.events,
        policies=arranged.policies,
        outside=arranged.outside,
        owner_of=arranged.owner_of,
        archives=arranged.archives,
    )
    around.plugins()  # found now, not while somebody waits
    app = application(
        around, view, hosts=hosts_of(settings), rate_per_s=rate_of(settings), loaded=spare_what_stays
    )
    Server(app, settings, parent=parent, hung_up=arranged.policies.reload_soon).serve_on(listening)


def spare_what_stays() -> None:
    """Let the garbage collector never look again at what is loaded: that was a fifth of a batch's CPU."""
    gc.collect()
    gc.freeze()


def allow_files(wanted: int) -> None:
    """Let this process open that many files, as far as it may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            log.warning("too few files for max_connections", extra={"allowed": allowed, "wanted": wanted})
