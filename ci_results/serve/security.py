"""What every answer carries and every request must show: a known Host, and headers that bind the browser."""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Raw = list[tuple[bytes, bytes]]
Bind = Callable[[Raw], Raw]
"""Headers of an answer -> those with what binds the browser."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE: Raw = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_JSON: Raw = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
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
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if host_name(host.decode("latin-1")) not in self._hosts:
                refusal = PlainTextResponse(
                    "This server does not go by that name. Use the address that it printed,"
                    " or start it with --allow-host NAME.\n",
                    status_code=421,
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def binding(policy: str) -> Bind:
    """Return what binds the browser that gets an answer: pages to `policy`, JSON to show and run nothing.

    An answer that brings a policy of its own comes from an application that is wrapped itself.
    """
    page = [*_PAGE, (b"content-security-policy", policy.encode())]

    def bound(headers: Raw) -> Raw:
        kind = b""
        for name, value in headers:
            if name == b"content-type":
                kind = value
            elif name == b"content-security-policy":
                return headers
        return [*headers, *(_JSON if kind == b"application/json" else page)]

    return bound


class BindingHeaders:
    """Bind whoever reads what an application answers; see `binding`."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app, self._bound = app, binding(policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_bound(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._bound(message["headers"])
            await send(message)

        await self._app(scope, receive, send_bound)


def host_name(header: str) -> str:
    """Return the name in a Host header without its port, e.g. "::1" of "[::1]:8001"."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
