"""A server of files and a Koji hub on loopback, with what each test puts there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCDispatcher

KOJI_FAULT = 1000


@dataclass
class File:
    """What is answered for a path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause_s: float = 0.0


class Forge:
    """files   by path: bytes, or a File
    builds  by NVR: what getBuild answers, or a Fault, or raw bytes of an answer
    seen    "GET /path" and "getBuild nvr", in order; `headers` of each GET
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes | File] = {}
        self.builds: dict[str, Any] = {}
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self._hub = SimpleXMLRPCDispatcher(allow_none=True, encoding="utf-8")
        self._hub.register_function(self._get_build, "getBuild")

    @property
    def koji(self) -> str:
        return f"{self.url}/kojihub"

    def build(self, nvr: str, **changed: Any) -> None:
        """Let the hub know a build."""
        name, version, release = nvr.rsplit("-", 2)
        given = {
            "name": name, "version": version, "release": release, "nvr": nvr, "epoch": None, "build_id": 7,
            "owner_name": "maintainer", "task_id": 42, "creation_ts": 1772366400.25,
            "creation_time": "2026-03-01 12:00:00.250000", "extra": None,
            "source": f"git+https://src.example/rpms/{name}.git#c0ffee",
        }  # fmt: skip
        self.builds[nvr] = given | changed

    def answer(self, path: str, headers: dict[str, str]) -> File:
        with self.lock:
            self.seen.append(f"GET {path}")
            self.headers.append(headers)
        found = self.files.get(path, File(b"no such file", 404))
        found = found if isinstance(found, File) else File(found)
        time.sleep(found.pause_s)
        known = found.headers.get("ETag")
        if known and headers.get("If-None-Match") == known:
            return File(status=304)
        return found

    def call(self, body: bytes) -> bytes:
        raw = self.builds.get("raw")
        if raw is not None:
            self.seen.append("raw")
            return bytes(raw)
        return self._hub._marshaled_dispatch(body)  # type: ignore[return-value, arg-type]

    def _get_build(self, nvr: str) -> Any:
        with self.lock:
            self.seen.append(f"getBuild {nvr}")
        found = self.builds.get(nvr)
        if isinstance(found, str):
            raise Fault(KOJI_FAULT, found)
        return found


@contextmanager
def forge() -> Iterator[Forge]:
    """Serve one."""
    served = Forge()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with served.lock:
                served.at_once += 1
                served.most_at_once = max(served.most_at_once, served.at_once)
            try:
                found = served.answer(self.path, dict(self.headers))
                self._send(found.status, found.body, found.headers)
            finally:
                with served.lock:
                    served.at_once -= 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send(200, served.call(body), {"Content-Type": "text/xml"})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            with suppress(OSError):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body if status != 304 else b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
