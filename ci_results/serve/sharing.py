"""Let pages of other origins ask the APIs; at /api/v1.0 as WaiverDB lets them (COMPAT 2.10)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .api_v1_0 import GUARDED
from .ci_v1.upload import PROOF

METHODS = b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
"""What the peer allows; what an address has is in `Allow`."""


class SharedWith(CORSMiddleware):
    """Pages of `origins` may ask. Below the peers' prefixes OPTIONS is answered by the route."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=list(origins),
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", PROOF),
            expose_headers=("ETag", "Retry-After"),
            max_age=3600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await super().__call__(scope, receive, send)
            return
        asked = Headers(scope=scope)
        origin = asked.get("origin", "")
        if origin and self.is_allowed_origin(origin):
            send = _sharing(send, origin, _preflight(scope, asked))
        await self.app(scope, receive, send)


def _preflight(scope: Scope, asked: Headers) -> list[tuple[bytes, bytes]]:
    if scope["method"] != "OPTIONS" or "access-control-request-method" not in asked:
        return []
    wanted = asked.get("access-control-request-headers", "").encode("latin-1")
    return [
        (b"access-control-allow-methods", METHODS),
        *([(b"access-control-allow-headers", wanted)] if wanted else []),
    ]


def _sharing(send: Send, origin: str, more: list[tuple[bytes, bytes]]) -> Send:
    lines = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin"), *more]

    async def share(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *lines]
        await send(message)

    return share
