"""What is kept of runs that their CI server may have forgotten: a page for each run, and the files, inert."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ..errors import CiResultsError, NotFoundError
from ..sinks.archive import run_url
from ..sinks.archiving import Place, open_archive
from . import words
from .answers import Answers
from .surroundings import Surroundings
from .visited import wants_json

_LOOKED_AT = 4_096
_INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, max-age=86400, immutable",
}
_NOT_KEPT = {"Cache-Control": "no-store"}


def routes(around: Surroundings, answers: Answers) -> list[BaseRoute]:
    """Return the routes; none where there is no archive."""
    if not around.archives:
        return []
    pages = Archived(around, answers)
    return [Route(words.OF_RUN, pages.of_run), Route("/archive/{name:str}", pages.file)]


def link_for(around: Surroundings) -> Callable[[str | None], Markup]:
    """Return what draws the link to what is kept of a run, by its address: nothing without an archive."""
    return words.kept if around.archives else lambda url: Markup("")


class Archived:
    """The pages over all configured archives; the first that has something answers."""

    def __init__(self, around: Surroundings, answers: Answers) -> None:
        self._places: Sequence[Place] = around.archives
        self._answers, self._clock = answers, around.clock

    async def of_run(self, request: Request) -> Response:
        """Answer what is kept of a run, or that nothing is."""
        url = run_url(request.query_params.get("url")) or ""
        facts, status = await run_in_threadpool(self._facts, url)
        if wants_json(request):
            return self._answers.json(facts, status=status)
        return self._answers.html("archived.html", facts, path=words.OF_RUN, now=self._clock(), status=status)

    async def file(self, request: Request) -> Response:
        """Answer a file as text, or as something to save: never as what a browser would run."""
        name = request.path_params["name"]
        try:
            found = await run_in_threadpool(self._open, name)
        except CiResultsError as err:
            return PlainTextResponse(f"{err}\n", status_code=503, headers={**_INERT, **_NOT_KEPT})
        if found is None:
            return PlainTextResponse(
                "no such file is kept\n", status_code=404, headers={**_INERT, **_NOT_KEPT}
            )
        size, first, blocks = found
        headers = {**_INERT, "Content-Length": str(size)}
        if not is_text(first[:_LOOKED_AT], whole=size <= _LOOKED_AT):
            headers["Content-Disposition"] = f'attachment; filename="{name[:12]}.bin"'
        kind = "application/octet-stream" if "Content-Disposition" in headers else "text/plain; charset=utf-8"
        return StreamingResponse(chain([first], blocks), headers=headers, media_type=kind)

    def _facts(self, url: str) -> tuple[dict[str, Any], int]:
        found, problem = None, None
        for place in self._places:
            try:
                found = found or open_archive(place).record(url)
            except CiResultsError as err:
                problem = str(err)
        facts = {"url": url, "record": None if found is None else asdict(found), "problem": problem}
        return facts, 200 if found else 503 if problem else 404

    def _open(self, name: str) -> tuple[int, bytes, Iterator[bytes]] | None:
        """Return the size, the beginning and the rest of a file."""
        problem: CiResultsError | None = None
        for place in self._places:
            try:
                size, blocks = open_archive(place).open(name)
                return size, next(blocks, b""), blocks
            except NotFoundError:
                continue
            except CiResultsError as err:
                problem = err
        if problem is not None:
            raise problem
        return None


def is_text(head: bytes, *, whole: bool) -> bool:
    """Say whether a file that begins so is text in UTF-8, its last letter cut unless this is the `whole`."""
    if b"\0" in head:
        return False
    for cut in range(1 if whole else 4):
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
