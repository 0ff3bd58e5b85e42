"""A CI server on loopback that has files at addresses, until a build is deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Files:
    """`at` holds what is at each path, `answers` a status and headers instead; `asked` counts by path."""

    def __init__(self) -> None:
        self.at: dict[str, bytes] = {}
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.shown: list[str | None] = []
        self.url = ""

    @contextmanager
    def serve(self) -> Iterator[Files]:
        """Serve on a free port of loopback."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


def _handler(files: Files) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            files.asked.append(self.path)
            files.shown.append(self.headers.get("Authorization"))
            path = self.path.partition("?")[0]
            status, headers = files.answers.get(path, (200 if path in files.at else 404, {}))
            body = files.at.get(path, b"") if status == 200 else b"no"
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            """Be silent."""

    return Handler
