"""Guard: while it holds, nothing but the given transport reaches out; attempts are refused and noted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import requests
from requests.adapters import HTTPAdapter


@contextmanager
def closed_doors() -> Iterator[list[str]]:
    """Give the list of attempts to reach a network past the transport; each fails as if unplugged."""
    attempts: list[str] = []

    def send(
        adapter: HTTPAdapter, request: requests.PreparedRequest, *_: Any, **__: Any
    ) -> requests.Response:
        attempts.append(f"{request.method} {request.url}")
        raise requests.ConnectionError(f"refused in a contract test: {request.url}")

    def connect(sock: socket.socket, address: Any) -> None:
        attempts.append(f"a connection to {address}")
        raise ConnectionRefusedError(f"refused in a contract test: {address}")

    def resolve(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        attempts.append(f"a look-up of {host}")
        raise socket.gaierror(f"refused in a contract test: {host}")

    with (
        mock.patch.object(HTTPAdapter, "send", send),
        mock.patch.object(socket.socket, "connect", connect),
        mock.patch.object(socket, "getaddrinfo", resolve),
    ):
        yield attempts
