"""uvicorn as we run it: our connections, and an end that answers what has come."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ..config import Serving
from .address import admit_no_more, waiting_at
from .connection import Connection

STOP_WITHIN_S = 10
TAKE_IN_S, TAKE_IN_WITHIN_S = 0.05, 5.0
"""For those to be taken in who have knocked already, at least and at most.

It takes microseconds, where neither the loop nor the machine is busy.
"""

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """Serves one application on a socket that listens, until it is told to end or `parent` is gone.

    hung_up  what to do at SIGHUP; must not take long
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Serving,
        *,
        parent: int | None = None,
        hung_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._parent, self._hung_up = parent, hung_up
        self.ending = False
        protocol: Any = partial(Connection, settings=settings, is_ending=lambda: self.ending)
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=STOP_WITHIN_S,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            backlog=1024,
        )
        super().__init__(config)

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until SIGTERM or Ctrl-C; a second Ctrl-C waits for nobody."""
        self.run(sockets=[listening])

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take the signals that end us; unlike uvicorn's, end well afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # A terminal sends Ctrl-C to the parent too, which tells us in its own way.
        ours = STOPPING if self._parent is None else STOPPING[1:]
        before = {number: signal.signal(number, self.handle_exit) for number in ours}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: self._hung_up())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, or end at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Say, ten times a second, whether to end."""
        gone = self._parent is not None and os.getppid() != self._parent
        return await super().on_tick(counter) or gone

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take in those who have knocked, and nobody more; answer; close.

        Only then are clients told that their connection ends: else they would knock anew at a door
        that is about to close.
        """
        for listening in sockets or []:
            admit_no_more(listening)
        until = asyncio.get_running_loop().time() + TAKE_IN_WITHIN_S
        await asyncio.sleep(TAKE_IN_S)
        while any(map(waiting_at, sockets or [])) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(TAKE_IN_S)
        self.ending = True
        await super().shutdown(sockets)
        if self.force_exit:
            await self.lifespan.shutdown()
