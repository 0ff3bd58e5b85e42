"""Our server in a thread of this process, that ends without the waits of one that people use."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from ci_results.config import Serving
from ci_results.serve.address import listen
from ci_results.serve.server import STOP_WITHIN_S, Server

LOOK_EVERY_S = 0.005


class HastyServer(Server):
    """Ends as soon as it is told, and has answered; who asks in a test does not knock meanwhile."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(LOOK_EVERY_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.ending = True
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        last = time.monotonic() + STOP_WITHIN_S
        while (state.connections or state.tasks) and time.monotonic() < last:
            await asyncio.sleep(LOOK_EVERY_S)
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


@contextmanager
def running(app: ASGIApp, settings: Serving = Serving()) -> Iterator[str]:  # noqa: B008
    """Serve `app` on a free loopback port; yield its address, e.g. "http://127.0.0.1:40123"."""
    with listen("127.0.0.1", 0) as listening:
        server = HastyServer(app, settings)
        thread = threading.Thread(target=server.serve_on, args=[listening])
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(LOOK_EVERY_S)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
