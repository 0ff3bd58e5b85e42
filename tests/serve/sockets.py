"""A client with bad manners: what it sends goes over a socket as it is."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass

HOST = b"Host: localhost\r\n"


@dataclass
class Reply:
    """One answer: its status, its headers in lower case, its body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire(socket.socket):
    """A connection on which a test sends bytes and reads answers."""

    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self.settimeout(20)
        self.connect(("127.0.0.1", port))
        self._left = b""

    def answer(self) -> Reply:
        """Read one answer, with Content-Length or without a body."""
        while b"\r\n\r\n" not in self._left:
            self._more()
        head, _, self._left = self._left.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        length = int(headers.get("content-length", "0"))
        while len(self._left) < length:
            self._more()
        body, self._left = self._left[:length], self._left[length:]
        found = re.match(r"HTTP/1.1 (\d+)", lines[0])
        assert found is not None
        return Reply(int(found[1]), headers, body)

    def ended(self, within_s: float = 20) -> bool:
        """Say whether the server closes the connection within that time, whatever it says before."""
        deadline = time.monotonic() + within_s
        try:
            while (left_s := deadline - time.monotonic()) > 0:
                self.settimeout(left_s)
                if not self.recv(65536):
                    return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            pass
        return False

    def _more(self) -> None:
        data = self.recv(65536)
        assert data, f"the server closed after {self._left!r}"
        self._left += data


def get(path: str = "/ok", headers: bytes = b"") -> bytes:
    return b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path.encode(), HOST, headers)


def post(body: bytes, path: str = "/echo", headers: bytes = b"Content-Type: application/json\r\n") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST %s HTTP/1.1\r\n%s%s%s\r\n%s" % (path.encode(), HOST, headers, length, body)
