"""Blank what is private in recorded exchanges: secrets, e-mail addresses, names of people and hosts.

The same input always gets the same blank, in URLs, headers and bodies alike, so that a recording
still holds together. Two passes: learn from every exchange first, then blank; a token that one answer
names as such is then gone from all the others too.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, unquote_plus, urlsplit, urlunsplit

from . import shapes
from .exchange import Exchange

OWN_HOST = "source.test"
_EVERYWHERE = 6
"""A secret of at least so many characters is blanked wherever it stands; a shorter one where it is named."""


class Blanker:
    """Blanks exchanges; `url` is the source's own address, whose origin becomes `https://source.test`.

    `secrets` are values known beforehand, e.g. the token that the harvest was given.
    """

    def __init__(self, url: str = "", secrets: Iterable[str] = ()) -> None:
        self._blanks: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._patterns: tuple[re.Pattern[str], re.Pattern[str]] | None = None
        host = (urlsplit(url).hostname or "").lower()
        self._own = _origin_pattern(url)
        if host and not shapes.is_reserved_host(host):
            self._blanks["host", host] = OWN_HOST
            self._spread_host(host)
        for secret in secrets:
            self._learn_secret(secret)

    @property
    def blanked(self) -> dict[str, int]:
        """How many different things were blanked, by kind: {"secret": 2, "host": 3}."""
        found: dict[str, int] = {}
        for kind, _ in self._blanks:
            found[kind] = found.get(kind, 0) + 1
        return found

    def learn(self, exchange: Exchange, sent_headers: Mapping[str, str] | None = None) -> None:
        """Note what is private in `exchange`, and in the headers that were sent for it."""
        for name, value in [*(sent_headers or {}).items(), *exchange.headers.items()]:
            self._learn_header(name.lower(), str(value))
        self._learn_text(exchange.url)
        self._learn_text(unquote_plus(urlsplit(exchange.url).query))
        if exchange.sent:
            self._learn_text(exchange.sent)
            self._learn_text(unquote_plus(exchange.sent))
        document = _json_of(exchange)
        if document is None:
            self._learn_text(exchange.body.decode("utf-8", "surrogateescape"))
        else:
            self._learn_json(document)

    def exchange(self, exchange: Exchange) -> Exchange:
        """Return `exchange` without anything private. What is packed (an archive) is left out whole."""
        headers = {
            name: self.text(value)
            for name, value in exchange.headers.items()
            if name.lower() in shapes.KEPT_HEADERS
        }
        return replace(
            exchange,
            url=self.url(exchange.url),
            sent=None if exchange.sent is None else self._sent(exchange.sent),
            headers=headers,
            body=self._body(exchange),
        )

    def url(self, url: str) -> str:
        """Return `url` blanked, its parts decoded first, so that an encoded address does not slip through."""
        parts = urlsplit(url)
        start = self.text(urlunsplit((parts.scheme, parts.netloc, "", "", ""))) if parts.netloc else ""
        path = "/".join(self._part(each, unquote, "%:@!$&'()*+,;=~") for each in parts.path.split("/"))
        path = shapes.USER_PATH.sub(lambda found: self._blank("user", found[0]), path)
        pairs = [each.partition("=") for each in parts.query.split("&")] if parts.query else []
        query = "&".join(name + equals + self._argument(name, value) for name, equals, value in pairs)
        return start + urlunsplit(("", "", path, query, ""))

    def text(self, text: str) -> str:
        """Return `text` blanked."""
        if self._patterns is None:
            self._patterns = (
                re.compile(_any_of(self._known)),
                re.compile(rf"(?<![\w.-])(?:{_any_of(self._hosts)})(?![\w-]|\.\w)", re.IGNORECASE),
            )
        secrets, hosts = self._patterns
        text = secrets.sub(lambda found: self._known[found[0]], text)
        text = shapes.BY_SHAPE.sub(lambda found: self._blank("secret", found[0]), text)
        for pattern in (shapes.NAMED, shapes.ELEMENT, shapes.ATTRIBUTES, shapes.SCHEME):
            text = pattern.sub(self._named, text)
        text = self._own.sub(f"https://{OWN_HOST}", text)
        text = shapes.AUTHORITY.sub(self._authority, text)
        text = shapes.EMAIL.sub(lambda found: self._blank("e-mail", _plain_email(found[0])), text)
        text = hosts.sub(lambda found: self._hosts[found[0].lower()], text)
        text = shapes.HOST.sub(lambda found: self._host(found[0]), text)
        text = shapes.IP.sub(lambda found: self._address(found[0]), text)
        text = shapes.USER_PATH.sub(lambda found: self._blank("user", found[0]), text)
        return shapes.STARTED_BY.sub(lambda found: found[1] + self._blank("user", found[2]), text)

    # -- learning ----------------------------------------------------------------------------

    def _learn_header(self, name: str, value: str) -> None:
        if name in shapes.HIDDEN_HEADERS:
            for part in re.split(r"[\s;,]+", value):
                for piece in (part, part.partition("=")[2]):
                    self._learn_secret(piece.strip('"'))
                    for inner in _decoded(piece):
                        self._learn_secret(inner)
        elif shapes.is_secret_name(name):
            self._learn_secret(value)
        else:
            self._learn_text(value)

    def _learn_json(self, value: Any, name: str = "") -> None:
        if isinstance(value, dict):
            named = value.get("name")
            for key, inner in value.items():
                secret_pair = key == "value" and isinstance(named, str) and shapes.is_secret_name(named)
                self._learn_json(inner, named if secret_pair and isinstance(named, str) else key)
        elif isinstance(value, list):
            for inner in value:
                self._learn_json(inner, name)
        elif isinstance(value, str):
            if name and shapes.is_secret_name(name):
                self._learn_secret(value)
            self._learn_text(value)

    def _learn_text(self, text: str) -> None:
        for pattern in (shapes.NAMED, shapes.ELEMENT, shapes.ATTRIBUTES, shapes.SCHEME):
            for found in pattern.finditer(text):
                if shapes.is_secret_name(found["name"]) or pattern is shapes.SCHEME:
                    self._learn_secret(found["value"].strip())
        for found in shapes.AUTHORITY.finditer(text):
            for secret in (found["who"] or "").split(":"):
                self._learn_secret(unquote(secret))
            self._host(found["host"])
        for found in shapes.HOST.finditer(text):
            self._host(found[0])

    def _learn_secret(self, value: str) -> None:
        if value.lower() in shapes.PLACEHOLDERS or len(value) < _EVERYWHERE or value.startswith("blank-"):
            return
        blank = self._blank("secret", value)
        packed = base64.b64encode(value.encode("utf-8", "replace")).decode("ascii")
        escaped = json.dumps(value)[1:-1]
        for form in (
            value,
            quote(value, safe=""),
            escaped,
            value.replace("&", "&amp;"),
            packed,
            packed.rstrip("="),
        ):
            if form not in self._known:
                self._known[form] = blank
                self._patterns = None

    # -- blanking ----------------------------------------------------------------------------

    def _blank(self, kind: str, value: str) -> str:
        """Return the blank of `value`, a new one where it is new."""
        if value.startswith("blank-") or (
            kind == "e-mail" and shapes.is_reserved_host(value.partition("@")[2])
        ):
            return value
        made = self._blanks.get((kind, value))
        if made is None:
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            made = _BLANKS[kind](number)
            self._blanks[kind, value] = made
        return made

    def _named(self, found: re.Match[str]) -> str:
        name, value = found["name"], found["value"].strip()
        if not (shapes.is_secret_name(name) or name.lower() in ("bearer", "basic")):
            return found[0]
        if value.lower() in shapes.PLACEHOLDERS or value.startswith("blank-"):
            return found[0]
        return found[0].replace(found["value"], self._blank("secret", value))

    def _authority(self, found: re.Match[str]) -> str:
        return found["scheme"] + ("blank-secret@" if found["who"] else "") + self._host(found["host"])

    def _host(self, host: str) -> str:
        bare = host.strip("[]").lower()
        if shapes.private_address(bare):
            return host.replace(host.strip("[]"), self._address(bare))
        if shapes.is_reserved_host(bare) or not re.search("[a-z]", bare) or ":" in bare:
            return host
        new = ("host", bare) not in self._blanks
        blank = self._blank("host", bare)
        if new:
            self._spread_host(bare)
        return blank

    def _spread_host(self, host: str) -> None:
        """Blank a host's name without its URL too, and its first label where it is no common word."""
        blank = self._blanks["host", host]
        first, dot, _ = host.partition(".")
        names = [host] if dot else []
        if re.search(r"[\d-]", first) and len(first) >= 4:
            names.append(first)
        for name in names:
            self._hosts.setdefault(name, blank)
        self._patterns = None

    def _address(self, text: str) -> str:
        address = shapes.private_address(text)
        if address is None:
            return text
        return self._blank(f"IPv{address.version} address", str(address))

    def _argument(self, name: str, value: str) -> str:
        if (
            shapes.is_secret_name(unquote_plus(name))
            and unquote_plus(value).lower() not in shapes.PLACEHOLDERS
        ):
            return self._blank("secret", unquote_plus(value))
        return self._part(value, unquote_plus, "%:@!$'()*,;~/[]{}")

    def _part(self, encoded: str, decode: Callable[[str], str], safe: str) -> str:
        plain = decode(encoded)
        blanked = self.text(plain)
        return encoded if blanked == plain else quote(blanked, safe=safe.replace("%", ""))

    def _sent(self, sent: str) -> str:
        try:
            return json.dumps(self._json(json.loads(sent)))
        except ValueError:
            pairs = [each.partition("=") for each in sent.split("&")]
            return "&".join(name + equals + self._argument(name, value) for name, equals, value in pairs)

    def _body(self, exchange: Exchange) -> bytes:
        document = _json_of(exchange)
        if document is not None:
            return json.dumps(self._json(document), ensure_ascii=False).encode("utf-8", "surrogatepass")
        if _is_packed(exchange.body):
            return b""
        text = exchange.body.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")

    def _json(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            named = value.get("name")
            person = "absoluteUrl" in value or "email" in value
            return {
                self.text(key): self._json(
                    inner,
                    named
                    if key == "value" and isinstance(named, str) and shapes.is_secret_name(named)
                    else "userName"
                    if person and key == "fullName"
                    else key,
                )
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._json(inner, name) for inner in value]
        secret = bool(name) and shapes.is_secret_name(name)
        if isinstance(value, int) and not isinstance(value, bool) and secret and abs(value) >= 1000:
            return 0
        if not isinstance(value, str) or not value:
            return value
        if secret and value.lower() not in shapes.PLACEHOLDERS:
            return self._known.get(value) or self._blank("secret", value)
        if name and shapes.is_user_name(name):
            return self._blank("user", value)
        return self.text(value)


def _ipv4(number: int) -> str:
    net = ("192.0.2", "198.51.100", "203.0.113")[number // 254 % 3]
    return f"{net}.{number % 254 + 1}"


_BLANKS: dict[str, Callable[[int], str]] = {
    "secret": lambda number: f"blank-secret-{number}",
    "e-mail": lambda number: f"person-{number}@mail.test",
    "host": lambda number: f"host-{number}.test",
    "user": lambda number: f"blank-user-{number}",
    "IPv4 address": _ipv4,
    "IPv6 address": lambda number: str(ipaddress.IPv6Address("2001:db8::") + number),
}


def _origin_pattern(url: str) -> re.Pattern[str]:
    """Match the origin of `url`, with credentials or without; nothing where the host is reserved."""
    parts = urlsplit(url)
    if not parts.hostname or shapes.is_reserved_host(parts.hostname):
        return re.compile(r"(?!)")
    usual = {"https": "443", "http": "80"}.get(parts.scheme, "")
    port = f":{parts.port}" if parts.port and str(parts.port) != usual else f"(?::{usual})?"
    host = re.escape(f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname)
    who = r"(?:[^\s/@\"'<>\\]{1,300}@)?"
    return re.compile(rf"{re.escape(parts.scheme)}://{who}{host}{port}(?![\w.:-])", re.IGNORECASE)


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)"


def _plain_email(written: str) -> str:
    return re.sub(shapes.AT, "@", written).lower()


def _json_of(exchange: Exchange) -> Any:
    """Return the answer's JSON, None where it is none."""
    if exchange.body[:1] not in (b"{", b"[", b" ", b"\n", b"\r", b"\t", b'"'):
        return None
    try:
        return json.loads(exchange.body)
    except ValueError:
        return None


def _decoded(text: str) -> list[str]:
    """Return what Basic credentials hold: the pair, the user, the password."""
    try:
        pair = base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return []
    return [pair, *pair.split(":")] if ":" in pair else []


def _is_packed(body: bytes) -> bool:
    """Say whether a body is no text at all: it cannot be searched, so it must not be kept."""
    return b"\0" in body[:4096] or body[:2] in (b"\x1f\x8b", b"PK", b"BZ") or body[:6] == b"\xfd7zXZ\0"
