"""A recorded Jenkins master, served on loopback: for tests, the demo and benchmarks.

It answers `tree=` questions as Jenkins 2.448 does, from documents that were recorded whole. Faults
can be put in its way, and builds be held back, so that a test sees time pass.
"""

from __future__ import annotations

import base64
import gzip
import json
import lzma
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, quote

from .tree import parse, select

ROOT = "http://jenkins.example.com"
"""The root that the recorded master believes to have; its addresses begin with it."""

NEWEST = 100
_BUILDS = frozenset({"builds", "allBuilds", "lastBuild", "lastCompletedBuild", "firstBuild"})


@dataclass(slots=True)
class Fault:
    """What to answer instead, so many times; `hang_s` first waits, `drop` closes the connection."""

    prefix: str
    status: int
    body: bytes
    times: int
    hang_s: float = 0.0
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire."""

    status: int
    body: bytes
    content_type: str = "text/html;charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def entries(recording: Path) -> Iterator[dict[str, Any]]:
    """Yield the exchanges of a recording: NDJSON, compressed with xz or not."""
    packed = recording.read_bytes()
    lines = lzma.decompress(packed) if recording.suffix == ".xz" else packed
    for line in lines.splitlines():
        yield json.loads(line)


class RecordedMaster:
    """Serves a recording.

    delay_s      waited before each answer, like a network
    user, token  what must be sent; None = open to all
    until        per full name, the highest build number that is visible; may be changed at any time

    `asked` lists (method, path and query) of all requests, `sent_bytes` counts bodies on the wire.
    """

    def __init__(
        self,
        recording: Path | Iterable[dict[str, Any]],
        *,
        delay_s: float = 0.0,
        user: str | None = None,
        token: str | None = None,
        until: Mapping[str, int] | None = None,
    ) -> None:
        self.delay_s = delay_s
        self.until = dict(until or {})
        self.asked: list[tuple[str, str]] = []
        self.sent_bytes = 0
        self.url = ""
        self._credentials = f"{user}:{token}" if token is not None else None
        self._documents: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._faults: list[Fault] = []
        self._cache: dict[tuple[Any, ...], Answer] = {}
        self._lock = Lock()
        self._session = "recorded"
        for entry in entries(recording) if isinstance(recording, Path) else recording:
            self._documents[entry["path"]] = entry
        for path in self._documents:
            parts = path.removesuffix("/api/json").rsplit("/", 1)
            if path.endswith("/api/json") and parts[-1].isdigit():
                self._numbers[parts[0]].append(int(parts[-1]))
        for numbers in self._numbers.values():
            numbers.sort(reverse=True)

    def fail(
        self,
        prefix: str,
        status: int,
        body: bytes = b"<html>Oops</html>",
        *,
        times: int = 1,
        hang_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next `times` requests below `prefix` with this instead."""
        self._faults.append(Fault(prefix, status, body, times, hang_s, headers))

    def restart(self) -> None:
        """Change X-Jenkins-Session, as each restart of a master does."""
        self._session = f"{self._session}+"

    @contextmanager
    def serve(self) -> Iterator[RecordedMaster]:
        """Serve on a free port of loopback; `url` says where."""
        handler = type("Handler", (_Handler,), {"master": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    # -- answering -------------------------------------------------------------------------------

    def answer(self, method: str, target: str, form: str, authorization: str | None) -> Answer:
        """Return the answer to one request, after its faults and its delay."""
        with self._lock:
            self.asked.append((method, target))
            fault = next(
                (one for one in self._faults if target.startswith(one.prefix) and one.times > 0), None
            )
            if fault is not None:
                fault.times -= 1
        if self.delay_s:
            time.sleep(self.delay_s)
        if fault is not None:
            time.sleep(fault.hang_s)
            return Answer(fault.status, fault.body, headers=tuple((fault.headers or {}).items()))
        refused = self._refuse(authorization)
        return refused or self._known(*target.partition("?")[::2], form)

    def _refuse(self, authorization: str | None) -> Answer | None:
        if self._credentials is None:
            return None
        if authorization is None:
            page = b"<html><head><meta http-equiv='refresh' content='1;url=/login?from=%2F'/></head></html>"
            return Answer(403, page)
        if authorization != "Basic " + base64.b64encode(self._credentials.encode()).decode():
            return Answer(
                401,
                b"<html>Invalid password/token</html>",
                headers=(("WWW-Authenticate", 'Basic realm="Jenkins"'),),
            )
        return None

    def _known(self, path: str, query: str, form: str) -> Answer:
        tree = (parse_qs(query).get("tree") or parse_qs(form).get("tree") or [""])[0]
        key = (path, tree, tuple(sorted(self.until.items())), self._session)
        answer = self._cache.get(key)
        if answer is None:
            answer = self._made(path, tree)
            if len(self._cache) < 50_000:
                self._cache[key] = answer
        return answer

    def _made(self, path: str, tree: str) -> Answer:
        while "//" in path:
            path = path.replace("//", "/")
        if not path.endswith("/") and f"{path}/api/json" in self._documents:
            return Answer(302, b"", headers=(("Location", f"{ROOT}{path}/"),))
        if path == "/":
            return Answer(200, b"<html>Dashboard [Jenkins]</html>", headers=self._marks())
        entry = self._documents.get(path.replace("/me/", "/whoAmI/"))
        if entry is None or entry["status"] != 200 or self._hidden(path):
            return Answer(404, b"<html><head><title>Not Found</title></head><body>404</body></html>")
        if "json" not in entry:
            return Answer(200, str(entry.get("text", "")).encode(), entry.get("content_type", "text/plain"))
        try:
            body = self._filled(path.removesuffix("/api/json"), entry["json"])
            if tree:
                body = select(body, parse(tree), self._follow)
        except ValueError as err:
            return Answer(500, f"<html><body>Oops! {err}</body></html>".encode())
        return Answer(
            200,
            json.dumps(_shown(body), ensure_ascii=False).encode(),
            "application/json;charset=utf-8",
            self._marks(),
        )

    def _marks(self) -> tuple[tuple[str, str], ...]:
        return (("X-Jenkins", "2.448"), ("X-Jenkins-Session", self._session))

    def _hidden(self, path: str) -> bool:
        """Say whether a build's document is held back for now."""
        for job, numbers in self._numbers.items():
            if path.startswith(f"{job}/"):
                number = path[len(job) + 1 :].split("/", 1)[0]
                if number.isdigit() and numbers and int(number) > self._limit(job):
                    return True
        return False

    def _limit(self, job: str) -> float:
        document = self._documents.get(f"{job}/api/json")
        name = document["json"].get("fullName", "") if document else ""
        return self.until.get(name, float("inf"))

    def _filled(self, path: str, body: Any) -> Any:
        """Return a document with what the recording left out: its path, all builds, builds held back."""
        if not isinstance(body, dict):
            return body
        body = {**body, "_path": path}
        if "nextBuildNumber" in body:
            limit = self._limit(path)
            listed = {build["number"]: build for build in body.get("builds") or ()}
            for number in self._numbers.get(path, ()):
                listed.setdefault(
                    number, {"_class": body["_class"], "number": number, "url": f"{ROOT}{path}/{number}/"}
                )
            visible = [listed[number] for number in sorted(listed, reverse=True) if number <= limit]
            body["allBuilds"] = visible
            body["builds"] = visible[:NEWEST]
            if limit != float("inf"):
                body["nextBuildNumber"] = min(body["nextBuildNumber"], int(limit) + 1)
                body["lastBuild"] = visible[0] if visible else None
                ended = (build for build in visible if not self._build(path, build["number"]).get("building"))
                body["lastCompletedBuild"] = next(ended, None)
        return body

    def _build(self, path: str, number: int) -> dict[str, Any]:
        document = self._documents.get(f"{path}/{number}/api/json")
        return document["json"] if document and isinstance(document.get("json"), dict) else {}

    def _follow(self, name: str, entry: Any, holder: Any) -> Any:
        """Return an entry of a list with all the fields that its own document has."""
        path = holder.get("_path")
        if path is None:
            return entry
        if name == "jobs":
            child = f"{path}/job/{quote(entry['name'], safe='')}"
            document = self._documents.get(f"{child}/api/json")
            return self._filled(child, document["json"]) if document and document["status"] == 200 else entry
        if name in _BUILDS:
            return entry | self._build(path, entry["number"])
        return entry


def _shown(value: Any) -> Any:
    """Return a document without our own marks."""
    if isinstance(value, dict):
        return {name: _shown(entry) for name, entry in value.items() if name != "_path"}
    return [_shown(entry) for entry in value] if isinstance(value, list) else value


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 for a RecordedMaster, with one write for each answer."""

    master: RecordedMaster
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
        headers = list({"Content-Type": answer.content_type, **dict(answer.headers)}.items())
        if "gzip" in (self.headers.get("Accept-Encoding") or "") and len(content) > 500:
            content = gzip.compress(content, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        if "Content-Length" not in dict(answer.headers):
            headers.append(("Content-Length", str(len(content))))
        lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in headers)]
        self.master.sent_bytes += len(content)
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (content if body else b""))
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
        """Say nothing; `asked` tells what came."""
