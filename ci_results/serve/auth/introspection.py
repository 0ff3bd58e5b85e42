"""Tokens of an OIDC provider: it is asked whether one holds and whose it is (RFC 7662)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import httpx2
import orjson

from ...config_auth import OidcTable
from ...domain.user import User, check_user_name
from ...errors import AuthorityUnavailableError, ConfigError, InvalidError, UnauthorisedError
from .provider import Provider
from .remembered import Remembered

MAX_ANSWER = 256 * 1024
AT_ONCE = 16
"""Questions that the provider gets at once; others wait their turn, within the time-out."""

WAITING = 256
"""Tokens being asked about; beyond, a new one is refused for now."""

REFUSED_S = 5.0
"""How long a token counts as refused: a flood of the same one costs the provider nothing."""

MOST_REFUSED = 1024
"""Refused tokens that are remembered; apart from the good ones, so that a flood pushes none of those out."""

NOBODY = User(name="nobody")


class Introspection:
    """Asks `provider`; the same token again within `settings.cache_s` costs a look-up."""

    def __init__(
        self, provider: Provider, settings: OidcTable, clock: Callable[[], float] = time.time
    ) -> None:
        self._provider, self._settings, self._clock = provider, settings, clock
        self._trust = trust(settings)
        self._known: Remembered[bytes, User] = Remembered()
        self._refused: Remembered[bytes, User] = Remembered(MOST_REFUSED)
        self._asked: dict[bytes, asyncio.Task[User]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def user(self, token: str) -> User:
        """Return whose token this is.

        Raises UnauthorisedError where it does not hold or names nobody, AuthorityUnavailableError
        where the provider does not answer, ConfigError where it refuses us.
        """
        key = sha256(token.encode()).digest()
        found = self._known.get(key) or self._refused.get(key)
        if found is None:
            found = await asyncio.shield(self._asking(key, token))
        if found is NOBODY:
            raise UnauthorisedError("the provider does not vouch for this token")
        return found

    def _asking(self, key: bytes, token: str) -> asyncio.Task[User]:
        """Return the question about a token; who asks the same meanwhile gets the same answer."""
        asked = self._asked.get(key)
        if asked is None:
            if len(self._asked) >= WAITING:
                raise AuthorityUnavailableError("too many tokens to ask the provider about")
            asked = self._asked[key] = asyncio.create_task(self._learn(key, token))
            asked.add_done_callback(lambda done: self._forget(key, done))
        return asked

    def _forget(self, key: bytes, done: asyncio.Task[User]) -> None:
        del self._asked[key]
        if not done.cancelled():
            done.exception()  # seen, even where whoever asked has gone

    async def _learn(self, key: bytes, token: str) -> User:
        claims = await self._claims(token)
        try:
            user, for_s = self._read(claims), self._holds_for(claims)
        except InvalidError:
            self._refused.put(key, NOBODY, REFUSED_S)
            return NOBODY
        self._known.put(key, user, for_s)
        return user

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._settings.timeout_s), self._turns:
                status, body = await self._ask(token)
        except (TimeoutError, httpx2.HTTPError, OSError) as err:
            raise AuthorityUnavailableError(f"the OIDC provider does not answer: {err!r}") from err
        if status >= 500 or status == 429:
            raise AuthorityUnavailableError(f"the OIDC provider answers HTTP {status}")
        if status != 200:
            raise ConfigError(
                f"the OIDC provider refuses our question with HTTP {status}: look at client_secrets"
            )
        try:
            claims = orjson.loads(body)
        except orjson.JSONDecodeError as err:
            raise AuthorityUnavailableError("the OIDC provider answers no JSON") from err
        if not isinstance(claims, dict):
            raise AuthorityUnavailableError("the OIDC provider answers no object")
        return claims

    async def _ask(self, token: str) -> tuple[int, bytes]:
        """Post the question. A connection of its own: questions are few, and nothing is left to close."""
        provider = self._provider
        async with (
            httpx2.AsyncClient(timeout=self._settings.timeout_s, verify=self._trust) as client,
            client.stream(
                "POST",
                provider.token_introspection_uri,
                data={"token": token},
                headers={"accept": "application/json"},
                auth=(provider.client_id, provider.client_secret),
            ) as answer,
        ):
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER:
                    raise AuthorityUnavailableError("the OIDC provider answers without end")
            return answer.status_code, bytes(body)

    def _read(self, claims: Mapping[str, Any]) -> User:
        """Return whom the claims are about. Raises InvalidError where they vouch for nobody."""
        settings = self._settings
        if claims.get("active") is not True:
            raise InvalidError("not active")
        if settings.audience is not None and settings.audience not in _listed(claims.get("aud")):
            raise InvalidError("meant for somebody else")
        if _moment(claims, "nbf", 0.0) > self._clock():
            raise InvalidError("not yet")
        name = check_user_name(claims.get(settings.username_field))
        if settings.groups_field is None:
            return User(name=name, groups=None)
        return User(name=name, groups=frozenset(_listed(_inside(claims, settings.groups_field))))

    def _holds_for(self, claims: Mapping[str, Any]) -> float:
        """Return for how many seconds we may believe this without asking again."""
        left = _moment(claims, "exp", float("inf")) - self._clock()
        if left <= 0:
            raise InvalidError("expired")
        return min(left, self._settings.cache_s)


def trust(settings: OidcTable) -> ssl.SSLContext:
    """Return which certificates the provider may show. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as err:
        raise ConfigError(f"[auth.oidc] ca: {settings.ca} cannot be read: {err}") from err


def _moment(claims: Mapping[str, Any], name: str, absent: float) -> float:
    value = claims.get(name)
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidError(f"{name} is no time")
    return float(value)


def _listed(value: object) -> list[str]:
    """Return the texts of a claim that is one text or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _inside(claims: object, path: str) -> object:
    for name in path.split("."):
        claims = claims.get(name) if isinstance(claims, dict) else None
    return claims
