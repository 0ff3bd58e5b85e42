"""The sink `resultsdb`: posts results to a ResultsDB v2, and so to another ci-results server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from ..domain.outcome import Outcome
from ..errors import CollectError, DeliveryError, SinkRefusedError, SinkUnavailableError, shown
from ..plugin.contract import Sink
from ..wire.resultsdb_client import idempotency_key, refusal_in, to_body
from .connecting import as_ours, connected

if TYPE_CHECKING:
    import requests

    from ..domain.batch import Batch
    from ..plugin.http import SourceSession

_NO_RESULTSDB = "no ResultsDB answers there; url is that of the API: https://resultsdb.example/api/v2.0"
_NOT_THE_RESULTS_FAULT = {
    401: "the token is wrong, expired or missing (token_env, token_file)",
    404: _NO_RESULTSDB,
    405: _NO_RESULTSDB,
    408: "it did not get the request in time",
    409: "the same result is being stored just now",
}
"""Answers below 500 that say nothing against the result: it waits."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`url` is that of the API, without the collection: "https://resultsdb.example/api/v2.0".

    token_env, token_file  where a bearer token is, for servers that want one
    timeout_s              of one request
    ca                     file of certificates to trust
    verify                 false = trust any certificate
    """

    url: str
    token_env: str | None = None
    token_file: str | None = None
    timeout_s: float = 60.0
    ca: str | None = None
    verify: bool = True


class ResultsDB(Sink[Options]):
    """Delivers at least once, one request a result, in order.

    ResultsDB itself has no key for repeats: what is sent again after a crash or a lost answer is
    stored there twice. A ci-results server stores it once: each request names what it says in the
    header Idempotency-Key.
    """

    name = "resultsdb"
    options = Options

    def deliver(self, options: Options, batch: Batch) -> None:
        """Post each result; see Sink. What the server will never take is refused, all else waits."""
        with connected(options.url, options) as http:
            server = _Server(options.url, http)
            for number, result in enumerate(batch):
                body = orjson.dumps(to_body(result, batch.ref_urls, batch.groups))
                try:
                    server.post(body, idempotency_key(result))
                except DeliveryError as err:
                    err.delivered = number
                    raise

    def check(self, options: Options) -> Iterator[str]:
        """Ask which outcomes it knows, and whether it is well; see Sink."""
        with connected(options.url, options) as http:
            server = _Server(options.url, http)
            words = server.outcomes()
            yield f"a ResultsDB that knows {', '.join(words)}"
            if unknown := [word for word in Outcome if word not in words]:
                yield f"does not know {', '.join(unknown)}: results with these outcomes will be parked"
            if not server.well():
                raise SinkUnavailableError(f"{server.url}/healthcheck: it is not well")
            yield "is well"


class _Server:
    """A ResultsDB, as far as a sink speaks with it."""

    def __init__(self, url: str, http: SourceSession) -> None:
        self.url = url.rstrip("/")
        self._http = http

    def post(self, body: bytes, key: str) -> None:
        """Post one result. Raises SinkUnavailableError, SinkRefusedError."""
        reply = self._post(body, key)
        if reply.status_code == 500 and self.well():
            reply = self._post(body, key)
            if reply.status_code == 500:  # well, and yet this result breaks it, twice
                raise SinkRefusedError(f"{self._said(reply)}, while it is well")
        status = reply.status_code
        if status in _NOT_THE_RESULTS_FAULT:
            raise SinkUnavailableError(f"{self.url}: HTTP {status}: {_NOT_THE_RESULTS_FAULT[status]}")
        if status >= 500 or status < 200:
            raise SinkUnavailableError(self._said(reply))
        if status >= 400:
            raise SinkRefusedError(self._said(reply))
        if "id" not in _object(reply):
            raise SinkUnavailableError(f"{self.url}: HTTP {status} without a result: {_NO_RESULTSDB}")

    def outcomes(self) -> list[str]:
        """Return the outcomes that it knows. Raises SinkUnavailableError."""
        with as_ours():
            about = self._http.get_json(self.url)
        words = about.get("outcomes") if isinstance(about, dict) else None
        if not isinstance(words, list):
            raise SinkUnavailableError(f"{self.url}: {_NO_RESULTSDB}")
        return [str(word) for word in words]

    def well(self) -> bool:
        """Ask whether it can read its database."""
        try:
            return self._http.request("GET", f"{self.url}/healthcheck").status_code == 200
        except CollectError:
            return False

    def _post(self, body: bytes, key: str) -> requests.Response:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        with as_ours():
            return self._http.request("POST", f"{self.url}/results", data=body, headers=headers)

    def _said(self, reply: requests.Response) -> str:
        said = refusal_in(_object(reply)) or shown(reply.text[:80])
        return f"{self.url}: HTTP {reply.status_code}: {said}"


def _object(reply: requests.Response) -> dict[str, Any]:
    """Return the JSON object of an answer, {} where it is none."""
    try:
        found = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
