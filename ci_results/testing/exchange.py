"""Exchange: one request and what a server answered to it, as a JSON file that people can read."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from ..errors import ConfigError

ABOUT = "about.json"
"""Says what the recording of a folder holds; every other .json file there is an exchange."""

_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_TEXT = re.compile(r"^text/|json|xml|javascript|yaml|x-www-form-urlencoded", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer.

    url      whole, with its query: "https://widget.test/api/runs?limit=100"
    sent     body of the request, or None
    headers  of the answer, those that a collector may depend on
    body     of the answer, decoded from any transfer or content coding
    name     where it was read from: "get-api-runs-3f29ab.json", for messages
    """

    method: str = "GET"
    url: str
    sent: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    name: str = ""

    @property
    def asked(self) -> str:
        """The request as it is compared: "GET https://widget.test/api/runs?limit=100"."""
        return asked(self.method, self.url, self.sent)

    @property
    def is_json(self) -> bool:
        """Whether the answer calls itself JSON."""
        return bool(_JSON.search(self.content_type))

    @property
    def is_text(self) -> bool:
        """Whether the answer calls itself a kind of text."""
        return bool(_TEXT.search(self.content_type))

    @property
    def content_type(self) -> str:
        """The answer's Content-Type, "" without one."""
        return next((value for name, value in self.headers.items() if name.lower() == "content-type"), "")


def asked(method: str, url: str, sent: str | None = None) -> str:
    """Return the form in which two requests are compared: same path, same query in any order, same body."""
    parts = urlsplit(url)
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)), quote_via=quote)
    path = quote(unquote(parts.path), safe="/%:@!$&'()*+,;=~") or "/"
    place = urlunsplit((parts.scheme.lower(), parts.netloc.lower(), path, query, ""))
    return f"{method.upper()} {place}" + (f" {sent}" if sent else "")


def load(folder: Path) -> list[Exchange]:
    """Read the exchanges of `folder`, by file name. Raises ConfigError that names the file."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no recording here; write one with `ci-results plugin record`")
    found = [_read(path) for path in sorted(folder.glob("*.json"), key=_in_turn) if path.name != ABOUT]
    if not found:
        raise ConfigError(f"{folder}: holds no exchange; write some with `ci-results plugin record`")
    return found


def load_about(folder: Path) -> dict[str, Any]:
    """Read what `folder` says about itself, {} where it says nothing."""
    path = folder / ABOUT
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def save(exchanges: Iterable[Exchange], folder: Path, about: Mapping[str, Any]) -> list[Path]:
    """Write one file an exchange into `folder`, replacing the recording there; return their paths.

    A request that was answered more than once keeps its answers in their order, as NAME.json,
    NAME.2.json, NAME.3.json; answers that say the same as the one before are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    (folder / ABOUT).write_text(_pretty(about), encoding="utf-8")
    paths: list[Path] = []
    newest: dict[str, tuple[int, str]] = {}
    for exchange in exchanges:
        text = _pretty(to_json(exchange))
        count, before = newest.get(exchange.asked, (0, ""))
        if text == before:
            continue
        newest[exchange.asked] = (count + 1, text)
        path = folder / (file_name(exchange) + (f".{count + 1}" if count else "") + ".json")
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def file_name(exchange: Exchange) -> str:
    """Return a readable name that the same request always gets: "get-api-runs-3f29ab"."""
    path = re.sub(r"[^A-Za-z0-9]+", "-", unquote(urlsplit(exchange.url).path)).strip("-").lower()
    digest = hashlib.sha256(exchange.asked.encode()).hexdigest()[:8]
    return f"{exchange.method.lower()}-{path[:60].rstrip('-') or 'root'}-{digest}"


def to_json(exchange: Exchange) -> dict[str, Any]:
    """Return `exchange` as its file holds it, the body as `json`, else `text`, else `base64`."""
    request: dict[str, Any] = {"method": exchange.method, "url": exchange.url}
    if exchange.sent is not None:
        request["body"] = exchange.sent
    answer: dict[str, Any] = {"status": exchange.status, "headers": dict(exchange.headers)}
    return {"request": request, "response": answer | _body_to_json(exchange)}


def _body_to_json(exchange: Exchange) -> dict[str, Any]:
    try:
        text = exchange.body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(exchange.body).decode("ascii")}
    if exchange.is_json:
        try:
            return {"json": json.loads(text)}
        except ValueError:
            return {"text": text}
    return {"text": text} if text else {}


def _in_turn(path: Path) -> tuple[str, int]:
    """NAME.json is the first answer, NAME.2.json the second, NAME.10.json the tenth."""
    name, dot, number = path.stem.rpartition(".")
    return (name, int(number)) if dot and number.isdigit() else (path.stem, 1)


def _read(path: Path) -> Exchange:
    try:
        file = json.loads(path.read_text(encoding="utf-8"))
        request, answer = file["request"], file["response"]
        return Exchange(
            method=request.get("method", "GET"),
            url=request["url"],
            sent=request.get("body"),
            status=answer.get("status", 200),
            headers=dict(answer.get("headers", {})) or _headers_of(answer),
            body=_body_from_json(answer),
            name=path.name,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise ConfigError(f"{path}: is no recorded exchange: {type(err).__name__}: {err}") from err


def _headers_of(answer: Mapping[str, Any]) -> dict[str, str]:
    return {"Content-Type": "application/json" if "json" in answer else "text/plain; charset=utf-8"}


def _body_from_json(answer: Mapping[str, Any]) -> bytes:
    if "json" in answer:
        return json.dumps(answer["json"], ensure_ascii=False).encode("utf-8", "surrogatepass")
    if "base64" in answer:
        return base64.b64decode(answer["base64"])
    return str(answer.get("text", "")).encode("utf-8")


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
