"""Pages about waivers: what waits for whom, what a waiver would do, and the forms to decide about it."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from ..answers import Answers
from ..auth.entering import Entering
from ..auth.pages import INBOX, WAIVER
from ..auth.visitor import Visitors
from ..surroundings import Surroundings
from .deciding import Deciding
from .pages import WaiverPages


def routes(around: Surroundings, answers: Answers) -> list[BaseRoute]:
    """Return the routes. Reading needs nobody; every step needs somebody whom we know."""
    visitors = Visitors(around.access)
    pages = WaiverPages(around, answers, visitors)
    deciding = Deciding(around, pages)
    login = around.access.login
    session: list[Middleware] = [] if login is None else [login.session]
    return [
        Route(INBOX, pages.inbox, middleware=session),
        Route(f"{INBOX}.json", pages.inbox),
        *Entering(answers, visitors, around.clock, INBOX).routes(session),
        Route(WAIVER, pages.go),
        Route(f"{WAIVER}/-/new", pages.new, middleware=session),
        Route(f"{WAIVER}/-/new.json", pages.new),
        Route(f"{WAIVER}/-/new", deciding.ask, methods=["POST"], middleware=session),
        Route(f"{WAIVER}/{{name:path}}", pages.waiver, middleware=session),
        Route(f"{WAIVER}/{{name:path}}", deciding.step, methods=["POST"], middleware=session),
    ]
