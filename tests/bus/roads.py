"""A way to a broker that can be cut, and mended."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread


class Road:
    """A way to a broker. While it is not `open`, what is connected breaks, and nobody gets through.

    cut_after  it closes by itself when so many bytes were carried; 0 = never
    """

    def __init__(self, door: socket.socket, to: int) -> None:
        self.port = door.getsockname()[1]
        self._to, self._door, self._ends = to, door, selectors.DefaultSelector()
        self.open, self.cut_after, self.carried = True, 0, 0
        self._ends.register(door, selectors.EVENT_READ)
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _events in self._ends.select(0.05):
                if key.fileobj is self._door:
                    self._let_in()
                else:
                    self._carry(key.fileobj, key.data)  # type: ignore[arg-type]
            if self.cut_after and self.carried > self.cut_after:
                self.cut_after, self.open = 0, False
            if not self.open:
                self._cut()

    def _let_in(self) -> None:
        end, _ = self._door.accept()
        if not self.open:
            end.close()
            return
        other = socket.create_connection(("127.0.0.1", self._to))
        self._ends.register(end, selectors.EVENT_READ, other)
        self._ends.register(other, selectors.EVENT_READ, end)

    def _carry(self, end: socket.socket, other: socket.socket) -> None:
        try:
            said = end.recv(65_536)
            other.sendall(said)
        except OSError:
            said = b""
        self.carried += len(said)
        if not said:
            self._forget(end, other)

    def _forget(self, *ends: socket.socket) -> None:
        for end in ends:
            if end.fileno() >= 0:  # its other end may have ended it just before
                self._ends.unregister(end)
                end.close()

    def _cut(self) -> None:
        for key in list(self._ends.get_map().values()):
            if key.fileobj is not self._door:
                self._forget(key.fileobj)  # type: ignore[arg-type]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._cut()
        self._ends.close()


@contextmanager
def road(to: int = 5672) -> Iterator[Road]:
    """Give a way to this local port."""
    with socket.create_server(("127.0.0.1", 0)) as door, closing(Road(door, to)) as made:
        yield made
