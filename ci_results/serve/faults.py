"""What goes wrong, as an answer: `{"message": ...}` for machines, a page for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..wire.resultsdb_json import dump
from . import telling

MACHINES = ("/api/", "/resultsdb/", "/waiverdb/", "/greenwave/")
"""Where machines ask: every answer below is JSON."""

INTERNAL = "Internal Server Error"
OVERLOADED_S, AWAY_S = 1, 5
"""After how long a client may try again: the queue is full, or the store is away."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


def told(status: int, message: str, **headers: str) -> Response:
    """Answer `{"message": message}`; `headers` are written `Retry_After="1"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(dump({"message": message}), status, named, media_type="application/json")


def answer(error: Exception) -> Response:
    """Say what went wrong, as a machine reads it."""
    match error:
        case HTTPException(status_code=404):
            return told(404, "Not found")
        case HTTPException():
            return told(error.status_code, error.detail, **dict(error.headers or {}))
    found = telling.told(error) or telling.message(500, INTERNAL)
    headers = {name.decode(): value.decode() for name, value in found.headers}
    return Response(dump(found.said), found.status, headers, media_type="application/json")


def by_reader(page: Handler) -> Handler:
    """Return a handler that answers machines as above, and people with `page`."""

    async def handle(request: Request, error: Exception) -> Response:
        if request.scope["path"].startswith(MACHINES):
            return answer(error)
        return await page(request, error)

    return handle


async def to_machines(request: Request, error: Exception) -> Response:
    """Answer an error that no page causes."""
    return answer(error)
