"""The ASGI application: our pages at the root, Datasette under /browse, the APIs beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ..config import Serving
from ..errors import (
    AuthorityUnavailableError,
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    StoreError,
    UnauthorisedError,
)
from . import (
    api_v1_0,
    ci_v1,
    faults,
    greenwave_v1,
    operating,
    resultsdb_v2,
    resultsdb_v3,
    waiverdb_v1,
)
from .auth.pages import PAGES
from .bounds import Bounded
from .browse.mount import PREFIX
from .call import Below, Lanes
from .metrics import Metrics
from .openapi.part import Part
from .openapi.routes import routes as document_routes
from .rate import RateLimited
from .security import LOOPBACK, KnownHost, binding, content_policy
from .sharing import SharedWith
from .surroundings import Surroundings
from .view import NoView, View
from .watching import Watched

GUARDED = (
    f"{PREFIX}/",
    *(f"{page}/" for page in PAGES),
    *(f"{above}{api.PREFIX}" for api in (resultsdb_v2, resultsdb_v3) for above in api.SERVICES),
    ci_v1.REPORTS,
    *api_v1_0.GUARDED,
)
STREAMED = (ci_v1.REPORTS,)
TOLD = (
    InvalidError,
    NotFoundError,
    UnauthorisedError,
    ForbiddenError,
    AuthorityUnavailableError,
    ConfigError,
)
STATIC = Path(__file__).parent / "browse" / "plugin" / "static"


class Application(Starlette):
    """Starlette without its outermost layer, for `Watched` answers what goes wrong inside."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return all the others."""
        return cast(ServerErrorMiddleware, super().build_middleware_stack()).app


def peers(around: Surroundings) -> list[api_v1_0.Service]:
    """Return the APIs that are together at /api/v1.0; the first has the word where two have one path."""
    return [waiverdb_v1.service(around), greenwave_v1.service(around)]


def api_routes(around: Surroundings) -> list[BaseRoute]:
    """Return the routes of all APIs; each package of `serve` adds its own here."""
    return [
        *resultsdb_v2.routes(around),
        *resultsdb_v3.routes(around),
        *api_v1_0.routes(peers(around)),
        *ci_v1.routes(around),
    ]


def api_parts(around: Surroundings) -> list[Part]:
    """Return what the document says of all APIs; each package of `serve` adds its own here."""
    return [
        resultsdb_v2.part(around),
        *resultsdb_v3.parts(around),
        *api_v1_0.parts(peers(around)),
        *ci_v1.parts(around),
        operating.part(),
    ]


def application(
    around: Surroundings,
    view: Path | None,
    *,
    hosts: Collection[str] | None = LOOPBACK,
    rate_per_s: float = 0,
    loaded: Callable[[], None] = lambda: None,
) -> Starlette:
    """Return the application over the store of `around`.

    view        the store's SQLite file, for pages and Datasette; None = there is none to look at
    hosts       names that a request may ask for (without port), None = any
    rate_per_s  requests that one client may ask a second, 0 = any number
    loaded      called once all that stays in memory is there, Datasette too

    Raises StoreError where `view` is missing or not ours.
    """
    metrics = Metrics(around.store, around.policies)
    people = NoView(around, loaded) if view is None else View(around, view, loaded)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        around.store.hurry()
        async with people.shown():
            yield

    routes = [
        *api_routes(around),
        *operating.routes(around, metrics),
        *document_routes(around, api_parts(around), pages=view is not None),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
        Route("/favicon.png", _icon),
        *people.routes(),
    ]
    lanes = [each for each in routes if isinstance(each, Below)]
    bound = binding(content_policy())
    watched = Middleware(
        Watched, meter=metrics, routes=routes, bound=bound, log_each=around.settings.access_log
    )
    return Application(
        routes=routes,
        middleware=[watched, *_layers(around.settings, hosts, rate_per_s), Middleware(Lanes, lanes=lanes)],
        exception_handlers={
            404: faults.by_reader(people.missing),
            HTTPException: faults.to_machines,
            StoreError: faults.by_reader(people.unreadable),
            **dict.fromkeys(TOLD, faults.to_machines),
        },
        lifespan=lifespan,
    )


async def _icon(request: Request) -> Response:
    """Answer the icon where ResultsDB has it."""
    return FileResponse(STATIC / "favicon.png")


def _layers(settings: Serving, hosts: Collection[str] | None, rate_per_s: float) -> list[Middleware]:
    """Return what every request passes before its route, the outermost first."""
    layers = [Middleware(KnownHost, hosts=hosts)]
    if settings.cors:
        layers.append(Middleware(SharedWith, origins=settings.cors))
    if rate_per_s:
        layers.append(Middleware(RateLimited, rate=rate_per_s, burst=settings.rate_burst))
    return [*layers, Middleware(Bounded, settings=settings, guarded=GUARDED, streamed=STREAMED)]
