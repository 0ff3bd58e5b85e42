"""Provider: where an OIDC provider answers and who we are there, from a file in ResultsDB's form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import ConfigError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What the file says under "web". `jwks_uri` is ours: without it the issuer is asked for it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    token_introspection_uri: str
    auth_uri: str | None = None
    token_uri: str | None = None
    jwks_uri: str | None = None
    redirect_uris: tuple[str, ...] = ()

    @property
    def metadata_uri(self) -> str:
        """Where the issuer describes itself."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


def read_provider(path: Path) -> Provider:
    """Read `client_secrets`. Raises ConfigError that names file and key, and no secret."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise ConfigError(f"{path}: cannot be read as JSON: {err}") from err
    table = whole.get("web") if isinstance(whole, dict) else None
    if not isinstance(table, dict):
        raise ConfigError(f'{path}: must be {{"web": {{...}}}}')
    return Provider(
        issuer=_address(table, "issuer", path),
        client_id=_text(table, "client_id", path),
        client_secret=_text(table, "client_secret", path),
        token_introspection_uri=_address(table, "token_introspection_uri", path),
        auth_uri=_address(table, "auth_uri", path) if "auth_uri" in table else None,
        token_uri=_address(table, "token_uri", path) if "token_uri" in table else None,
        jwks_uri=_address(table, "jwks_uri", path) if "jwks_uri" in table else None,
        redirect_uris=_redirects(table.get("redirect_uris", []), path),
    )


def _text(table: Mapping[str, Any], key: str, path: Path) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{path}: web.{key} must be a text" + ("" if key in table else ", and is missing"))
    return value


def _address(table: Mapping[str, Any], key: str, path: Path) -> str:
    """Return an address that secrets may be sent to: https, or on this machine."""
    value = _text(table, key, path)
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and _is_here(parts.hostname or ""):
        return value
    raise ConfigError(f"{path}: web.{key} must be https://..., got {shown(value)}")


def _redirects(value: object, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError(f"{path}: web.redirect_uris must be a list of texts")
    for each in value:
        parts = urlsplit(each)
        if parts.scheme not in ("http", "https") or not parts.netloc or len(parts.path) < 2:
            wanted = "addresses like https://HOST/auth/callback"
            raise ConfigError(f"{path}: web.redirect_uris must be {wanted}, got {shown(each)}")
    return tuple(value)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
