"""A recorded Jenkins master, served on loopback: for tests, the demo and benchmarks.

It answers `tree=` questions as Jenkins 2.448 does, from documents that were recorded whole. Faults
can be put in its way, and builds be held back, so that a test sees time pass.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from .loopback import Answer as Answer
from .loopback import serving
from .recorded_documents import NEWEST as NEWEST
from .recorded_documents import ROOT as ROOT
from .recorded_documents import Documents
from .tree import parse, select

LONGEST_TARGET = 8192
"""Bytes of path and query beyond which the server in front of Jenkins says 414."""

_NOT_FOUND = b"<html><head><title>Not Found</title></head><body>404</body></html>"


@dataclass(slots=True)
class Fault:
    """What to answer instead, so many times, after `hang_s`; status 0 = what would be answered anyway."""

    prefix: str
    status: int
    body: bytes
    times: int
    hang_s: float = 0.0
    headers: Mapping[str, str] | None = None


class RecordedMaster(Documents):
    """Serves a recording.

    delay_s      waited before each answer, like a network
    user, token  what must be sent; None = open to all
    gzip         whether bodies are compressed for a client that asks for it
    until        see Documents, as for `held_back`

    `asked` lists (method, path and query) of all requests, `sent_bytes` counts bodies on the wire.
    """

    def __init__(
        self,
        recording: Path | Iterable[dict[str, Any]],
        *,
        delay_s: float = 0.0,
        user: str | None = None,
        token: str | None = None,
        gzip: bool = True,
        until: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(recording, until)
        self.delay_s = delay_s
        self.gzip = gzip
        self.asked: list[tuple[str, str]] = []
        self.sent_bytes = 0
        self.url = ""
        self._credentials = f"{user}:{token}" if token is not None else None
        self._faults: list[Fault] = []
        self._cache: dict[tuple[Any, ...], Answer] = {}
        self._lock = Lock()
        self._session = "recorded"

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

    def hang(self, prefix: str, seconds: float, *, times: int = 1) -> None:
        """Answer the next `times` requests below `prefix` rightly, but late."""
        self.fail(prefix, 0, times=times, hang_s=seconds)

    def restart(self) -> None:
        """Change X-Jenkins-Session, as each restart of a master does."""
        self._session = f"{self._session}+"

    @contextmanager
    def serve(self) -> Iterator[RecordedMaster]:
        """Serve on a free port of loopback; `url` says where."""
        with serving(self) as self.url:
            yield self

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
        if fault is not None and fault.status:
            return Answer(fault.status, fault.body, headers=tuple((fault.headers or {}).items()))
        refused = self._refuse(authorization)
        return refused or self._known(*target.partition("?")[::2], form)

    def count(self, sent_bytes: int) -> None:
        """Learn how long a body was on the wire."""
        with self._lock:
            self.sent_bytes += sent_bytes

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
        key = (path, query, form, self.held_back, tuple(self.until.items()), self._session)
        answer = self._cache.get(key)
        if answer is None:
            answer = self._made(path, query, form)
            if len(self._cache) < 50_000:
                self._cache[key] = answer
        return answer

    def _made(self, path: str, query: str, form: str) -> Answer:
        asked = parse_qs(form) | parse_qs(query)
        if len(path) + len(query) > LONGEST_TARGET:
            return Answer(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")
        if ";" in path:
            return Answer(400, b"<html>Semicolons are not allowed in the request URI</html>")
        if "jsonp" in asked:
            return Answer(403, b"<html>jsonp forbidden; implement jenkins.security.SecureRequester</html>")
        place = self._place(path)
        if place is None:
            return self._page(path)
        entry = self._documents[place]
        if "json" not in entry:
            return Answer(200, str(entry.get("text", "")).encode(), entry.get("content_type", "text/plain"))
        try:
            int(asked.get("depth", ["0"])[0])
            body = self._body(place.removesuffix("/api/json"), entry["json"], asked.get("tree", [""])[0])
        except ValueError as err:
            return Answer(500, f"<html><body>Oops! {err}</body></html>".encode(), headers=self._marks())
        text = json.dumps(body, ensure_ascii=False).encode()
        return Answer(200, text, "application/json;charset=utf-8", self._marks())

    def _body(self, path: str, recorded: Any, tree: str) -> Any:
        body = self._filled(path, recorded)
        if tree:
            return select(body, parse(tree), self._follow)
        if isinstance(body, dict):  # `allBuilds` comes to those alone who ask for it
            body = {name: entry for name, entry in body.items() if name not in ("_path", "allBuilds")}
        return body

    def _page(self, path: str) -> Answer:
        """Return what a browser would see at `path`: a page, the way to it, or that there is none."""
        page = self._place(f"{path}/api/json")
        if page is not None and path.endswith("/"):
            return Answer(200, b"<html><body>A page of Jenkins</body></html>", headers=self._marks())
        if page is not None:
            return Answer(302, b"", headers=(("Location", f"{ROOT}{path}/"),))
        below = path.partition("/testReport/")
        lacks_report = below[1] and self._place(f"{below[0]}/api/json") is not None
        return Answer(404, _NOT_FOUND, headers=() if lacks_report else self._marks())

    def _marks(self) -> tuple[tuple[str, str], ...]:
        return (("X-Jenkins", "2.448"), ("X-Jenkins-Session", self._session))
