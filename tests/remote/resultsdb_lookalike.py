"""A ResultsDB look-alike on loopback, small and faulty on demand: what sinks and imports are tested with."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

CERTIFICATE = Path(__file__).parent / "loopback.pem"
"""A certificate for 127.0.0.1 that nobody trusts, with its key."""

OUTCOMES = ["PASSED", "INFO", "FAILED", "NEEDS_INSPECTION", "ERROR", "QUEUED", "RUNNING"]


@dataclass(frozen=True)
class Fault:
    """What happens to one request instead of, or after, a proper answer.

    status   answered with this, unless `drop`
    drop     the connection is closed without an answer
    stored   the request is carried out all the same: its answer is lost
    pause_s  before anything happens
    """

    status: int = 500
    drop: bool = False
    stored: bool = False
    pause_s: float = 0.0
    body: bytes = b'{"message": "Internal Server Error"}'
    headers: dict[str, str] = field(default_factory=dict)


class Lookalike:
    """Keeps what it is posted, as ResultsDB serves it.

    honours_keys  store what comes twice under one Idempotency-Key once, as a ci-results server does
    faults        befall the next requests, one each; `fault_of` says of any request what befalls it
    outcomes      the words that it knows; well: what its healthcheck says
    """

    def __init__(self, *, honours_keys: bool = True) -> None:
        self.honours_keys = honours_keys
        self.outcomes = list(OUTCOMES)
        self.well = True
        self.faults: deque[Fault] = deque()
        self.fault_of: Callable[[str, str, Any], Fault | None] = lambda method, path, body: None
        self.results: list[dict[str, Any]] = []
        self.testcases: dict[str, str | None] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.base = self.url = ""
        self._by_key: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def serve(self, *, tls: bool = False) -> Iterator[Lookalike]:
        """Serve on a free port of loopback; `url` is that of the API. `tls`: with CERTIFICATE."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        server.handle_error = lambda *client: None  # type: ignore[method-assign]  # clients are killed here
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        self.url = f"{self.base}/api/v2.0"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def add(self, **fields: Any) -> dict[str, Any]:
        """Store a result as if somebody had posted it."""
        body = {"outcome": "PASSED", "testcase": "dist.rpmlint", "data": {}, **fields}
        return self.post(body, None)

    def post(self, body: dict[str, Any], key: str | None) -> dict[str, Any]:
        """Store what a POST /results says, or give again what it stored under that key."""
        with self._lock:
            if key is not None and self.honours_keys and key in self._by_key:
                return self._by_key[key]
            result = self._store(body)
            if key is not None:
                self._by_key[key] = result
            return result

    def _store(self, body: dict[str, Any]) -> dict[str, Any]:
        testcase = body["testcase"]
        name = testcase if isinstance(testcase, str) else testcase["name"]
        self.testcases.setdefault(name, None)
        if isinstance(testcase, dict) and "ref_url" in testcase:
            self.testcases[name] = testcase["ref_url"]
        uuids = []
        for group in body.get("groups") or []:
            said = {"uuid": group} if isinstance(group, str) else group
            known = self.groups.setdefault(said["uuid"], {"description": None, "ref_url": None})
            known |= {key: said[key] for key in known if key in said}
            uuids.append(said["uuid"])
        result = {
            "id": len(self.results) + 1,
            "groups": uuids,
            "testcase": name,
            "submit_time": body.get("submit_time") or datetime.now(UTC).replace(tzinfo=None).isoformat(),
            "outcome": body["outcome"],
            "note": body.get("note"),
            "ref_url": body.get("ref_url"),
            "data": body.get("data") or {},
        }
        self.results.append(result)
        return result

    def served(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return a result as it is served."""
        testcase = self._testcase(result["testcase"])
        return {**result, "testcase": testcase, "href": f"{self.url}/results/{result['id']}"}

    def _testcase(self, name: str) -> dict[str, Any]:
        return {"name": name, "ref_url": self.testcases[name], "href": f"{self.url}/testcases/{name}"}

    def listed(self, path: str, query: dict[str, str]) -> list[Any]:
        """Return all of a collection in the order that `query` asks for."""
        with self._lock:
            if path == "testcases":
                return [self._testcase(name) for name in sorted(self.testcases)]
            if path == "groups":
                return [
                    {"uuid": uuid, **said, "results": "", "results_count": 0, "href": ""}
                    for uuid, said in reversed(self.groups.items())
                ]
            since = query.get("since", "")
            found = [one for one in self.results if _time(one["submit_time"]) >= _time(since)]
            upwards = query.get("_sort") == "asc:submit_time"
            found.sort(key=lambda one: (_time(one["submit_time"]), one["id"]), reverse=not upwards)
            return [self.served(one) for one in found]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else datetime.min


def _handler(remote: Lookalike) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._take("POST", json.loads(raw))

        def do_GET(self) -> None:
            self._take("GET", None)

        def _take(self, method: str, body: Any) -> None:
            remote.asked.append((method, self.path))
            remote.headers.append(dict(self.headers))
            fault = remote.fault_of(method, self.path, body)
            if fault is None and remote.faults and not self.path.endswith("/healthcheck"):
                fault = remote.faults.popleft()
            if fault is None:
                self._answer(*self._carry_out(method, body))
                return
            time.sleep(fault.pause_s)
            if fault.stored:
                self._carry_out(method, body)
            if fault.drop:
                self.close_connection = True
                return
            self._answer(fault.status, fault.body, fault.headers)

        def _carry_out(self, method: str, body: Any) -> tuple[int, bytes]:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/api/v2.0").strip("/")
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            if not parts.path.startswith("/api/v2.0"):
                return 404, b"<html>not here</html>"
            if method == "POST" and path == "results":
                return self._post(body)
            if path == "":
                return 300, json.dumps({"message": "hello", "outcomes": remote.outcomes}).encode()
            if path == "healthcheck":
                return (200 if remote.well else 503), b'{"message": ""}'
            if path in ("results", "testcases", "groups"):
                return 200, self._page(path, query)
            return 404, b'{"message": "Not found"}'

        def _post(self, body: Any) -> tuple[int, bytes]:
            if body["outcome"] not in remote.outcomes:
                said = {
                    "loc": ["outcome"],
                    "msg": f"Value error, must be one of: {', '.join(remote.outcomes)}",
                }
                return 400, json.dumps({"validation_error": [said]}).encode()
            result = remote.post(body, self.headers.get("Idempotency-Key"))
            return 201, json.dumps(remote.served(result)).encode()

        def _page(self, path: str, query: dict[str, str]) -> bytes:
            page, limit = max(0, int(query.get("page", 0))), int(query.get("limit", 20))
            rows = remote.listed(path, query)
            more = len(rows) > (page + 1) * limit
            shown = rows[page * limit : (page + 1) * limit]
            following = f"{remote.base}{self.path}&page={page + 1}" if more else None
            return json.dumps({"data": shown, "prev": None, "next": following}).encode()

        def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
