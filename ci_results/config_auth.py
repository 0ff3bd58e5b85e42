"""Tables `auth` and `permissions` of ci-results.toml: who is known, and who may do what.

Secrets are never in the file: of a token it has the digest, of the OIDC client the name of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Any, overload
from urllib.parse import urlsplit

from .domain.permission import Permission
from .domain.user import check_user_name
from .errors import ConfigError, shown
from .strict import structure

_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEADER = re.compile(r"[A-Za-z0-9_-]{1,64}")
HIDDEN: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTable:
    """One table of `auth.tokens`: `ci-results token new NAME` writes it.

    name     what the token is called
    sha256   digest of the token, 64 hex digits
    user     who whoever has it is; default: `name`
    groups   of that user
    expires  the last day that it holds, in UTC; default: it holds until the table is gone
    strict   what it submits obeys the rules of our own doors
    """

    name: str
    sha256: str = HIDDEN
    user: str | None = None
    groups: tuple[str, ...] = ()
    expires: date | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        check_user_name(self.name)
        if self.user is not None:
            check_user_name(self.user)
        if not _DIGEST.fullmatch(self.sha256):
            raise ValueError("sha256 must be the 64 hex digits that `ci-results token new` prints")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcTable:
    """Table `auth.oidc`: a provider that knows users.

    client_secrets  JSON file {"web": {...}} in the form of ResultsDB's OIDC_CLIENT_SECRETS
    username_field  the claim that names a user
    groups_field    the claim, a dotted path, that lists a user's groups; default: LDAP knows them
    audience        tokens that are not meant for this are refused; default: no look
    ca              file of certificates to trust
    timeout_s       for one question to the provider
    cache_s         how long an answer of it holds
    """

    client_secrets: str
    username_field: str = "uid"
    groups_field: str | None = None
    audience: str | None = None
    ca: str | None = None
    timeout_s: float = 5.0
    cache_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTable:
    """Table `auth.proxy`: a proxy in front of us has looked who asks, with Kerberos for instance.

    header     the request header that says who, e.g. "X-Remote-User"
    addresses  of the proxies that may say so, or networks: ["10.0.0.5", "10.1.0.0/24"]
    realm      what must follow the name after "@", and is taken off it; default: names stay whole
    """

    header: str
    addresses: tuple[str, ...]
    realm: str | None = None

    def __post_init__(self) -> None:
        if not _HEADER.fullmatch(self.header):
            raise ValueError(f"header is no name of a header: {shown(self.header)}")
        if not self.addresses:
            raise ValueError("addresses must name the proxies that may say who asks")
        for address in self.addresses:
            ip_network(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTable:
    """One of `auth.ldap.searches`: below `base`, entries that match are groups of {user}."""

    base: str
    search_string: str = "(memberUid={user})"

    def __post_init__(self) -> None:
        if not self.base.strip():
            raise ValueError("base must not be empty")
        if "{user}" not in self.search_string:
            raise ValueError(f"search_string lacks {{user}}: {shown(self.search_string)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapTable:
    """Table `auth.ldap`: a directory that knows the groups of users; `timeout_s` is for one look-up."""

    host: str
    searches: tuple[SearchTable, ...]
    ca: str | None = None
    timeout_s: float = 10.0
    cache_s: float = 60.0

    def __post_init__(self) -> None:
        if urlsplit(self.host).scheme not in ("ldap", "ldaps") or not urlsplit(self.host).hostname:
            raise ValueError(f"host must be ldap://NAME or ldaps://NAME, got {shown(self.host)}")
        if not self.searches:
            raise ValueError("searches must name a place to look: [{ base = ... }]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Table `auth`. Where none is, nobody is known, and only this machine may submit.

    anonymous_posts  anybody who reaches the server may submit to API 2.0 and to our own routes
    tokens_file      TOML file with more `tokens`, which may be replaced while all runs
    """

    anonymous_posts: bool = False
    tokens: tuple[TokenTable, ...] = ()
    tokens_file: str | None = None
    oidc: OidcTable | None = None
    proxy: ProxyTable | None = None
    ldap: LdapTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granted:
    testcases: tuple[str, ...] = ()
    testcases_ignore: tuple[str, ...] = ()
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def read_auth(table: Mapping[str, Any], where: str, folder: Path) -> Auth:
    """Read table `auth`; relative paths in it count from `folder`. Raises ConfigError."""
    auth: Auth = structure(table, Auth, where)
    _refuse_twins(auth.tokens, f"{where} tokens")
    oidc, ldap = auth.oidc, auth.ldap
    if oidc is not None:
        oidc = replace(oidc, client_secrets=_path(oidc.client_secrets, folder), ca=_path(oidc.ca, folder))
    if ldap is not None:
        ldap = replace(ldap, ca=_path(ldap.ca, folder))
    return replace(auth, tokens_file=_path(auth.tokens_file, folder), oidc=oidc, ldap=ldap)


def read_tokens(table: Mapping[str, Any], where: str) -> tuple[TokenTable, ...]:
    """Read the tables `tokens` of a tokens file. Raises ConfigError."""
    for key in table:
        if key != "tokens":
            raise ConfigError(f"{where}: unknown key {shown(key)}; known is tokens")
    tokens: tuple[TokenTable, ...] = structure(
        table.get("tokens", []), tuple[TokenTable, ...], f"{where}: tokens"
    )
    _refuse_twins(tokens, f"{where}: tokens")
    return tokens


def read_permissions(tables: object, where: str) -> tuple[Permission, ...]:
    """Read `permissions`, a list of tables; keys of other names are kept and told. Raises ConfigError."""
    if not isinstance(tables, list):
        raise ConfigError(f"{where} must be a list of tables")
    permissions = []
    for number, table in enumerate(tables):
        here = f"{where}[{number}]"
        if not isinstance(table, dict):
            raise ConfigError(f"{here} must be a table, got {shown(table)}")
        ours = {key: value for key, value in table.items() if key in _Granted.__slots__}
        granted = structure(ours, _Granted, here)
        permissions.append(
            Permission(
                testcases=granted.testcases,
                testcases_ignore=granted.testcases_ignore,
                users=granted.users,
                groups=granted.groups,
                told=table,
            )
        )
    return tuple(permissions)


def _refuse_twins(tokens: Iterable[TokenTable], where: str) -> None:
    names: set[str] = set()
    for token in tokens:
        if token.name in names:
            raise ConfigError(f"{where}: two have the name {shown(token.name)}")
        names.add(token.name)


@overload
def _path(text: str, folder: Path) -> str: ...
@overload
def _path(text: str | None, folder: Path) -> str | None: ...
def _path(text: str | None, folder: Path) -> str | None:
    return None if text is None else str(folder / Path(text).expanduser())
