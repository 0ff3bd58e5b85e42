"""Log in for the pages that take anything that writes, with a token that is pasted; and log out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ...errors import AuthorityUnavailableError, ConfigError, ForbiddenError, InvalidError, UnauthorisedError
from ..answers import Answers
from .pages import ours
from .visitor import Visitors, remember, sent_form


class Entering:
    """The form that takes a token, and what it does. `home` is the page that it belongs to: "/manual"."""

    def __init__(
        self, answers: Answers, visitors: Visitors, clock: Callable[[], datetime], home: str
    ) -> None:
        self._answers, self._visitors, self._clock, self._home = answers, visitors, clock, home

    def routes(self, session: list[Middleware]) -> list[BaseRoute]:
        """Return the routes; `session` is what reads the session of a login."""
        return [
            Route(f"{self._home}/-/login", self.form, middleware=session),
            Route(f"{self._home}/-/login", self.enter, methods=["POST"], middleware=session),
            Route(f"{self._home}/-/logout", self.leave, methods=["POST"], middleware=session),
        ]

    async def form(self, request: Request) -> Response:
        """Show the form."""
        return await self._page(request, request.query_params.get("next"))

    async def enter(self, request: Request) -> Response:
        """Keep a token that holds in a cookie of these pages, and go on to where it was wanted."""
        fields: dict[str, str] = {}
        try:
            fields = await sent_form(request)
            await self._visitors.check_token(fields.get("token", "").strip())
        except (UnauthorisedError, ForbiddenError, InvalidError) as err:
            status = 403 if isinstance(err, ForbiddenError) else 401
            return await self._page(request, fields.get("next"), status=status, why=str(err))
        except (AuthorityUnavailableError, ConfigError):
            why = "who knows the owners of tokens cannot be asked now: try again in a moment"
            return await self._page(request, fields.get("next"), status=502, why=why)
        answer = RedirectResponse(ours(fields.get("next")) or self._home, status_code=303)
        return remember(request, answer, token=fields["token"].strip())

    async def leave(self, request: Request) -> Response:
        """Forget the token, the session of a login, and the name."""
        try:
            await sent_form(request)
        except (ForbiddenError, InvalidError) as err:
            return await self._page(request, None, status=403, why=str(err))
        if "session" in request.scope:
            request.session.clear()
        return remember(request, RedirectResponse(self._home, status_code=303), token="", name="")

    async def _page(
        self, request: Request, after: str | None, *, status: int = 200, why: str = ""
    ) -> Response:
        visitor = await self._visitors.visitor(request)
        page = self._answers.html(
            "manual_login.html",
            {},
            path=request.url.path,
            now=self._clock(),
            status=status,
            visitor=visitor,
            after=ours(after) or self._home,
            home=self._home,
            why=why,
        )
        return remember(request, page, form=visitor.secret)
