"""Bounds of one request: its head, its address, its kind of body, the body's size and how fast it comes.

What comes before the head is whole is bounded by the connection (see connection).
"""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..config import Serving
from .faults import OVERLOADED_S, told

JSON = frozenset({b"application/json", b"application/x-ndjson", b"application/jsonl"})
WHOLE = "whole"
"""In the scope of a request that came in one piece: its body needs no timer, which costs 6 us."""

SLOWEST = 64 * 1024
"""Bytes of a body that buy another second for the rest."""

TOO_SLOW = "The body came too slowly"

BODIES = 8
"""Bodies of the greatest size that are held at once, in all."""


class Bounded:
    """Refuse what is too big (413, 414, 431), too slow (408), or a POST that is no JSON (415).

    A web page elsewhere may send forms and plain text to a server on this machine without asking
    the browser's leave, but not JSON. `guarded` are prefixes of paths whose routes see to that themselves.
    The body is read here, so that a slow client holds no route; but below the prefixes `streamed` it
    may have max_report_bytes, and the route reads it, piece by piece.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Serving,
        guarded: tuple[str, ...] = (),
        streamed: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._settings = settings
        self._guarded = guarded
        self._streamed = streamed
        self._room = BODIES * settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = length = 0
        kind = b""
        chunked = False
        for name, value in scope["headers"]:
            head += len(name) + len(value)
            if name == b"content-length":
                length = int(value)
            elif name == b"content-type":
                kind = value
            elif name == b"transfer-encoding":
                chunked = True
        refusal = self._refusal(scope, head, length, kind)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["path"].startswith(self._streamed):
            await self._app(scope, _paced(receive, self._settings), send)
        elif not length and not chunked:
            await self._app(scope, receive, send)
        elif WHOLE in scope and not chunked:
            await self._with_whole(length, scope, receive, send)
        else:
            await self._with_body(scope, receive, send)

    def _refusal(self, scope: Scope, head: int, length: int, kind: bytes) -> Response | None:
        settings = self._settings
        if head > settings.max_head_bytes:
            return told(431, f"The headers are longer than {settings.max_head_bytes} bytes")
        if len(scope["raw_path"]) + len(scope["query_string"]) > settings.max_url_bytes:
            return told(414, f"The address is longer than {settings.max_url_bytes} bytes")
        streamed = scope["path"].startswith(self._streamed)
        if length > (settings.max_report_bytes if streamed else settings.max_body_bytes):
            return _too_large(settings.max_report_bytes if streamed else settings.max_body_bytes)
        if (
            scope["method"] == "POST"
            and kind not in JSON
            and not _is_json(kind)
            and not scope["path"].startswith(self._guarded)
        ):
            return told(415, "Post JSON, with the header Content-Type: application/json")
        return None

    async def _with_whole(self, length: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route read a body of known length that is here: there is nothing to wait for."""
        self._room -= length
        try:
            if self._room < 0:
                await _too_many()(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        finally:
            self._room += length

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        try:
            read = await self._read_in_time(receive, parts)
            if isinstance(read, Response):
                await read(scope, receive, send)
            elif read:
                await self._app(scope, _replayed(b"".join(parts), receive), send)
        finally:
            self._room += sum(map(len, parts))

    async def _read_in_time(self, receive: Receive, parts: list[bytes]) -> Response | bool:
        try:
            async with asyncio.timeout(self._settings.receive_timeout_s) as patience:
                return await self._read(receive, parts, patience)
        except TimeoutError:
            return told(408, TOO_SLOW, Connection="close")

    async def _read(self, receive: Receive, parts: list[bytes], patience: asyncio.Timeout) -> Response | bool:
        """Read the body into `parts`; return whether it is whole, or what to answer instead."""
        size = 0
        while (message := await receive())["type"] == "http.request":
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            self._room -= len(part)
            if size > self._settings.max_body_bytes:
                return _too_large(self._settings.max_body_bytes)
            if self._room < 0:
                return _too_many()
            if not message.get("more_body", False):
                return True
            patience.reschedule((patience.when() or 0) + len(part) / SLOWEST)
        return False


def _too_many() -> Response:
    return told(503, "Too many bodies at once", Retry_After=str(OVERLOADED_S))


def _too_large(most: int) -> Response:
    return told(413, _longer_than(most))


def _longer_than(most: int) -> str:
    return f"The body is longer than {most} bytes"


def _paced(receive: Receive, settings: Serving) -> Receive:
    """Return a `receive` for a route that reads a large body itself; it raises HTTPException (413, 408).

    The time counts from its first call: a route may let a client wait before it reads.
    """
    size, ends, whole = 0, 0.0, False

    async def paced() -> Message:
        nonlocal size, ends, whole
        if whole:
            return await receive()
        now = asyncio.get_running_loop().time()
        ends = ends or now + settings.receive_timeout_s
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
        length = len(message.get("body", b""))
        size += length
        ends += length / SLOWEST
        whole = not message.get("more_body", False)
        if size > settings.max_report_bytes:
            raise HTTPException(413, _longer_than(settings.max_report_bytes))
        return message

    return paced


def _is_json(kind: bytes) -> bool:
    essence = kind.partition(b";")[0].strip().lower()
    return essence in JSON or (essence.startswith(b"application/") and essence.endswith(b"+json"))


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that brings the whole body at once, then what else comes."""
    first: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replay() -> Message:
        nonlocal first
        if first is None:
            return await receive()
        message, first = first, None
        return message

    return replay
