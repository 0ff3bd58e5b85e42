"""What people look at: our pages and Datasette over a SQLite file, or why there is nothing to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from . import archived, gates, manual, waivers
from .answers import Answers
from .browse.mount import PREFIX, Browse
from .gates.finding import FileFinder, Finder, StoreFinder
from .pages import Pages
from .reading import Reader
from .surroundings import Surroundings


class View:
    """Pages and Datasette over the file at `path`; `loaded` is called when all of it is in memory.

    Raises StoreError where the file is missing or not ours.
    """

    def __init__(self, around: Surroundings, path: Path, loaded: Callable[[], None]) -> None:
        self._reader = Reader(path)
        self._browse = Browse(path, loaded, archived=bool(around.archives))
        answers = Answers(archived=archived.link_for(around))
        self._pages = Pages(self._reader, answers, around.clock)
        self._others = _both_have(around, answers, FileFinder(self._reader))
        self.missing, self.unreadable = self._pages.missing, self._pages.unreadable

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the pages, and Datasette."""
        return [*self._others, *self._pages.routes(), Mount(PREFIX, self._browse)]

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Load Datasette while the first page answers; let go of the file at the end."""
        self._browse.start()
        yield
        await self._browse.stop()
        self._reader.close()


class NoView:
    """A store that is no file: people are told how to get one to look at; the pages of gates need none."""

    def __init__(self, around: Surroundings, loaded: Callable[[], None]) -> None:
        self._loaded = loaded
        self._answers = Answers(browsable=False, archived=archived.link_for(around))
        self._clock = around.clock
        self._others = _both_have(around, self._answers, StoreFinder(around.store))

    def routes(self) -> Sequence[BaseRoute]:
        """Return the first page, and those that need no file."""
        return [Route("/", self.first), Route("/index", self.first), *self._others]

    async def first(self, request: Request) -> Response:
        """Say what this server does without a view."""
        return self._page(request, 200)

    async def missing(self, request: Request, error: Exception) -> Response:
        """Say the same wherever else people look."""
        return self._page(request, 404)

    async def unreadable(self, request: Request, error: Exception) -> Response:
        """Explain a store that cannot answer now."""
        return self._answers.html(
            "unreadable.html", {"reason": str(error)}, path="/", now=self._clock(), status=503
        )

    def _page(self, request: Request, status: int) -> Response:
        path = request.scope["path"]
        return self._answers.html("no_view.html", {}, path=path, now=self._clock(), status=status)

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Hold nothing."""
        self._loaded()
        yield


def _both_have(around: Surroundings, answers: Answers, finder: Finder) -> list[BaseRoute]:
    """Return the routes that every store has: of manual tests, items and gates, waivers, archives."""
    return [
        *manual.routes(around, answers),
        *gates.routes(around, answers, finder),
        *waivers.routes(around, answers),
        *archived.routes(around, answers),
    ]
