"""Where a server listens, and who reaches it there."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from contextlib import suppress
from ipaddress import ip_address

from ..config import DEFAULT_RATE, Serving
from ..errors import ConfigError
from .security import LOOPBACK

PORTS_TRIED = 20
_SO_ATTACH_FILTER = 26
_DROP_SYN = (
    (0x30, 0, 0, 13),  # load a byte: the flags of TCP
    (0x45, 0, 1, 0x02),  # is SYN among them?
    (0x06, 0, 0, 0),  # take nothing of the packet
    (0x06, 0, 0, 0x40000),  # take all of it
)
"""A program of the kernel's packet filter: (code, jump if true, jump if false, operand)."""

_QUEUED_AT = 24
"""Where `struct tcp_info` of a socket that listens says how long its queue is (tcpi_unacked)."""

BACKLOG = 1024
"""Connections that wait to be taken in."""


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
            listening.listen(BACKLOG)
        except OSError as err:
            listening.close()
            last = err
        else:
            return listening
    raise ConfigError(f"cannot serve at {host}, port {port} and the {PORTS_TRIED} after it: {last}")


def admit_no_more(listening: socket.socket) -> None:
    """Let no new connection into the queue of `listening`, in all processes that share it.

    Those in the queue, and those on their way into it, can still be taken in. On Linux a packet filter
    drops what knocks (SYN); the client knocks again a second later, and is refused then. Elsewhere a
    client that knocks as we close is reset.
    """
    if not sys.platform.startswith("linux"):
        return
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(steps))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def waiting_at(listening: socket.socket) -> int:
    """Return how many connections wait to be taken in; 0 where only Linux would know."""
    if not sys.platform.startswith("linux"):
        return 0
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUED_AT + 4)
    return int.from_bytes(info[_QUEUED_AT:], sys.byteorder)


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def only_from_here(settings: Serving) -> bool:
    """Say whether only this machine asks: bound to loopback, and no proxy's name is answered to."""
    return is_loopback(settings.host) and not settings.allowed_hosts


def hosts_of(settings: Serving) -> frozenset[str] | None:
    """Return the names that a request may ask for, None = any: loopback's, and those allowed."""
    if is_loopback(settings.host):
        return LOOPBACK.union(settings.allowed_hosts)
    return frozenset(settings.allowed_hosts) or None


def rate_of(settings: Serving) -> float:
    """Return how many requests a client may ask a second: of loopback any number, where none is set."""
    if settings.rate_per_s is not None:
        return settings.rate_per_s
    return 0 if is_loopback(settings.host) else DEFAULT_RATE
