"""One connection: uvicorn's HTTP/1.1, and bounds on what a client may do before and after we answer.

uvicorn waits for ever for the rest of a head, of any size; for a client that reads nothing of its
answer; and closes a connection at the end though a request is on its way. What is wrong with a
request whose head is whole is said by the application (see bounds).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ..config import Serving
from .bounds import WHOLE
from .faults import OVERLOADED_S, told

LINGER_S = 5.0
"""How long the rest of a body may come that was answered before it was whole."""

GRACE_S = 0.5
"""How long an idle connection may still bring a request when the server ends."""

LOOK_S = 0.01
"""Any time at all lets the loop read first what lies there."""


class Connection(HttpToolsProtocol):
    """Made by uvicorn for each connection; `settings` bounds it, `is_ending` says that the server ends."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        settings: Serving,
        is_ending: Callable[[], bool],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._settings = settings
        self._head_bytes = 0
        self._in_head = True
        self._arriving = False
        self._is_ending = is_ending
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    # -- a head comes in time, and is not too long ---------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the first head its time."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._set_deadline(self._settings.receive_timeout_s)
        if self._is_ending():
            self.shutdown()

    def data_received(self, data: bytes) -> None:
        """Parse, then look at what is not whole yet."""
        super().data_received(data)
        if not self._arriving:
            self._clear_deadline()
            if self._is_idle():
                self._set_deadline(self._settings.keep_alive_s)
        elif self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._settings.max_head_bytes + self._settings.max_url_bytes:
                self._refuse(431 if self.headers else 414, "The head of the request is too long")
            elif self._deadline is None or self._head_bytes == len(data):
                self._set_deadline(self._settings.receive_timeout_s)

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        cast(Scope, self.scope)["peer"] = self.client  # whatever X-Forwarded-For makes of "client"
        self.scope["ending"] = self._is_ending  # type: ignore[typeddict-unknown-key]
        self._arriving = self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Start the application; where too many are connected already, one that says so."""
        self._in_head = False
        self._clear_deadline()
        if len(self.connections) <= self._settings.max_connections:
            super().on_headers_complete()
        else:
            app, self.app = self.app, _crowded
            super().on_headers_complete()
            self.app = app
        if self._is_ending():
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._arriving = False
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()

    # -- an answer is read ---------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """Let the rest of a body come that nobody waits for, but not for ever."""
        super().on_response_complete()
        if self._arriving and not self._in_head and not self.transport.is_closing():
            self._set_deadline(LINGER_S)

    def pause_writing(self) -> None:
        """Drop a client that reads nothing of its answer for as long as a request may take."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self._settings.receive_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: something was read."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    # -- the end -------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Answer what has come, and what comes within the grace; then close."""
        if self._is_idle():
            self.loop.call_later(GRACE_S, self._look_once_more)
        else:
            self.cycle.keep_alive = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        for timer in (self._deadline, self._stalled, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _look_once_more(self) -> None:
        """Close, once what came while the machine was busy with others was read: timers go before it."""
        self.loop.call_later(LOOK_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _set_deadline(self, seconds: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        """Close; a client that sent a part of a head is told why, once it has the answer before."""
        if not self._is_idle():
            self.cycle.keep_alive = False
        elif self._arriving and self._in_head:
            self._refuse(408, "The head of the request came too slowly")
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        """Close; answer a request that has no whole head, where no other waits for its answer."""
        if self._is_idle() and not self.transport.is_closing():
            body = told(status, message).body
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nconnection: close\r\n"
            kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            self.transport.write((head + kind).encode() + bytes(body))
        self.transport.close()


async def _crowded(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request on a connection too many."""
    refusal = told(503, "Too many connections", Retry_After=str(OVERLOADED_S), Connection="close")
    await refusal(scope, receive, send)
