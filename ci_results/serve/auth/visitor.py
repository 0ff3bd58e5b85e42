"""Visitor: who looks at a page in a browser, and whether a form that comes back is one that we gave them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from ...domain.user import ANONYMOUS, User, check_user_name
from ...errors import ForbiddenError, InvalidError, UnauthorisedError
from .access import Access
from .pages import PAGES

TOKEN, FORM, NAME = "ci_results_token", "ci_results_form", "ci_results_name"
"""Cookies: a token that was pasted, the secret that forms bring back, what somebody calls themselves."""

KEPT_S = 8 * 3600
MAX_FORM = 2 * 1024 * 1024
MAX_TOKEN = 3_000
"""Characters of a token; browsers drop a cookie of more than 4,096."""

_FIELDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Whoever looks.

    user    ANONYMOUS where nobody vouches for them
    claims  they may record all the same, under a name that they only claim; `name` is the last one
    secret  what each form brings back
    ways    how they may log in: "token", "provider"
    """

    user: User
    claims: bool
    name: str
    secret: str
    ways: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether somebody vouches for them."""
        return self.user is not ANONYMOUS

    @property
    def may_record(self) -> bool:
        """Whether they are asked what they found; permissions rule beside that."""
        return self.known or self.claims


class Visitors:
    """Knows visitors by what their browser shows: a header, a token in a cookie, the session of a login."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def visitor(self, request: Request) -> Visitor:
        """Return who looks. Raises UnauthorisedError for a header that does not hold; see Access.user."""
        access, cookies = self._access, request.cookies
        ways = (["token"] if access.takes_tokens else []) + (["provider"] if access.login else [])
        return Visitor(
            user=await self._user(request),
            claims=access.anonymous,
            name=unquote(cookies.get(NAME, ""))[:255],
            secret=cookies.get(FORM) or secrets.token_urlsafe(24),
            ways=tuple(ways),
        )

    async def _user(self, request: Request) -> User:
        access = self._access
        user = await access.user(request.scope)
        if user is not ANONYMOUS:
            return user
        token = request.cookies.get(TOKEN)
        if token and access.takes_tokens:
            try:
                return await access.by_token(token)
            except UnauthorisedError:
                pass  # it has ended, and the page says that nobody is logged in
        return (access.login and await access.login.user(request)) or ANONYMOUS

    async def check_token(self, token: str) -> User:
        """Return whose token was pasted. Raises UnauthorisedError."""
        if not self._access.takes_tokens or len(token) > MAX_TOKEN:
            raise UnauthorisedError("The token is not known here, or does not hold any more")
        return await self._access.by_token(token)


async def sent_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that we gave to this very browser.

    Raises ForbiddenError for any other, InvalidError for what is no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != (
        "application/x-www-form-urlencoded"
    ):
        raise InvalidError("the form is not sent as application/x-www-form-urlencoded")
    body = await request.body()
    if len(body) > MAX_FORM:
        raise InvalidError(f"the form is longer than {MAX_FORM} bytes")
    try:
        told = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError as err:
        raise InvalidError("the form cannot be read: it is no UTF-8, or has too many fields") from err
    fields = dict(told)
    secret = request.cookies.get(FORM, "")
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if elsewhere or not secret or not compare_digest(fields.get("form", "").encode(), secret.encode()):
        raise ForbiddenError("the form does not come from a page that this server gave to this browser")
    return fields


def claimed_name(text: str) -> str:
    """Return what somebody calls themselves. Raises InvalidError."""
    if not text.strip():
        raise InvalidError("say who you are: a result of nobody is worth nothing")
    return check_user_name(text.strip())


def remember(request: Request, response: Response, **cookies: str) -> Response:
    """Set cookies that only our pages get, and no script reads; an empty one is taken back.

    The secret of forms stays as long as the browser is open, for so long a page may stand there.

    `cookies` are written without the beginning that all have in common: name="alice".
    """
    for name, value in cookies.items():
        for page in PAGES:
            response.set_cookie(
                f"ci_results_{name}",
                quote(value, safe="~+/=._-"),
                max_age=0 if not value else None if name == "form" else KEPT_S,
                path=page,
                secure=request.url.scheme == "https",
                httponly=True,
                samesite="lax",  # strict would forget who comes by a link from elsewhere
            )
    response.headers["Cache-Control"] = "no-store"
    return response
