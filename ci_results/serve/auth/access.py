"""Access: who is asking, and whether they may."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from starlette.types import Scope

from ...domain.permission import Permission, Ruling, ruling
from ...domain.user import ANONYMOUS, User
from ...errors import ConfigError, ForbiddenError, UnauthorisedError
from .proxy import TrustedProxy
from .shown import shown_token
from .tokens import PREFIX, Tokens

if TYPE_CHECKING:
    from .directory import Directory
    from .introspection import Introspection
    from .login import Login

log = logging.getLogger(__name__)

_AT_A_TIME = 64
"""Testcases that are looked at before others have their turn: 3 ms with a hundred permissions."""

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}={0,4}", re.ASCII)
_WANTED = "This server takes results from users that it knows: send the header Authorization: Bearer TOKEN"
_DOES_NOT_HOLD = "The token in the header Authorization is not known here, or does not hold any more"


class Access:
    """Whom this server knows, and what they may.

    anonymous    anybody may submit to API 2.0 and our own routes
    claims       and may waive, in the name that they only claim: where nobody but this machine asks
    permissions  over testcases; those of API 3 need one, others only where there are any
    login        where browsers log in, None = nowhere
    """

    def __init__(
        self,
        *,
        anonymous: bool = True,
        claims: bool = True,
        permissions: Collection[Permission] = (),
        tokens: Tokens | None = None,
        introspection: Introspection | None = None,
        proxy: TrustedProxy | None = None,
        directory: Directory | None = None,
        login: Login | None = None,
    ) -> None:
        self.anonymous, self.permissions, self.login = anonymous, permissions, login
        self.claims = claims and anonymous
        self._tokens, self._introspection, self._proxy = tokens, introspection, proxy
        self._directory = directory

    @property
    def takes_tokens(self) -> bool:
        """Whether somebody can show a token: of our own, or of a provider."""
        return self._tokens is not None or self._introspection is not None

    @property
    def methods(self) -> tuple[str, ...]:
        """How users are known, as WaiverDB calls it where it has a word; "dummy" = they may only claim it."""
        ways = {
            "OIDC": self._introspection is not None,
            "token": self._tokens is not None,
            "proxy": self._proxy is not None,
            "dummy": self.claims,
        }
        return tuple(name for name, there in ways.items() if there)

    async def user(self, scope: Scope) -> User:
        """Return who asks, ANONYMOUS where nobody says so.

        Raises UnauthorisedError for credentials that do not hold, AuthorityUnavailableError and
        ConfigError where whoever knows cannot say. Credentials of kinds that are not configured
        are overlooked, as the peer does.
        """
        if self.takes_tokens and (token := shown_token(scope)) is not None:
            return await self.by_token(token)
        if self._proxy is not None and (found := self._proxy.user(scope)):
            return found
        return ANONYMOUS

    async def known_user(self, scope: Scope) -> User:
        """Return who asks. Raises UnauthorisedError where it is nobody that we know."""
        user = await self.user(scope)
        if user is ANONYMOUS:
            raise UnauthorisedError(_WANTED)
        return user

    async def submitter(self, scope: Scope) -> User:
        """Return who submits to API 2.0 or our own routes. Raises UnauthorisedError where nobody may."""
        return await (self.user(scope) if self.anonymous else self.known_user(scope))

    async def permit_where_ruled(self, user: User, testcases: Iterable[str]) -> None:
        """Let the user submit results of these testcases; anybody may where there are no permissions."""
        if self.permissions:
            for number, testcase in enumerate(dict.fromkeys(testcases)):
                await self.permit(user, testcase)
                if number % _AT_A_TIME == 0:
                    await asyncio.sleep(0)

    async def permit(self, user: User, testcase: str) -> None:
        """Let the user submit a result of `testcase`: COMPAT 1.10, "Authorisation".

        Raises ForbiddenError, UnauthorisedError for somebody whom we do not know; ConfigError where
        nothing knows the user's groups, even if the user is named.
        """
        if user.groups is None and self._directory is None:
            raise ConfigError(
                f"nothing knows the groups of {user.name}: set [auth.ldap], or groups_field in [auth.oidc]"
            )
        found = ruling(self.permissions, user.name, testcase)
        if not found.named:
            await self._permit_member(user, testcase, found)

    async def _permit_member(self, user: User, testcase: str, found: Ruling) -> None:
        groups = await self.groups(user)
        if found.groups & groups:
            return
        if user is ANONYMOUS:
            raise UnauthorisedError(f"{_WANTED}. Not everybody may submit results of {testcase}")
        log.warning("submission refused", extra={"user": user.name, "testcase": testcase})
        raise ForbiddenError(
            f"User {user.name} is not authorized to submit results for the test case {testcase}"
            f"{self.hint(user, groups)}"
        )

    async def groups(self, user: User) -> frozenset[str]:
        """Return the groups of a user, none where nothing knows them. Raises AuthorityUnavailableError."""
        if user.groups is None and self._directory is not None:
            return await self._directory.groups(user.name)
        return user.groups or frozenset()

    async def groups_by_name(self, name: str) -> frozenset[str]:
        """Return the groups of somebody for whom another acts: by their tokens, and by the directory."""
        found = frozenset[str]() if self._tokens is None else self._tokens.groups_of(name)
        return found | await self.groups(User(name=name, groups=None))

    def hint(self, user: User, groups: frozenset[str]) -> str:
        """Return what is added to a refusal where the directory does not know the user."""
        asked = user.groups is None and self._directory is not None
        return "; failed to find the user in LDAP" if asked and not groups else ""

    async def by_token(self, token: str) -> User:
        """Return whose token this is. Raises as `user` does."""
        if _BEARER.fullmatch(token):
            if self._tokens is not None and (found := self._tokens.user(token)):
                return found
            if self._introspection is not None and not token.startswith(PREFIX):
                return await self._introspection.user(token)
        raise UnauthorisedError(_DOES_NOT_HOLD)


OPEN = Access()
"""Knows nobody, and lets everybody submit to API 2.0 and our own routes."""
