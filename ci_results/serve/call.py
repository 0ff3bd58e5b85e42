"""Call: one request to an API, and its answer, close to ASGI; and a route that takes all below a prefix."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha1
from typing import Any, Protocol
from urllib.parse import quote

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"
_JSON_TYPE = "application/json"
_PAGE = "<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n"


class Gone(Exception):  # noqa: N818
    """The client went away before its request was whole; nobody waits for an answer."""


class Application(Protocol):
    """An ASGI application that says what it answers: path below its prefix -> methods.

    Names in paths stand in braces: {"/results/{id}": ["GET"]}.
    """

    @property
    def endpoints(self) -> Mapping[str, Collection[str]]:
        """What it answers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""


class Below(BaseRoute):
    """Gives `app` every request at `prefix` and below it; `scope["below"]` is where it is mounted.

    A proxy's X-Script-Name is taken from the path first, as the peers do.
    """

    def __init__(self, prefix: str, app: Application) -> None:
        self.prefix = prefix
        self.path = prefix
        self.app = app
        self.taken: Mapping[str, Any] = {"below": prefix, "endpoint": app}
        self._inner = f"{prefix}/"

    def takes(self, path: str) -> bool:
        """Say whether a path is ours."""
        return path.startswith(self.prefix) and (path == self.prefix or path.startswith(self._inner))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether this is ours."""
        if scope["type"] == "http" and any(map(self.takes, _paths(scope))):
            return Match.FULL, {**self.taken}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        await self.app(scope, receive, send)


class Lanes:
    """Gives requests to the applications below prefixes at once; `app` gets all others.

    They tell errors in words of their own, so that neither a router nor handlers of errors need stand
    between, which cost a tenth of a quick answer.
    """

    def __init__(self, app: ASGIApp, lanes: Sequence[Below]) -> None:
        self._app, self._lanes = app, lanes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self._lane(scope) if scope["type"] == "http" else None
        if lane is None:
            await self._app(scope, receive, send)
            return
        scope.update(lane.taken)
        await lane.app(scope, receive, send)

    def _lane(self, scope: Scope) -> Below | None:
        paths = _paths(scope)
        for lane in self._lanes:
            for path in paths:
                if lane.takes(path):
                    return lane
        return None


class Call:
    """A request below a prefix.

    path  what comes after the prefix, as it came (percent-encoded): "/results/12"
    """

    __slots__ = ("_below", "_headers", "_receive", "_send", "method", "path", "query", "scope")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.method: str = scope["method"]
        self.query: str = scope["query_string"].decode("utf-8", "replace")
        self._headers = dict(scope["headers"])
        raw = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1").partition("?")[0]
        if b"x-script-name" in self._headers:
            script = self.header(b"x-script-name").rstrip("/")
            if script and raw.startswith(f"{script}/"):
                raw = raw[len(script) :]
        self._below: str = scope["below"]
        self.path = raw[len(self._below) :]

    @property
    def root(self) -> str:
        """Our address as the client sees it, through whatever proxy: "https://host"."""
        return root_of(self._headers, self.scope["scheme"])

    @property
    def base(self) -> str:
        """Address of the prefix as the client sees it: "https://host/api/v2.0"."""
        return f"{self.root}{self._below}"

    @property
    def url(self) -> str:
        """The address of the request as it came in."""
        return f"{self.base}{self.path}?{self.query}" if self.query else f"{self.base}{self.path}"

    def header(self, name: bytes) -> str:
        """Return a header's value, "" where it is absent; `name` in lower case."""
        value: bytes = self._headers.get(name, b"")
        return value.decode("latin-1")

    @property
    def sends_json(self) -> bool:
        """Whether the body claims to be JSON."""
        kind = self.header(b"content-type").partition(";")[0].strip().lower()
        return kind == _JSON_TYPE or (kind.startswith("application/") and kind.endswith("+json"))

    async def body(self) -> bytes:
        """Return the whole body. Raises Gone where the client leaves before its end."""
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def answer(
        self, status: int, body: bytes, kind: bytes = JSON, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """Send the answer; HEAD gets its headers alone."""
        lines = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})
        sent = b"" if self.method == "HEAD" else body
        await self._send({"type": "http.response.body", "body": sent})

    async def answer_html(
        self, status: int, title: str, text: str, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """Send a short page, as the peers do for errors that people see."""
        await self.answer(status, _PAGE.format(title=title, text=text).encode(), HTML, headers)

    async def refuse_media_type(self) -> None:
        """Answer 415: the body does not say that it is JSON."""
        text = "Send JSON, with the header Content-Type: application/json"
        await self.answer_html(415, "Unsupported Media Type", text)

    async def answer_tagged(self, body: bytes) -> None:
        """Answer 200 with an ETag, or 304 where the client has this very body."""
        tag = f'"{sha1(body, usedforsecurity=False).hexdigest()[:16]}"'
        asked = self.header(b"if-none-match")
        if asked and (asked == "*" or tag in asked):
            lines = [(b"etag", tag.encode())]
            await self._send({"type": "http.response.start", "status": 304, "headers": lines})
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self.answer(200, body, headers=[(b"etag", tag.encode())])


def root_of(headers: Mapping[bytes, bytes], scheme: str) -> str:
    """Return our address as the client sees it, through whatever proxy: "https://host/prefix"."""

    def header(name: bytes) -> str:
        return headers.get(name, b"").decode("latin-1")

    host = header(b"x-forwarded-host") or header(b"host") or "localhost"
    script = header(b"x-script-name").rstrip("/")
    return f"{header(b'x-forwarded-scheme') or scheme}://{host}{script}"


def _paths(scope: Scope) -> tuple[str, ...]:
    """Return the path, and what it is without a proxy's X-Script-Name where it begins with that."""
    path: str = scope["path"]
    for name, value in scope["headers"]:
        if name == b"x-script-name":
            script = value.decode("latin-1").rstrip("/")
            if path.startswith(f"{script}/"):
                return path, path[len(script) :]
    return (path,)
