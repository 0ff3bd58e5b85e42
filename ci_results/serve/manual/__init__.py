"""Pages about manual tests: plans, how far they are, and forms to record what somebody found."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from ..answers import Answers
from ..auth.entering import Entering
from ..auth.pages import MANUAL
from ..auth.visitor import Visitors
from ..surroundings import Surroundings
from .pages import ManualPages
from .recording import Recording


def routes(around: Surroundings, answers: Answers) -> list[BaseRoute]:
    """Return the routes; these pages, and those of waivers, take what writes."""
    visitors = Visitors(around.access)
    pages = ManualPages(around, answers, visitors)
    recording, entering = Recording(around, pages), Entering(answers, visitors, around.clock, MANUAL)
    login = around.access.login
    session: list[Middleware] = [] if login is None else [login.session]
    return [
        Route(MANUAL, pages.plans, middleware=session),
        Route(f"{MANUAL}.json", pages.plans),
        *entering.routes(session),
        Route(f"{MANUAL}/{{plan}}", pages.plan, middleware=session),
        Route(f"{MANUAL}/{{plan}}/{{item:path}}", pages.item, middleware=session),
        Route(f"{MANUAL}/{{plan}}/{{item:path}}", recording.record, methods=["POST"], middleware=session),
    ]
