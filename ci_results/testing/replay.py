"""Replay: a transport that answers from recorded exchanges, so that tests need no network."""

from __future__ import annotations

import difflib
import io
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from http.client import responses
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from .exchange import Exchange, asked, load

Alter = Callable[[int, Exchange], "Exchange | Exception"]
"""Given the number of the request, from 0, and its answer: the answer to give, or the error to raise."""


_ANY = "=%2A"


class UnknownRequestError(AssertionError):
    """The recording holds no answer to a request. Not a network error, so no collector takes it for one."""


class Replay(BaseAdapter):
    """Answers requests from a recording, and remembers what was asked.

        session = requests.Session()
        replay = Replay.of(Path("tests/recording"))
        replay.mount(session)

    A request that was recorded with several answers gets them in turn, then the last again. A
    recording written by hand may say `?tree=*`: any value will do there. An unknown one raises
    UnknownRequestError, which shows the nearest recorded one. Threads may share it.
    """

    def __init__(self, exchanges: Iterable[Exchange], alter: Alter | None = None) -> None:
        super().__init__()
        self._answers: dict[str, list[Exchange]] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        for exchange in exchanges:
            self._answers.setdefault(exchange.asked, []).append(exchange)
            if _ANY in exchange.asked:
                form = re.escape(exchange.asked).replace(re.escape(_ANY), "=[^&]*")
                self._patterns[exchange.asked] = re.compile(form)
        self._alter = alter
        self._lock = threading.Lock()
        self.requests: list[str] = []
        self.answered: list[Exchange] = []
        self.unknown: list[str] = []

    @classmethod
    def of(cls, folder: Path, alter: Alter | None = None) -> Replay:
        """Replay the recording in `folder`. Raises ConfigError where there is none."""
        return cls(load(folder), alter)

    def mount(self, session: requests.Session) -> None:
        """Let `session` ask this instead of the network, whatever the address."""
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
        """Answer `request`; the other arguments are those of requests and mean nothing here."""
        wanted = asked(request.method or "GET", request.url or "", _text(request.body))
        with self._lock:
            number = len(self.requests)
            self.requests.append(wanted)
            answers = self._answers.get(wanted) or self._answers.get(self._pattern_of(wanted), [])
            if not answers:
                self.unknown.append(wanted)
                raise UnknownRequestError(self._tell(wanted))
            before = sum(1 for each in self.requests if each == wanted) - 1
            answer = answers[min(before, len(answers) - 1)]
            self.answered.append(answer)
        given = answer if self._alter is None else self._alter(number, answer)
        if isinstance(given, Exception):
            raise given
        return to_response(given, request)

    def close(self) -> None:
        """Nothing to close; a session closes its transports."""

    def _pattern_of(self, wanted: str) -> str:
        return next((known for known, form in self._patterns.items() if form.fullmatch(wanted)), "")

    def _tell(self, wanted: str) -> str:
        near = nearest(wanted, self._answers)
        lines = [f"request is not in the recording:\n  asked    {wanted}"]
        if near:
            lines.append(f"  nearest  {near}")
            lines.append(f"           {_difference(wanted, near)}")
        lines.append(
            f"  {len(self._answers)} requests are recorded. If this one is right, record again:"
            " ci-results plugin record"
        )
        return "\n".join(lines)


def nearest(wanted: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` most like `wanted`, None where there is none at all."""
    return max(known, key=lambda each: difflib.SequenceMatcher(None, wanted, each).ratio(), default=None)


def to_response(exchange: Exchange, request: requests.PreparedRequest) -> requests.Response:
    """Return `exchange` as requests would have read it from a socket; it can be streamed too."""
    import urllib3

    body = urllib3.HTTPResponse(
        body=io.BytesIO(exchange.body),
        headers=dict(exchange.headers),
        status=exchange.status,
        reason=responses.get(exchange.status, ""),
        preload_content=False,
        decode_content=False,
    )
    response = requests.Response()
    response.status_code = exchange.status
    response.reason = body.reason or ""
    response.headers = CaseInsensitiveDict(exchange.headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.raw = body
    response.url = request.url or exchange.url
    response.request = request
    return response


def _difference(wanted: str, near: str) -> str:
    """Point at the first place where the two differ."""
    at = next(
        (n for n, (one, other) in enumerate(zip(wanted, near, strict=False)) if one != other),
        min(len(wanted), len(near)),
    )
    return " " * at + "^ differs from here"


def _text(body: Any) -> str | None:
    if body is None:
        return None
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
