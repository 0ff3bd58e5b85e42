"""Serve the document to machines, and as a page to people."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..answers import Answers
from ..call import root_of
from ..surroundings import Surroundings
from .document import document
from .page import facts
from .part import Part
from .words import prose, schema_links

DOCUMENT, PAGE = "/openapi.json", "/api"


def routes(around: Surroundings, parts: Sequence[Part], *, pages: bool) -> list[Route]:
    """Return the routes; `pages` says whether there are other pages to link."""
    whole = document(parts)
    text = orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    answers = Answers({"prose": prose, "schema_links": schema_links})

    async def machines(request: Request) -> Response:
        """Answer the document."""
        return Response(text, media_type="application/json")

    async def people(request: Request) -> Response:
        """Answer the page, or the document where `format` asks for JSON."""
        if request.query_params.get("format") == "json":
            return await machines(request)
        shown = {
            **facts(whole, root_of(dict(request.scope["headers"]), request.scope["scheme"])),
            "pages": pages,
        }
        return answers.html("api.html", shown, path=PAGE, now=around.clock())

    return [Route(DOCUMENT, machines), Route(PAGE, people)]
