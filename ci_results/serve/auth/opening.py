"""From tables `auth` and `permissions` to those who know users; libraries of extras are loaded here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...config_auth import Auth
from ...domain.permission import Permission
from ...errors import ConfigError
from .access import Access
from .proxy import TrustedProxy
from .tokens import Tokens

if TYPE_CHECKING:
    from .directory import Directory
    from .introspection import Introspection
    from .login import Login

NOBODY_KNOWN = (
    "results are taken from nobody: [auth] knows no one. Make a token with: ci-results token new NAME"
)
ANYBODY = "everybody who reaches this address may submit results: [auth] anonymous_posts"


def open_access(auth: Auth, permissions: Collection[Permission] = (), *, here_only: bool = True) -> Access:
    """Return who is known and what they may.

    here_only  only this machine reaches the server, which then takes results from anybody

    Raises ConfigError for a file that cannot be read, and for an extra that is not installed.
    """
    tokens = None
    if auth.tokens or auth.tokens_file is not None:
        tokens = Tokens(auth.tokens, None if auth.tokens_file is None else Path(auth.tokens_file))
    introspection, login = _oidc(auth)
    directory = _directory(auth)
    proxy = None if auth.proxy is None else TrustedProxy(auth.proxy, groups_known=directory is None)
    return Access(
        anonymous=here_only or auth.anonymous_posts,
        claims=here_only,
        permissions=permissions,
        tokens=tokens,
        introspection=introspection,
        proxy=proxy,
        directory=directory,
        login=login,
    )


def said_at_start(auth: Auth, permissions: Collection[Permission], *, here_only: bool) -> Iterator[str]:
    """Yield what whoever starts a server should know of who may submit to it, a line each."""
    ways = list(_ways(auth))
    number = len(permissions)
    rules = f", within {number} permission{'' if number == 1 else 's'}" if number else ""
    if auth.anonymous_posts and not here_only:
        yield ANYBODY + rules
    elif ways:
        who = "this machine, " if here_only else ""
        yield f"results are taken from {who}{', '.join(ways)}{rules}"
    elif not here_only:
        yield NOBODY_KNOWN
    if auth.oidc is not None and auth.ldap is None and auth.oidc.groups_field is None:
        yield "users of OIDC may not submit to API 3: set [auth.ldap], or groups_field in [auth.oidc]"


def _ways(auth: Auth) -> Iterator[str]:
    if auth.tokens or auth.tokens_file is not None:
        yield "holders of tokens"
    if auth.oidc is not None:
        yield "users of OIDC"
    if auth.proxy is not None:
        yield f"users that {' or '.join(auth.proxy.addresses)} names in {auth.proxy.header}"


def _oidc(auth: Auth) -> tuple[Introspection | None, Login | None]:
    if auth.oidc is None:
        return None, None
    try:
        from .introspection import Introspection
        from .login import Login
    except ImportError as err:
        raise ConfigError(
            f"[auth.oidc] needs more libraries: pip install 'ci-results[oidc]' ({err})"
        ) from err
    from .provider import read_provider

    provider = read_provider(Path(auth.oidc.client_secrets))
    introspection = Introspection(provider, auth.oidc)
    return introspection, Login(provider, auth.oidc, introspection)


def _directory(auth: Auth) -> Directory | None:
    if auth.ldap is None:
        return None
    try:
        from .directory import Directory
    except ImportError as err:
        raise ConfigError(f"[auth.ldap] needs a library: pip install 'ci-results[ldap]' ({err})") from err
    return Directory(auth.ldap)
