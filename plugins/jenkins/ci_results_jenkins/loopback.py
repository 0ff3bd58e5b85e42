"""HTTP/1.1 on loopback for a master that is not real: keep-alive, one write for each answer."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Protocol

PACKED_FROM_BYTES = 500
"""Shorter bodies are not worth to be compressed."""


@dataclass(slots=True)
class Answer:
    """What goes over the wire. Those of a cache are shared between threads: do not change them."""

    status: int
    body: bytes
    content_type: str = "text/html;charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    _packed: bytes | None = field(default=None, repr=False)

    @property
    def packed(self) -> bytes:
        """The body compressed: done once, since a benchmark repeats its questions."""
        if self._packed is None:
            self._packed = gzip.compress(self.body, compresslevel=1)
        return self._packed


class Answers(Protocol):
    """A master, as the server sees it."""

    gzip: bool

    def answer(self, method: str, target: str, form: str, authorization: str | None) -> Answer:
        """Answer one request."""

    def count(self, sent_bytes: int) -> None:
        """Learn how long a body was on the wire."""


@contextmanager
def serving(master: Answers) -> Iterator[str]:
    """Serve `master` on a free port; yield its address, e.g. "http://127.0.0.1:40123/".

    Afterwards connections that were kept alive are cut as well: a master that went away answers nobody.
    """
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"master": master}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 costs a client with many connections a second or more

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    master: Answers
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer("")

    def do_HEAD(self) -> None:
        self._answer("", body=False)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(self.rfile.read(length).decode())

    def _answer(self, form: str, *, body: bool = True) -> None:
        answer = self.master.answer(self.command, self.path, form, self.headers.get("Authorization"))
        content = answer.body
        headers = {"Content-Type": answer.content_type, **dict(answer.headers)}
        asks_gzip = "gzip" in (self.headers.get("Accept-Encoding") or "")
        if self.master.gzip and asks_gzip and len(content) > PACKED_FROM_BYTES:
            content = answer.packed
            headers["Content-Encoding"] = "gzip"
        headers.setdefault("Content-Length", str(len(content)))
        lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in headers.items())]
        sent = content if body else b""
        self.master.count(len(sent))
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + sent)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
        """Say nothing; the master knows what came."""
