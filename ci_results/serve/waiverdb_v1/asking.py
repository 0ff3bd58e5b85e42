"""Who asks for a waiver: a token, a proxy, a login in the browser; on this machine alone a mere name."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Message, Scope

from ...domain.user import ANONYMOUS, User, check_user_name
from ...errors import InvalidError, UnauthorisedError
from ...waive.life import Actor
from ..auth.access import Access

NOBODY = (
    "nobody says who asks: send the header Authorization: Bearer TOKEN; a token may be the password of"
    " HTTP Basic too"
)
MERE_NAME = "a mere name is not enough for {what}: send the header Authorization: Bearer TOKEN"
_SESSION = re.compile(rb"(?:^|;\s*)ci_results_session=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whoever asks.

    user   who it is
    known  somebody vouches for them; else they only say so
    via    how we know them, as events keep it: "api:token"
    """

    user: User
    known: bool
    via: str


class Askers:
    """Knows who asks by what a request shows. A login in the browser comes first, as with the peer."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def asker(self, scope: Scope) -> Asker:
        """Return who asks. Raises UnauthorisedError where it is nobody, or credentials do not hold."""
        if user := await self.logged_in(scope):
            return Asker(user=user, known=True, via="api:oidc")
        user = await self._access.user(scope)
        authorization = _authorization(scope)
        if user is not ANONYMOUS:
            return Asker(user=user, known=True, via="api:token" if authorization else "api:proxy")
        if not self._access.claims:
            raise UnauthorisedError(NOBODY)
        name = _claimed(authorization)
        if name is None:
            return Asker(user=ANONYMOUS, known=False, via="api:anonymous")
        return Asker(user=User(name=name), known=False, via="api:claimed")

    async def logged_in(self, scope: Scope) -> User | None:
        """Return who is logged in in this browser, None where nobody is."""
        login = self._access.login
        if login is None or not any(
            key == b"cookie" and _SESSION.search(value) for key, value in scope["headers"]
        ):
            return None
        found: list[User | None] = []

        async def look(inner: Scope, receive: object, send: object) -> None:
            found.append(await login.user(Request(inner)))

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            raise AssertionError("nothing is answered here")

        session = login.session
        await session.cls(look, *session.args, **session.kwargs)(dict(scope), receive, send)
        return found[0]

    async def actor(self, asker: Asker, in_name_of: str | None) -> Actor:
        """Return who takes the step, with their groups: those of whoever is acted for, if anybody."""
        if in_name_of is None:
            user = asker.user
            return Actor(username=user.name, groups=await self._access.groups(user), via=asker.via)
        if not asker.known:
            raise UnauthorisedError(MERE_NAME.format(what="acting for others"))
        other = check_user_name(in_name_of)
        return Actor(
            username=other,
            groups=await self._access.groups_by_name(other),
            proxied_by=asker.user.name,
            via=asker.via,
        )


def _authorization(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"authorization"), b"")


def _claimed(header: bytes) -> str | None:
    """Return the name in HTTP Basic, whatever its password. Raises UnauthorisedError for what is no name."""
    scheme, _, rest = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return check_user_name(b64decode(rest.strip(), validate=True).partition(b":")[0].decode())
    except (Error, UnicodeDecodeError, InvalidError):
        raise UnauthorisedError("HTTP Basic in the header Authorization names nobody") from None
