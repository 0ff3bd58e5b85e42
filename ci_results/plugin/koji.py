"""Koji (https://koji.build): asks its hub by XML-RPC what a build was made of, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..domain.build import Build
from ..errors import InvalidError, SourceGarbledError, SourceRefusedError, shown
from .contract import Lookup

if TYPE_CHECKING:
    from .http import SourceSession

_NVR = re.compile(r"[\w.+~^-]+-[\w.+~^]+-[\w.+~^]+", re.ASCII)
MAX_LENGTH = 300


@dataclass(frozen=True, kw_only=True)
class KojiOptions:
    """`url` is the address of the hub: "https://koji.example/kojihub"."""

    url: str


class Koji(Lookup[KojiOptions]):
    """Builds of a Koji; a build is known by its name, version and release."""

    name = "koji"
    options = KojiOptions

    def build(self, options: KojiOptions, nvr: str, http: SourceSession) -> Build | None:
        """Ask getBuild. Raises InvalidError for what is no NVR, CollectError."""
        if not _NVR.fullmatch(nvr) or len(nvr) > MAX_LENGTH:
            raise InvalidError(f"Invalid NVR format: {nvr[:MAX_LENGTH]!r}")
        found = call(http, options.url, "getBuild", nvr)
        if found is None:
            return None
        try:
            return _build(found, options.url)
        except (KeyError, TypeError, AttributeError, ValueError) as err:
            told = f"{options.url}: getBuild {nvr} answers what is no build: {shown(found)}"
            raise SourceGarbledError(told) from err


def call(http: SourceSession, url: str, method: str, *arguments: Any) -> Any:
    """Call a method by XML-RPC and return its answer. Raises CollectError; a fault is SourceRefusedError."""
    import xmlrpc.client  # 20 ms, which only those pay who ask a hub
    from xml.parsers import expat

    from .http_answer import refusal

    body = xmlrpc.client.dumps(arguments, method, encoding="utf-8", allow_none=True)
    headers = {"Content-Type": "text/xml", "Accept": "text/xml"}
    answer = http.request("POST", url, data=body.encode(), headers=headers)
    if (error := refusal(answer, None, False)) is not None:
        raise error
    try:
        _refuse_definitions(answer.content)
        (found,), _ = xmlrpc.client.loads(answer.content.decode("utf-8"), use_builtin_types=True)
    except xmlrpc.client.Fault as err:
        raise SourceRefusedError(f"{url}: {method}: {' '.join(str(err.faultString).split())[:200]}") from err
    except (xmlrpc.client.Error, expat.ExpatError, ValueError, TypeError, LookupError, AttributeError) as err:
        raise SourceGarbledError(f"{url}: {method}: no answer in XML-RPC: {shown(str(err))}") from err
    return found


def _refuse_definitions(body: bytes) -> None:
    """Refuse what XML-RPC never has, and what entities would grow from."""
    from xml.parsers import expat

    def refuse(*_: object) -> None:
        raise ValueError("a document type has no place in XML-RPC")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(body, True)


def _build(found: dict[str, Any], url: str) -> Build:
    extra = found.get("extra") or {}
    given = extra.get("source") or {} if isinstance(extra, dict) else {}
    source = found.get("source") or (given.get("original_url") if isinstance(given, dict) else None)
    return Build(
        nvr=f"{found['name']}-{found['version']}-{found['release']}",
        component=str(found["name"]),
        version=str(found["version"]),
        release=str(found["release"]),
        epoch=found.get("epoch") if isinstance(found.get("epoch"), int) else None,
        source=source if isinstance(source, str) and source else None,
        owner=found.get("owner_name") if isinstance(found.get("owner_name"), str) else None,
        built_at=_time(found.get("creation_ts"), found.get("creation_time")),
        task_id=found.get("task_id") if isinstance(found.get("task_id"), int) else None,
        told_by=url,
    )


def _time(stamp: object, text: object) -> datetime | None:
    """Read seconds since 1970, else "2026-01-02 03:04:05.678" without a zone, which is UTC."""
    try:
        if isinstance(stamp, (int, float)) and not isinstance(stamp, bool):
            return datetime.fromtimestamp(stamp, UTC)
        if isinstance(text, str):
            read = datetime.fromisoformat(text)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
