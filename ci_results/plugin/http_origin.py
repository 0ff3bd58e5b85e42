"""Who may see the credentials: the origin they were given for, and nobody a redirect leads to."""

from __future__ import annotations

import base64
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from ..errors import SourceGarbledError, SourceRefusedError, shown

Origin = tuple[str, str, int]
"""Scheme, host and port, e.g. ("https", "ci.example.com", 443)."""

_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> Origin:
    """Return where `url` points to, without its path. Raises SourceGarbledError if that is not http(s)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise SourceGarbledError(f"not an address: {shown(url)}") from err
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SourceGarbledError(f"not an http or https address: {shown(url)}")
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


class OriginAuth(AuthBase):
    """Sends the token to one origin only: Basic with a user, `scheme` without. Its repr shows no secret."""

    def __init__(
        self, token: str | None, user: str | None, home: Origin | None, scheme: str = "Bearer"
    ) -> None:
        self._token = token
        self._scheme = scheme
        self.user = user
        self.home = home

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header to a request that goes home; the first one says where that is, if nobody did."""
        goes_to = origin(request.url or "")
        if self._token is not None:
            self.home = self.home or goes_to
            if goes_to == self.home:
                request.headers["Authorization"] = self._header(self._token)
        return request

    @property
    def given(self) -> bool:
        """Whether there is anything to send."""
        return self._token is not None

    def __repr__(self) -> str:
        return f"OriginAuth(user={self.user!r}, given={self.given}, home={self.home!r})"

    def _header(self, token: str) -> str:
        if self.user is None:
            return f"{self._scheme} {token}"
        return "Basic " + base64.b64encode(f"{self.user}:{token}".encode()).decode()


def redirected(
    request: requests.PreparedRequest, response: requests.Response, *, leaves_origin: bool = True
) -> requests.PreparedRequest | None:
    """Return the request that a redirect asks for, None where the answer is none.

    Credentials and form data never go to another origin: SourceRefusedError names it. The one
    exception is the same host from http to https. Nothing goes there unless it `leaves_origin`.
    Cookies stay the session's business.
    """
    if response.status_code not in (301, 302, 303, 307, 308) or "location" not in response.headers:
        return None
    source = request.url or ""
    goal = urljoin(source, response.headers["location"])
    here, there = origin(source), origin(goal)
    upgrade = here[:2] == ("http", there[1]) and there[0] == "https"
    secret = "Authorization" in request.headers or request.method not in ("GET", "HEAD")
    if here != there and not upgrade and not leaves_origin:
        raise SourceRefusedError(
            f"{source}: redirects to {there[0]}://{there[1]}:{there[2]}, which is not followed;"
            " configure the address that the server itself uses"
        )
    if here != there and not upgrade and secret:
        raise SourceRefusedError(
            f"{source}: redirects to {there[0]}://{there[1]}:{there[2]}, where the token is not sent;"
            " configure the address that the server itself uses"
        )
    if request.method not in ("GET", "HEAD"):
        raise SourceGarbledError(f"{source}: redirects a {request.method} to {shown(goal)}")
    following = request.copy()
    following.url = goal
    following.headers.pop("Cookie", None)
    if here != there and not upgrade:
        following.headers.pop("Authorization", None)
    return following
