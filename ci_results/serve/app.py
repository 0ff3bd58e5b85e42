"""The ASGI application: our pages at the root, Datasette under /browse, nothing that writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from ..errors import StoreError
from .answers import Answers
from .browse.mount import PREFIX, Browse
from .pages import Pages
from .reading import Reader
from .security import LOOPBACK, BindingHeaders, KnownHost, content_policy

STATIC = Path(__file__).parent / "browse" / "plugin" / "static"


def _now() -> datetime:
    return datetime.now(UTC)


def application(
    store: Path, *, hosts: Collection[str] | None = LOOPBACK, clock: Callable[[], datetime] = _now
) -> Starlette:
    """Return the application over the store at `store`, which it only reads.

    `hosts` are the names that a request may ask for (without port), None = any. Raises StoreError
    where `store` is missing or not ours.
    """
    reader = Reader(store)
    browse = Browse(store)
    pages = Pages(reader, Answers(), clock)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        browse.start()
        yield
        await browse.stop()
        reader.close()

    return Starlette(
        routes=[
            *pages.routes(),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
            Mount(PREFIX, browse),
        ],
        middleware=[
            Middleware(BindingHeaders, policy=content_policy()),
            Middleware(KnownHost, hosts=hosts),
        ],
        exception_handlers={404: pages.missing, StoreError: pages.unreadable},
        lifespan=lifespan,
    )
