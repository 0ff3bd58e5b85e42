"""Record what a real server answers, blanked, so that contract tests run without it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from ..plugin.http_answer import AWAY
from .blanker import Blanker
from .exchange import Exchange, save
from .replay import to_response


class Recorder(BaseAdapter):
    """A transport that asks the network as ever and keeps a copy of each exchange in memory.

    Nothing is written before `write`, which blanks all exchanges together: a secret that the last
    answer gives away is gone from the first one too. `most_bytes` bounds what it keeps.
    """

    def __init__(self, through: BaseAdapter | None = None, most_bytes: int = 64 * 1024 * 1024) -> None:
        super().__init__()
        self._through = HTTPAdapter() if through is None else through
        self._left = most_bytes
        self._lock = threading.Lock()
        self._kept: list[tuple[Exchange, dict[str, str]]] = []

    def mount(self, session: requests.Session) -> None:
        """Stand between `session` and the network."""
        session.adapters.clear()
        session.mount("https://", self)
        session.mount("http://", self)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send `request` on, keep what came back and return the same again."""
        answer = self._through.send(request, True, timeout, verify, cert, proxies)
        body = answer.content
        sent = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else request.body
        exchange = Exchange(
            method=request.method or "GET",
            url=request.url or "",
            sent=None if sent is None else str(sent),
            status=answer.status_code,
            headers=_without_coding(answer.headers),
            body=body,
        )
        with self._lock:
            if answer.status_code in AWAY:
                return to_response(exchange, request)  # tried again: the next answer is the one to keep
            self._left -= len(body)
            if self._left >= 0:
                self._kept.append(
                    (exchange, {str(name): str(value) for name, value in request.headers.items()})
                )
        return to_response(exchange, request)

    def close(self) -> None:
        """Close the connections."""
        self._through.close()

    @property
    def overflowed(self) -> bool:
        """Whether more came than `most_bytes`, so that the recording has holes."""
        return self._left < 0

    @property
    def count(self) -> int:
        """How many exchanges are kept."""
        return len(self._kept)

    def write(
        self, folder: Path, about: Mapping[str, Any], url: str = "", secrets: Iterable[str] = ()
    ) -> tuple[list[Path], Blanker]:
        """Blank everything and write it to `folder`, replacing the recording there.

        `url` is the source's own address, which becomes `https://source.test`; `about` is written
        beside, blanked too. Returns the files and the blanker, which knows what it blanked.
        """
        blanker = Blanker(url, secrets)
        for exchange, sent_headers in self._kept:
            blanker.learn(exchange, sent_headers)
        told = {
            name: blanker.text(value) if isinstance(value, str) else value for name, value in about.items()
        }
        return save((blanker.exchange(exchange) for exchange, _ in self._kept), folder, told), blanker


def _without_coding(headers: Mapping[str, str]) -> dict[str, str]:
    """Leave out what says how the body was packed on the way: it is unpacked now."""
    gone = {"content-encoding", "content-length", "transfer-encoding", "connection"}
    return {name: value for name, value in headers.items() if name.lower() not in gone}
