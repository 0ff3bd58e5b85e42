"""Browser login at the OIDC provider: authorization code with PKCE, state and nonce (authlib).

The session is a cookie: signed, out of reach of scripts, not sent along from other sites.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ...config_auth import OidcTable
from ...domain.user import User
from ...errors import AuthorityUnavailableError, CiResultsError, ConfigError, UnauthorisedError
from ...wire.resultsdb_json import dump
from .introspection import Introspection, trust
from .pages import ours
from .provider import Provider
from .refusals import refusal

log = logging.getLogger(__name__)

LOGIN, LOGOUT, CALLBACK = "/auth/oidclogin", "/auth/logout", "/auth/callback"
SESSION_S = 8 * 3600
MAX_TOKEN = 2800
"""Characters of a token that the cookie holds; browsers drop one of more than 4,096 in all."""


class Login:
    """The routes of login and logout; errors are told as API 3 tells them.

    session  the middleware by which other routes read the session (see `user`)
    """

    def __init__(self, provider: Provider, settings: OidcTable, introspection: Introspection) -> None:
        self._provider, self._introspection = provider, introspection
        self._timeout_s = settings.timeout_s
        self.session = Middleware(
            SessionMiddleware,
            secret_key=_key(provider),
            session_cookie="ci_results_session",
            max_age=SESSION_S,
            same_site="lax",
            https_only=any(uri.startswith("https:") for uri in provider.redirect_uris),
        )
        self._client = _client(provider, settings)
        self._claims = {  # authlib alone takes an ID token for another client, if its azp is ours
            "iss": {"essential": True, "values": [provider.issuer]},
            "aud": {"essential": True, "values": [provider.client_id]},
        }

    def routes(self) -> list[BaseRoute]:
        """Return the routes; the provider sends people back to the addresses that it has of us."""
        backs = {urlsplit(uri).path for uri in self._provider.redirect_uris} or {CALLBACK}
        found = dict.fromkeys(backs, self._back)
        for prefix in ("", "/resultsdb"):
            found |= {prefix + LOGIN: self._login, prefix + LOGOUT: self._logout}
        return [Route(path, self._told(answer), middleware=[self.session]) for path, answer in found.items()]

    async def _login(self, request: Request) -> Response:
        """Answer who is logged in, with a token for scripts; send anybody else to the provider."""
        username, token = request.session.get("username"), request.session.get("token")
        if username and token:
            try:
                await self._introspection.user(token)
            except UnauthorisedError:
                request.session.clear()
            else:
                return _after(request.query_params.get("next"), username, token)
        if page := ours(request.query_params.get("next")):
            request.session["next"] = page
        answer: Response = await self._client.authorize_redirect(request, self._way_back(request))
        return answer

    async def _back(self, request: Request) -> Response:
        """Take the code that the provider sends, look who it is, and answer as login does."""
        token = await self._client.authorize_access_token(request, claims_options=self._claims)
        if not token.get("userinfo") or not isinstance(token.get("access_token"), str):
            raise UnauthorisedError("the provider sends no ID token")
        access: str = token["access_token"]
        user = await self._introspection.user(access)
        page = request.session.get("next")
        request.session.clear()
        request.session["username"] = user.name
        if len(access) <= MAX_TOKEN:
            request.session["token"] = access
        log.info("logged in", extra={"user": user.name})
        return _after(page, user.name, access)

    async def user(self, request: Request) -> User | None:
        """Return who is logged in, None where nobody is (any more); its route has `session` around it.

        Raises AuthorityUnavailableError, ConfigError.
        """
        username, token = request.session.get("username"), request.session.get("token")
        if not username:
            return None
        if not token:  # it was too long for the cookie, which we signed all the same
            return User(name=username, groups=None)
        try:
            return await self._introspection.user(token)
        except UnauthorisedError:
            request.session.clear()
            return None

    async def _logout(self, request: Request) -> Response:
        """Forget who is logged in."""
        request.session.clear()
        return _private({"message": "Logged out"})

    def _way_back(self, request: Request) -> str:
        """Return the registered address that leads back here, by the name that the browser used."""
        known = self._provider.redirect_uris
        if not known:
            raise ConfigError("client_secrets: web.redirect_uris is empty")
        host = request.headers.get("x-forwarded-host") or request.headers.get("host")
        return next((uri for uri in known if urlsplit(uri).netloc == host), known[0])

    def _told(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            try:
                async with asyncio.timeout(3 * self._timeout_s):
                    return await answer(request)
            except (AuthlibBaseError, JoseError, ValueError) as err:
                log.warning("login refused", extra={"reason": type(err).__name__})
                return _refuse(UnauthorisedError("the login is not one that we began"))
            except (httpx2.HTTPError, TimeoutError, RuntimeError) as err:
                return _refuse(AuthorityUnavailableError(f"the OIDC provider does not answer: {err!r}"))
            except CiResultsError as err:
                return _refuse(err)

        return handle


def _after(page: str | None, username: str, token: str) -> Response:
    """Answer who is logged in: by going on to the page that wanted it, or with a token for scripts."""
    if page := ours(page):
        return RedirectResponse(page, 303, {"Cache-Control": "no-store"})
    return _private({"username": username, "token": token})


def _client(provider: Provider, settings: OidcTable) -> StarletteOAuth2App:
    """Return authlib's client, which makes and checks state, nonce, PKCE and the ID token."""
    given: dict[str, Any] = {"jwks_uri": provider.jwks_uri, "issuer": provider.issuer}
    if provider.jwks_uri is None or provider.auth_uri is None or provider.token_uri is None:
        given = {"server_metadata_url": provider.metadata_uri}
    return OAuth().register(
        "oidc",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        authorize_url=provider.auth_uri,
        access_token_url=provider.token_uri,
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic",
            "timeout": settings.timeout_s,
            "verify": trust(settings),
        },
        **given,
    )


def _key(provider: Provider) -> str:
    """Return what signs cookies: the same in every process that has the same client secret."""
    return hmac.new(provider.client_secret.encode(), b"ci_results session cookie", sha256).hexdigest()


def _private(
    said: dict[str, str], status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()
) -> Response:
    given = {name.decode(): value.decode() for name, value in headers} | {"Cache-Control": "no-store"}
    return Response(dump(said), status, given, media_type="application/json")


def _refuse(err: CiResultsError) -> Response:
    answer = refusal(err)
    if answer is None:
        raise err
    return _private(answer.said, answer.status, answer.headers)
