"""Frames of STOMP 1.2 as bytes and back, as stomp.py makes and reads them. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

os.environ.setdefault("STOMP_SKIP_HOSTNAME_SCAN", "1")  # or an import asks the network who we are
from stomp.utils import Frame, convert_frame, parse_frame

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,18})\s*$", re.MULTILINE)
_ESCAPED = str.maketrans({"\\": r"\\", "\r": r"\r", "\n": r"\n", ":": r"\c"})


def frame(command: str, headers: Mapping[str, object], body: bytes = b"") -> Frame:
    """Return a frame to send, its headers escaped."""
    texts = {name.translate(_ESCAPED): str(value).translate(_ESCAPED) for name, value in headers.items()}
    return Frame(command, texts, body)


def bare(command: str, headers: Mapping[str, str]) -> Frame:
    """Return a frame whose headers go as they are: those of CONNECT are not escaped."""
    return Frame(command, dict(headers))


def packed(frames: Iterable[Frame]) -> bytes:
    """Return frames as they are sent."""
    return b"".join(piece for each in frames for piece in convert_frame(each))


class Unpacked:
    """Takes bytes as they come, and gives frames as soon as they are whole; heartbeats are none."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that end in what has come now, their headers unescaped."""
        self._buffer += chunk
        found, start, buffer = [], 0, self._buffer
        while True:
            while start < len(buffer) and buffer[start] in b"\r\n":  # heartbeats, and ends of frames
                start += 1
            head = _END_OF_HEAD.search(buffer, start)
            if head is None:
                break
            length = _LENGTH.search(buffer, start, head.end())
            end = buffer.find(0, head.end() + (int(length[1]) if length else 0))
            if end < 0:
                break
            if (whole := parse_frame(bytes(buffer[start:end]))) is not None:
                found.append(whole)
            start = end + 1
        del buffer[:start]
        return found
