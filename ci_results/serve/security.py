"""What every answer carries and every request must show: a known Host, and headers that bind the browser."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def content_policy(*, script_hashes: Collection[str] = (), inline_styles: bool = False) -> str:
    """Return a Content-Security-Policy: scripts are files of this host or have a known hash."""
    scripts = "".join(f" '{digest}'" for digest in script_hashes)
    return _POLICY.format(scripts=scripts, styles=" 'unsafe-inline'" if inline_styles else "")


class KnownHost:
    """Refuse a Host header that is not ours, else a web page could read us by DNS rebinding.

    `hosts` are names without port; None lets any pass (a proxy in front of us checks).
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app = app
        self._hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._hosts is not None:
            host = host_name(Headers(scope=scope).get("host", ""))
            if host not in self._hosts:
                refusal = PlainTextResponse(
                    "This server does not go by that name. Use the address that it printed,"
                    " or start it with --allow-host NAME.\n",
                    status_code=421,
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BindingHeaders:
    """Add the headers above to every answer, and `policy` where it brings none of its own."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_bound(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _FIXED.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", self._policy)
            await send(message)

        await self._app(scope, receive, send_bound)


def host_name(header: str) -> str:
    """Return the name in a Host header without its port, e.g. "::1" of "[::1]:8001"."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
