"""Serve the view until somebody ends it: find a port, say where, stop without cutting answers short."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from ..errors import ConfigError
from .app import application
from .security import LOOPBACK

PORTS_TRIED = 20
STOP_WITHIN_S = 5


def serve(
    store: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8001,
    allowed_hosts: Collection[str] = (),
    announce: Callable[[str], None],
) -> None:
    """Serve the store at `store` until Ctrl-C; `announce` gets what a person should know, line by line.

    Takes the next free port where `port` is busy (0 = any). Bound to loopback it answers to
    loopback's names and `allowed_hosts` only; bound to more, to `allowed_hosts`, or to any name
    where none is given. Raises StoreError for a store that cannot be read, ConfigError for an
    address that cannot be bound.
    """
    loopback = is_loopback(host)
    hosts = {*LOOPBACK, *allowed_hosts} if loopback or allowed_hosts else None
    app = application(store, hosts=hosts)
    with listen(host, port) as listening:
        bound = listening.getsockname()[1]
        if port not in (0, bound):
            announce(f"port {port} is busy, using {bound}")
        shown = f"[{host}]" if ":" in host else host
        announce(f"serving {store} at http://{shown}:{bound}/ (Ctrl-C ends)")
        if not loopback:
            announce("everybody who reaches this address may read everything; nobody can write")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host`, on `port` or the next free one of twenty.

    It listens already, so that a request that follows the announcement waits and is not refused.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as err:
        raise ConfigError(f"cannot serve at {host}: {err}") from err
    last: OSError | None = None
    for candidate in [0] if port == 0 else range(port, min(port + PORTS_TRIED, 65_536)):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
            listening.listen(128)
        except OSError as err:
            listening.close()
            last = err
        else:
            return listening
    raise ConfigError(f"cannot serve at {host}, port {port} and the {PORTS_TRIED} after it: {last}")


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
