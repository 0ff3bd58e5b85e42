"""Watch every request: count and time it, bind its answer, write its line of the access log, answer its
accident."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faults import AWAY_S, INTERNAL, told
from .security import Bind

Templates = Mapping[Any, str]
log = logging.getLogger(__name__)
access = logging.getLogger("ci_results.access")
"""Lines of the access log; the command line says where they go."""

ENDING = "The server ends"
GONE = 499
"""Status of a request whose client went away before an answer."""


class Meter(Protocol):
    """Takes what was seen of each request."""

    def seen(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""


class Watched:
    """The outermost layer: what is inside may raise anything."""

    def __init__(
        self, app: ASGIApp, meter: Meter, routes: Sequence[BaseRoute], bound: Bind, *, log_each: bool = False
    ) -> None:
        self._app = app
        self._bound = bound
        self._templates = templates(routes)
        self._meter = meter
        self._log_each = log_each

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = size = 0

        async def watched(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._bound(message["headers"])
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            # The outermost end of its task: the server waits no longer for this request.
            if not status:
                await told(503, ENDING, Retry_After=str(AWAY_S), Connection="close")(scope, receive, watched)
        except Exception:
            log.exception("request failed", extra={"method": scope["method"], "path": scope["path"]})
            if not status:
                await told(500, INTERNAL)(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - began
            self._meter.seen(route_of(scope, self._templates), scope["method"], status or GONE, seconds)
            if self._log_each:
                _write_line(scope, status or GONE, seconds, size)


def templates(routes: Sequence[BaseRoute]) -> Templates:
    """Return the path of each route, e.g. "/item/{name:path}", by what answers there; the first one's."""
    return {
        route.endpoint if isinstance(route, Route) else route.app: route.path
        for route in reversed(routes)
        if isinstance(route, Route | Mount)
    }


def route_of(scope: Scope, known: Templates) -> str:
    """Return the template of the route that took the request, e.g. "/api/v2.0/results/{id}".

    An application below a prefix says in `scope["template"]` which of its own it took: "/results/{id}".
    """
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return "none"
    above: str = scope["below"] if "below" in scope else known.get(endpoint, "other")
    return above + str(scope.get("template", ""))


def _write_line(scope: Scope, status: int, seconds: float, size: int) -> None:
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    access.info(
        "request",
        extra={
            "client": scope["client"][0] if scope.get("client") else None,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(seconds * 1000, 3),
            "bytes": size,
            "user_agent": agent.decode("latin-1"),
        },
    )
