"""Fetcher: files from hosts that the configuration names, bounded and remembered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from ...domain.reach import Reach
from ...errors import CollectError, ConfigError, SourceGarbledError, SourceRefusedError, shown
from ...plugin.http import SourceSession
from ...plugin.http_answer import refusal
from ...plugin.http_origin import Origin, origin
from .kept import Kept

E = TypeVar("E", bound=Exception)

ABSENT = frozenset({404, 410})
_ENTRY_BYTES = 2_000
"""What an entry without a text takes."""


class _Answer(NamedTuple):
    """What an address gave: a file, or none, or why it could not be told."""

    text: bytes | None = None
    conditions: tuple[tuple[str, str], ...] = ()
    error: CollectError | None = None


class Fetcher:
    """Fetches files. A file that is not there and a host that does not tell are never the same.

    templates  addresses with {placeholders} whose hosts may be asked, beside those of `reach`
    """

    def __init__(self, session: SourceSession, reach: Reach, templates: Iterable[str] = ()) -> None:
        self._session, self._reach = session, reach
        self._hosts = _origins(reach.hosts, templates)
        self._kept: Kept[str, _Answer] = Kept(reach.kept_bytes, _weight)

    def fetch(self, url: str) -> bytes | None:
        """Return the file at `url`, None where the host says that there is none.

        Raises SourceRefusedError for a host that may not be asked, or that refuses;
        SourceUnavailableError, SourceGarbledError.
        """
        self._check(url)
        answer = self._kept.get(url, lambda before: self._ask(url, before))
        if answer.error is not None:
            raise again(answer.error)
        return answer.text

    def _check(self, url: str) -> None:
        goal = origin(url)
        if "@" in urlsplit(url).netloc:
            raise SourceRefusedError(f"{url.partition('?')[0]}: an address of rules names no user")
        if goal not in self._hosts:
            scheme, host, port = goal
            raise SourceRefusedError(
                f"{scheme}://{host}:{port} may not be asked for rules; "
                f"if it should be, add it to hosts of [gate.remote]"
            )

    def _ask(self, url: str, before: _Answer | None) -> tuple[_Answer, float]:
        reach = self._reach
        known = before if before is not None and before.text is not None else None
        try:
            answer = self._session.get(url, headers=dict(known.conditions) if known else {})
            if answer.status_code == 304 and known is not None:
                return known, reach.ttl_s
            if answer.status_code in ABSENT:
                return _Answer(), reach.missing_ttl_s
            error = refusal(answer, None, False)
            if error is None and answer.status_code != 200:
                error = SourceGarbledError(f"{url}: HTTP {answer.status_code} instead of a file")
            if error is not None:
                return _Answer(error=error), reach.error_ttl_s
        except CollectError as err:
            return _Answer(error=err), reach.error_ttl_s
        etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
        conditions = (("If-None-Match", etag),) if etag else ()
        if not etag and modified:
            conditions = (("If-Modified-Since", modified),)
        return _Answer(answer.content, conditions), reach.ttl_s


def again(error: E) -> E:
    """Return an exception like one that is kept: one that is raised twice would gather its tracebacks."""
    fresh = type(error)(str(error))
    if isinstance(error, CollectError) and isinstance(fresh, CollectError):
        fresh.status = error.status
    return fresh


def _weight(answer: _Answer) -> int:
    return _ENTRY_BYTES + len(answer.text or b"")


def _origins(hosts: Iterable[str], templates: Iterable[str]) -> frozenset[Origin]:
    found = set()
    for host in hosts:
        url = host if "://" in host else f"https://{host}"
        try:
            parts = urlsplit(url)
            if " " in host or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
                raise SourceGarbledError("no host")
            found.add(origin(url))
        except (SourceGarbledError, ValueError) as err:
            raise ConfigError(
                f"[gate.remote] hosts: {shown(host)} is no host; write src.example, or http://src.example:8080"
            ) from err
    for template in templates:
        try:
            if "{" in urlsplit(template).netloc:
                raise SourceGarbledError("a placeholder in the host")
            found.add(origin(template))
        except (SourceGarbledError, ValueError) as err:
            raise ConfigError(
                f"[gate] {shown(template)}: an address of rules must begin with https:// and a host"
            ) from err
    return frozenset(found)
