"""What private things look like: names of fields that hold secrets, and texts that are private by shape."""

from __future__ import annotations

import ipaddress
import itertools
import re

PLACEHOLDERS = {"", "true", "false", "null", "none", "basic", "bearer", "redacted", "hidden", "****", "xxxx"}
"""Values of secret fields that give nothing away."""

_SECRET_WORDS = {
    *(
        "token",
        "tokens",
        "secret",
        "secrets",
        "password",
        "passwd",
        "passphrase",
        "passwort",
        "pwd",
        "pass",
        "pin",
    ),
    *("apikey", "auth", "authorization", "authentication", "credential", "credentials", "cookie", "cookies"),
    *("session", "sessionid", "jsessionid", "crumb", "signature", "sig", "jwt", "otp", "sid", "csrf", "xsrf"),
    *("csrftoken", "accesstoken", "refreshtoken", "privatetoken", "bearer", "pat"),
}
_SECRET_PAIRS = {
    (kind, "key") for kind in ("api", "private", "access", "secret", "auth", "ssh", "account", "signing")
}
_USER_NAMES = {
    "userid",
    "username",
    "user_id",
    "user_name",
    "login",
    "committer",
    "author_name",
    "authorname",
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

HIDDEN_HEADERS = {"authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate"}
"""Headers whose parts are all private."""

KEPT_HEADERS = {
    *("content-type", "link", "location", "etag", "last-modified", "retry-after", "date", "x-jenkins"),
    *(
        "x-jenkins-session",
        "x-total-count",
        "x-total-pages",
        "x-next-page",
        "x-page",
        "x-per-page",
        "x-total",
    ),
    *("x-text-size", "x-more-data", "x-required-permission", "x-ratelimit-remaining", "x-ratelimit-reset"),
}
"""Headers of an answer that a collector may depend on; no other is written down."""

AT = r"(?:@|%40|&#64;|&#x40;|\\u0040)"
EMAIL = re.compile(rf"(?<![\w.+-])[\w.+%'-]{{1,64}}?{AT}(?:[\w-]+\.)+[A-Za-z]{{2,24}}\b", re.ASCII)
AUTHORITY = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,20}:(?:\\?/){2})(?:(?P<who>[^\s/@\"'<>\\]{1,300})@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[\w.-]*\w)",
    re.IGNORECASE | re.ASCII,
)
_FULL = "com|net|org|edu|gov|mil|int|corp|internal|intranet|intra|lan|local|localdomain|home|private"
_MORE = (
    "io|dev|cloud|app|ai|co|eu|de|uk|fr|cz|us|cn|jp|ru|nl|ch|at|be|se|fi|br|au|ca|info|biz|tech|systems|site"
)
HOST = re.compile(
    rf"(?<![\w.@/-])(?:(?:[a-z0-9][\w-]*\.)+(?:{_FULL})|(?:[a-z0-9][\w-]*\.){{2,}}(?:{_MORE}))(?![\w-]|\.\w)",
    re.IGNORECASE | re.ASCII,
)
IP = re.compile(
    r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\w)|(?<![\w:.])[0-9A-Fa-f:]{3,39}(?![\w:.])", re.ASCII
)
STARTED_BY = re.compile(
    r"(?i)(\bstarted by (?:user )?)(?!upstream|timer|an? |remote|github|gitlab)([^\n\r<>\"]{2,60})"
)
USER_PATH = re.compile(r"(?<=/user/)[^/?#\s\"'<>\\]+")

BY_SHAPE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bxox[abeprs]-[\w-]{8,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bsk-[\w-]{20,}|\b(?:npm_|pypi-|dop_v1_|hf_)[\w-]{16,}"
    r"|\b11[0-9a-f]{32}\b",
    re.DOTALL,
)
NAMED = re.compile(
    r"(?P<name>[A-Za-z][\w-]{0,40})(?:\\?[\"'])?(?:\s*[=:]\s*|\s+value=)(?:\\?[\"'])?"
    r"(?P<value>(?:(?:bearer|basic|token)\s+)?[^\s\"'&;,<>\\{}\[\]]{3,4096})",
    re.IGNORECASE | re.ASCII,
)
"""name=value, name: value and "name": "value" within a text; whether the name is secret is asked apart."""

ELEMENT = re.compile(r"<(?P<name>[A-Za-z][\w.-]{0,60})(?:\s[^<>]*)?>(?P<value>[^<]{1,4096})</", re.ASCII)
ATTRIBUTES = re.compile(
    r"\bname=[\"'](?P<name>[^\"']{1,80})[\"']\s+value=[\"'](?P<value>[^\"']{1,4096})[\"']", re.ASCII
)
SCHEME = re.compile(r"(?i)\b(?P<name>bearer|basic)\s+(?P<value>[\w.~+/=-]{8,})")

_RESERVED = re.compile(r"(?:^|\.)(?:localhost|test|example|invalid|example\.(?:com|net|org))$", re.IGNORECASE)
_STANDARDS = {
    "www.w3.org",
    "json-schema.org",
    "schemas.xmlsoap.org",
    "schemas.microsoft.com",
    "maven.apache.org",
}


def is_secret_name(name: str) -> bool:
    """Say whether a field, parameter or header of this name holds a secret: "API_TOKEN", "x-api-key"."""
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SECRET_WORDS for word in words) or any(
        pair in _SECRET_PAIRS for pair in itertools.pairwise(words)
    )


def is_user_name(name: str) -> bool:
    """Say whether a field of this name holds the account of a person: "userId"."""
    return name.lower() in _USER_NAMES


def is_reserved_host(host: str) -> bool:
    """Say whether nobody can own `host` (RFC 2606), or it is a name space of a standard."""
    return bool(_RESERVED.search(host)) or host.lower() in _STANDARDS


def private_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return `text` as an address worth blanking, else None: no loopback, no address for documents."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    harmless = any(address in net for net in _HARMLESS if net.version == address.version)
    return None if harmless or address.is_loopback or address.is_unspecified else address


_HARMLESS = [
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
