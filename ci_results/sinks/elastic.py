"""The sink `elastic`: documents for Elasticsearch and OpenSearch, by their bulk API or in files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson

from ..domain.happening import KINDS
from ..errors import DeliveryError, InvalidError, SinkRefusedError, SinkUnavailableError, shown
from ..plugin.contract import Sink
from ..wire.elastic import (
    BEGINNING,
    By,
    Document,
    Engine,
    Place,
    faults,
    of_happening,
    of_result,
    reason,
    template,
)
from .appending import append, told
from .connecting import as_ours, connected

if TYPE_CHECKING:
    import requests

    from ..domain.batch import Batch
    from ..domain.happening import Happening
    from ..domain.receipt import Receipt
    from ..plugin.http import SourceSession

MOST_BYTES = 8 << 20
"""Of one request, where it has more than one document; both engines ask for 5 to 15 MB."""

_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_NONE = "no Elasticsearch or OpenSearch answers there; url is that of the server: https://search.example:9200"
_NOT_THE_DOCUMENTS_FAULT = {
    401: "the user, password or key is wrong, expired or missing (user, token_env, token_file)",
    403: "the user or key may not write there; grant it create_index and index for the prefix",
    404: _NONE,
    405: _NONE,
    406: _NONE,
    415: _NONE,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`url` is the server's address, or `path` a folder: one of them.

    prefix      indices are called PREFIX-result-2026.03, PREFIX-waiver-..., PREFIX-decision-...
    by          how much time an index holds, by when a test ended
    engine      what the template is written for
    user        of whom the token is the password
    token_env, token_file  where the token is
    token_kind  what the token is where there is no user: an API key, or a bearer token
    timeout_s   of one request
    ca          file of certificates to trust
    verify      false = trust any certificate
    """

    url: str | None = None
    path: Path | None = None
    prefix: str = "ci-results"
    by: By = "month"
    engine: Engine = "elasticsearch"
    user: str | None = None
    token_env: str | None = None
    token_file: str | None = None
    token_kind: Literal["ApiKey", "Bearer"] = "ApiKey"  # noqa: S105
    timeout_s: float = 60.0
    ca: str | None = None
    verify: bool = True

    def __post_init__(self) -> None:
        if (self.url is None) == (self.path is None):
            raise ValueError("give url, of the server, or path, of a folder for files: one of them")
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"prefix must be lower case letters, digits, . _ and -: {shown(self.prefix)}")

    @property
    def place(self) -> Place:
        """Where documents go."""
        return Place(self.prefix, self.by)


class Elastic(Sink[Options]):
    """Delivers at least once; a result is one document, of the name of its identity, whatever comes again.

    A later state of a result replaces the document of the earlier one, never the other way round: the
    time of receipt is its version. Where their tests ended in two months, they are in two indices.
    """

    name = "elastic"
    options = Options
    takes = frozenset(KINDS)

    def deliver(self, options: Options, batch: Batch) -> None:
        """Hand over a document for each result; see Sink."""
        receipts: Iterable[Receipt | None] = batch.receipts or repeat(None)
        _hand_over(
            options,
            [of_result(one, seen, options.place) for one, seen in zip(batch, receipts, strict=False)],
        )

    def announce(self, options: Options, happenings: Sequence[Happening]) -> None:
        """Hand over a document for each; see Sink."""
        _hand_over(options, [of_happening(each, options.place) for each in happenings])

    def check(self, options: Options) -> Iterator[str]:
        """Ask which server it is, and whether it has the template; see Sink."""
        if options.path is not None:
            if not os.access(options.path, os.W_OK):
                raise SinkUnavailableError(f"{options.path}: no folder that may be written; make it first")
            yield f"{options.path} is a folder"
            return
        with connected(str(options.url), options, user=options.user, scheme=options.token_kind) as http:
            yield from _Server(str(options.url), http).look(options)

    def template(self, options: Options) -> str:
        """Return the index template, as JSON; see Sink."""
        return json.dumps(template(options.prefix, options.engine), indent=2)


def _hand_over(options: Options, documents: Sequence[Document]) -> None:
    if options.path is not None:
        _write(options.path, documents)
        return
    with connected(str(options.url), options, user=options.user, scheme=options.token_kind) as http:
        server = _Server(str(options.url), http)
        done = 0
        for part in _parts(documents):
            try:
                server.take(part)
            except DeliveryError as err:
                if err.delivered is not None:
                    err.delivered += done
                raise
            done += len(part)


def _parts(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    """Cut into requests that are not too large."""
    start = size = 0
    for number, document in enumerate(documents):
        if number > start and size + len(document.lines) > MOST_BYTES:
            yield documents[start:number]
            start, size = number, 0
        size += len(document.lines)
    yield documents[start:]


def _write(folder: Path, documents: Sequence[Document]) -> None:
    """Append each to the file of its index."""
    to = attrgetter("to")
    with told(folder / "."):
        for index, these in groupby(sorted(documents, key=to), key=to):
            lines = [document.lines for document in these]
            append(folder / f"{index}.ndjson", BEGINNING, lines, once=True, pairs=True)


class _Server:
    """A search engine, as far as a sink speaks with it."""

    def __init__(self, url: str, http: SourceSession) -> None:
        self._url = url.rstrip("/")
        self._http = http

    def take(self, documents: Sequence[Document]) -> None:
        """Send these in one request. Raises DeliveryError of the first that failed."""
        with as_ours():
            reply = self._http.request(
                "POST",
                f"{self._url}/_bulk",
                data=b"".join(document.lines for document in documents),
                headers={"Content-Type": "application/x-ndjson"},
            )
        self._refuse(reply)
        try:
            found = faults(_json(reply), len(documents))
        except InvalidError as err:
            raise SinkUnavailableError(f"{self._url}: {_NONE}: {err}") from err
        for number, fault in enumerate(found):
            if fault is not None:
                kind = SinkUnavailableError if fault.away else SinkRefusedError
                raise kind(f"{self._url}: {fault.said}", delivered=number)

    def look(self, options: Options) -> Iterator[str]:
        """Say which server it is, and whether it knows how to index."""
        with as_ours():
            about = self._http.get_json(self._url)
            version = about.get("version") if isinstance(about, dict) else None
            if not isinstance(version, dict):
                raise SinkUnavailableError(f"{self._url}: {_NONE}")
            engine = version.get("distribution", "elasticsearch")
            yield f"{engine} {version.get('number')}"
            if engine != options.engine:
                yield f"the template is for {options.engine}: set engine = {shown(engine)}"
            there = self._http.request("GET", f"{self._url}/_index_template/{options.prefix}").status_code
        if there != 200:
            yield "has no template for these indices: ci-results sink template prints it"
        else:
            yield "has the template"

    def _refuse(self, reply: requests.Response) -> None:
        """Raise what the answer to a whole request calls for; all of it waits, or is tried in halves."""
        status = reply.status_code
        if status in _NOT_THE_DOCUMENTS_FAULT:
            raise SinkUnavailableError(f"{self._url}: HTTP {status}: {_NOT_THE_DOCUMENTS_FAULT[status]}")
        if status >= 500 or status < 200:
            raise SinkUnavailableError(self._said(reply))
        if status >= 400:
            raise SinkRefusedError(self._said(reply))

    def _said(self, reply: requests.Response) -> str:
        answer = _json(reply)
        error = answer.get("error") if isinstance(answer, dict) else None
        return f"{self._url}: HTTP {reply.status_code}: {reason(error or reply.text[:80])}"


def _json(reply: requests.Response) -> object:
    try:
        found: object = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return None
    return found
