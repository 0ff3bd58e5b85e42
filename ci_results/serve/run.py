"""Serve a store until somebody ends it: make sure of it, find a port, say where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing

from ..config import Serving
from ..config_auth import Auth
from ..domain.permission import Permission
from ..store.opening import is_postgres, open_store, sqlite_path
from ..store.sqlite import SqliteStore
from .address import is_loopback, listen, only_from_here
from .auth.opening import open_access, said_at_start
from .following import beside
from .surroundings import Arranged


def serve(
    url: str,
    settings: Serving,
    *,
    auth: Auth | None = None,
    permissions: Collection[Permission] = (),
    arranged: Arranged | None = None,
    announce: Callable[[str], None],
    beside_us: Sequence[str] = (),
    words: Sequence[str] = (),
) -> None:
    """Serve the store at `url` until Ctrl-C; `announce` gets what a person should know, line by line.

    `auth` and `permissions` say who may submit; `beside_us` are commands that run beside us,
    "follow" and "listen", with the options `words`.
    Takes the next free port where the configured one is busy (0 = any). Bound to loopback it answers
    to loopback's names and `allowed_hosts` only; bound to more, to `allowed_hosts`, or to any name
    where none is given. Raises StoreError for a store that cannot be used, BusyError where another
    server has it, ConfigError for an address that cannot be bound, or files that `auth` names.
    """
    auth, here_only = auth or Auth(), only_from_here(settings)
    arranged = arranged or Arranged()
    access = open_access(auth, permissions, here_only=here_only)
    with ExitStack() as held:
        store = open_store(url, polite=False)
        store.close()  # it is there, and migrated; each process that serves opens it itself
        if isinstance(store, SqliteStore):
            held.enter_context(store.serving())
        listening = held.enter_context(listen(settings.host, settings.port))
        _announce(url, settings, listening.getsockname()[1], announce)
        for command in beside_us:
            held.enter_context(beside(words, command))
        for line in said_at_start(auth, permissions, here_only=here_only):
            announce(line)
        if settings.workers > 1:
            from .workers import work_together

            work_together(url, settings, arranged, access, listening)
        else:
            # Here and not above, because prometheus_client decides at its import how to count.
            from .answering import answer

            with closing(open_store(url, polite=False)) as opened:
                answer(opened, settings, arranged, access, listening)


def _announce(url: str, settings: Serving, bound: int, announce: Callable[[str], None]) -> None:
    host = settings.host
    if settings.port not in (0, bound):
        announce(f"port {settings.port} is busy, using {bound}")
    shown = f"[{host}]" if ":" in host else host
    workers = f" with {settings.workers} workers" if settings.workers > 1 else ""
    announce(f"serving {_shown(url)} at http://{shown}:{bound}/{workers} (Ctrl-C ends)")
    if not is_loopback(host):
        announce("everybody who reaches this address may read everything")


def _shown(url: str) -> str:
    if not is_postgres(url):
        return str(sqlite_path(url))
    from ..store.postgres_connections import shown_url

    return shown_url(url)
