"""Pages that know who looks at them: rendered for the visitor, with the secret of their forms."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from ..domain.user import ANONYMOUS
from ..errors import AuthorityUnavailableError, ConfigError, UnauthorisedError
from .answers import Answers
from .auth.visitor import Visitor, Visitors, remember
from .surroundings import Surroundings

NOBODY = Visitor(user=ANONYMOUS, claims=False, name="", secret="", ways=())


class Visited:
    """Renders pages for whoever looks, or their twins, which are the same for all."""

    def __init__(self, around: Surroundings, answers: Answers, visitors: Visitors) -> None:
        self._around, self._answers, self.visitors = around, answers, visitors

    async def answer(
        self, request: Request, template: str, facts: dict[str, Any], *, status: int = 200, **more: Any
    ) -> Response:
        """Answer the page, or its twin; `more` is what the page alone is given."""
        if wants_json(request):
            return self._answers.json(facts, status=status)
        visitor, note = await self.visitor(request)
        path = request.scope["path"]
        here = quote(path, safe="/") + ("?format=html" if path.endswith(".json") else "")
        page = self._answers.html(
            template, facts, path=path, now=self._around.clock(), status=status, visitor=visitor,
            visitor_note=note, **({"here": here} | more),
        )  # fmt: skip
        return remember(request, page, form=visitor.secret) if visitor.secret else page

    async def visitor(self, request: Request) -> tuple[Visitor, str]:
        """Return who looks, and what to tell them where nobody can say: reading needs nobody."""
        try:
            return await self.visitors.visitor(request), ""
        except (UnauthorisedError, AuthorityUnavailableError, ConfigError) as err:
            note = str(err) if isinstance(err, UnauthorisedError) else "Nobody can say who you are now"
            return NOBODY, note


def wants_json(request: Request) -> bool:
    """Say whether the twin is asked for: by `?format=json`, or by an address that ends in .json."""
    asked = request.query_params.get("format", "")
    return asked == "json" or (
        not asked and request.method in ("GET", "HEAD") and request.url.path.endswith(".json")
    )
