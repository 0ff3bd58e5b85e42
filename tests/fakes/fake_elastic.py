"""A search engine on loopback, as its documentation describes the bulk API; it fails on demand.

What it holds to (Elasticsearch 8 and OpenSearch 2, "Bulk API", "Index API", "Index templates"):
the body is newline-delimited JSON and ends with a newline, else 400; another Content-Type is 406; a body
that is too large is 413; each action has its answer, in order, with a status of its own, and `errors` says
whether one is bad; `index` creates (201) or replaces (200); `create` conflicts (409) with what is there; a
version of `external_gte` conflicts (409) with a greater one; a value that a field cannot take is refused
(400 `document_parsing_exception`); a field is mapped by the first value that comes, unless a template maps
it; a full queue (429) or a missing shard (503) befalls single documents.
"""

from __future__ import annotations

import fnmatch
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OPS = ("index", "create", "update", "delete")
CONFLICT = "version_conflict_engine_exception"
FULL = (
    429,
    {"type": "es_rejected_execution_exception", "reason": "rejected execution of coordinating operation"},
)
GONE = (503, {"type": "unavailable_shards_exception", "reason": "primary shard is not active"})
BLOCKED = (403, {"type": "cluster_block_exception", "reason": "blocked by: [FORBIDDEN/8/index write (api)]"})


