"""A line between two of our processes: whole messages, in order, over a Unix socket.

Messages are pickled. That is safe here and nowhere else: both ends are the same program of the same
user, and the socket lies in a folder that only this user enters.
"""

from __future__ import annotations

import pickle
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

MAX_BYTES = 512 * 1024 * 1024
"""Of the messages that go together; ten thousand results are 20 MB."""

TOGETHER = 256
"""Messages that go together, at most."""

_LENGTH = struct.Struct("!Q")


class Line:
    """One end. `put` never waits: a thread sends, what waits meanwhile goes together."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send, name="ci-results-line", daemon=True)
        self._sender.start()

    def put(self, message: object) -> None:
        """Send `message`, which is not None; it is lost where the other end is gone."""
        self._waiting.put(message)

    def __iter__(self) -> Iterator[Any]:
        """Yield messages until the other end is gone."""
        while (head := self._read(_LENGTH.size)) is not None:
            (length,) = _LENGTH.unpack(head)
            if length > MAX_BYTES or (data := self._read(length)) is None:
                return
            yield from pickle.loads(data)  # noqa: S301  # see above

    def close(self) -> None:
        """Send what waits, then end both ends' reading."""
        self._waiting.put(None)
        self._sender.join(5)
        with suppress(OSError):  # where the other end was first
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def _send(self) -> None:
        while (first := self._waiting.get()) is not None:
            together = [first]
            while len(together) < TOGETHER and not self._waiting.empty():
                together.append(self._waiting.get())
            ended = together[-1] is None
            data = pickle.dumps(together[:-1] if ended else together, pickle.HIGHEST_PROTOCOL)
            try:
                self._end.sendall(_LENGTH.pack(len(data)) + data)
            except OSError:
                return
            if ended:
                return

    def _read(self, size: int) -> bytes | None:
        """Return that many bytes, None at the end."""
        data = bytearray(size)
        view = memoryview(data)
        while view:
            try:
                count = self._end.recv_into(view)
            except OSError:
                return None
            if not count:
                return None
            view = view[count:]
        return bytes(data)