class RefusedError(Exception):
    """What is wrong with a whole request."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason = status, kind, reason


class Elastic:
    """Keeps documents by index and id: {"ci-results-result-2026.03": {"4f..": {"_version": 1, ...}}}.

    faults     befall the next requests as a whole: (status, error)
    befalls    befalls one document, by its id or a part of its text: (status, error), once or for good
    most_bytes of a request
    """

    def __init__(self) -> None:
        self.indices: dict[str, dict[str, dict[str, Any]]] = {}
        self.templates: dict[str, dict[str, Any]] = {}
        self.mapped: dict[str, dict[str, str]] = {}
        self.faults: deque[tuple[int, Any]] = deque()
        self.befalls: dict[str, tuple[int, Any]] = {}
        self.most_bytes = 100 << 20
        self.bulks: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.distribution: str | None = None
        self.url = ""
        self._lock = threading.Lock()

    def documents(self) -> list[dict[str, Any]]:
        """Return all sources, by index and in the order in which they came."""
        return [one["_source"] for index in sorted(self.indices) for one in self.indices[index].values()]

    @contextmanager
    def serve(self) -> Iterator[Elastic]:
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

    def bulk(self, body: bytes, kind: str) -> dict[str, Any]:
        """Carry out one bulk request. Raises RefusedError."""
        if kind.partition(";")[0] not in ("application/x-ndjson", "application/json"):
            raise RefusedError(
                406, "media_type_header_exception", f"Invalid media-type value on header [{kind}]"
            )
        if len(body) > self.most_bytes:
            raise RefusedError(413, "content_too_large", f"content length {len(body)} > {self.most_bytes}")
        if not body:
            raise RefusedError(400, "parse_exception", "request body is required")
        if not body.endswith(b"\n"):
            reason = "The bulk request must be terminated by a newline [\\n]"
            raise RefusedError(400, "illegal_argument_exception", reason)
        with self._lock:
            items = list(self._items(body.split(b"\n")[:-1]))
        self.bulks.append(len(items))
        bad = any("error" in said for item in items for said in item.values())
        return {"took": 3, "errors": bad, "items": items}

    def _items(self, lines: list[bytes]) -> Iterator[dict[str, Any]]:
        at = 0
        while at < len(lines):
            op, about = self._action(lines[at], at + 1)
            at += 1
            source = None
            if op != "delete":
                if at >= len(lines):
                    raise RefusedError(400, "illegal_argument_exception", "no source after the last action")
                source, at = lines[at], at + 1
            yield {op: self._one(op, about, source)}

    @staticmethod
    def _action(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
        try:
            ((op, about),) = json.loads(line).items()
        except (ValueError, AttributeError):
            op, about = "", None
        if op not in OPS or not isinstance(about, dict):
            reason = (
                f"Malformed action/metadata line [{number}], expected one of [create, delete, index, update]"
            )
            raise RefusedError(400, "illegal_argument_exception", reason)
        return op, about

    def _one(self, op: str, about: dict[str, Any], source: bytes | None) -> dict[str, Any]:
        index, name = about["_index"], about["_id"]
        said = {"_index": index, "_id": name}
        if index != index.lower() or index.startswith(("-", "_", "+")):
            return {**said, **_bad(400, "invalid_index_name_exception", f"Invalid index name [{index}]")}
        for mark in [mark for mark in self.befalls if mark == name or mark.encode() in (source or b"")]:
            status, error = self.befalls[mark]
            if status in (429, 503):
                del self.befalls[mark]
            return {**said, "status": status, "error": error}
        try:
            document = json.loads(source or b"{}")
        except ValueError:
            return {**said, **_bad(400, "document_parsing_exception", "[1:1] failed to parse")}
        fault = self._map(index, document)
        if fault is not None:
            return {**said, **fault}
        kept = self.indices.setdefault(index, {})
        there = kept.get(name)
        version = about.get("version")
        if there is not None and (op == "create" or (version is not None and version < there["_version"])):
            reason = f"[{name}]: version conflict, current version [{there['_version']}] is higher"
            return {**said, **_bad(409, CONFLICT, reason)}
        new = version if version is not None else (there["_version"] if there else 0) + 1
        kept[name] = {"_version": new, "_source": document}
        done = "updated" if there else "created"
        return {**said, "_version": new, "result": done, "status": 200 if there else 201}

    def _map(self, index: str, document: dict[str, Any]) -> dict[str, Any] | None:
        """Hold each field to its kind, which the template says, else the first value that comes."""
        properties = next(
            (
                one["template"]["mappings"]["properties"]
                for one in self.templates.values()
                if any(fnmatch.fnmatchcase(index, pattern) for pattern in one["index_patterns"])
            ),
            None,
        )
        for path, value in _leaves(document) if properties is None else document.items():
            if value is None or value == []:
                continue
            kind = _kind(value) if properties is None else properties.get(path, {}).get("type")
            known = self.mapped.setdefault(index, {}).setdefault(path, kind) if properties is None else kind
            if known in ("long", "double", "date") and not _fits(value, known):
                reason = f"[1:1] failed to parse field [{path}] of type [{known}] in document"
                caused = {"type": "illegal_argument_exception", "reason": f"For input: {str(value)[:50]!r}"}
                return {"status": 400, "error": {
                    "type": "document_parsing_exception", "reason": reason, "caused_by": caused,
                }}  # fmt: skip
        return None


def _bad(status: int, kind: str, reason: str) -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "reason": reason}}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, f"{path}.{key}" if path else key)
    else:
        for each in value if isinstance(value, list) else [value]:
            yield path, each


def _kind(value: Any) -> str:
    """Map as dynamic mapping does: texts that look like dates are dates."""
    if isinstance(value, str):
        return "date" if _fits(value, "date") else "text"
    return "long" if isinstance(value, int) else "double"


def _fits(value: Any, kind: str) -> bool:
    if kind == "date":
        return (
            isinstance(value, str)
            and len(value) >= 10
            and value[4] == value[7] == "-"
            and value[:4].isdigit()
        )
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _handler(engine: Elastic) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if engine.faults:
                self._answer(*engine.faults.popleft())
            elif self.path == "/":
                version = {"number": "8.15.0"}
                if engine.distribution:
                    version = {"number": "2.15.0", "distribution": engine.distribution}
                self._answer(200, {"name": "n1", "cluster_name": "c", "version": version})
            elif self.path.startswith("/_index_template/"):
                there = engine.templates.get(self.path.rpartition("/")[2])
                self._answer(200 if there else 404, {"index_templates": [there] if there else []})
            else:
                self._answer(404, {"error": "no such page", "status": 404})

        def do_PUT(self) -> None:
            body = json.loads(self._body())
            engine.templates[self.path.rpartition("/")[2]] = body
            self._answer(200, {"acknowledged": True})

        def do_POST(self) -> None:
            engine.headers.append(dict(self.headers))
            body = self._body()
            if engine.faults:
                self._answer(*engine.faults.popleft())
                return
            try:
                self._answer(200, engine.bulk(body, self.headers.get("Content-Type", "")))
            except RefusedError as err:
                said = {"type": err.kind, "reason": err.reason}
                self._answer(err.status, {"error": {"root_cause": [said], **said}, "status": err.status})

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _answer(self, status: int, said: Any) -> None:
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: Any) -> None:
            """Be silent."""

    return Handler
